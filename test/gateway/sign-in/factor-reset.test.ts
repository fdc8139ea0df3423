import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { generateSync } from 'otplib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Browser, inputs } from '../../support/sign-in/browser.ts';
import { type SignInStack, signInStackFor } from '../../support/sign-in/stack.ts';

const MAIN = join(import.meta.dirname, '..', '..', '..', 'cli', 'main.ts');

interface Person {
  readonly browser: Browser;
  readonly codes: string[];
}

describe('resetting the second factor of somebody of an outside provider', () => {
  let s: SignInStack;
  const people = new Map<string, Person>();
  let request = '';

  /** Signs in, and sets an app up. */
  async function enrol(sub: string): Promise<void> {
    s.issuer.person = { sub, amr: ['pwd'] };
    const browser = new Browser(s.stack.authority);
    await browser.open(`${s.north}/patients`);
    const page = await browser.get(`${s.north}/.chartgate/enrol?method=totp&return=%2Fpatients`);
    const key = (/<code[^>]*>([A-Z2-7 ]+)<\/code>/.exec(page.text)?.[1] ?? '').replaceAll(' ', '');
    const { csrf = '' } = inputs(page.text);
    const fields = { csrf, method: 'totp', return: '/patients', code: generateSync({ secret: key }) };
    const done = await browser.post(`${s.north}/.chartgate/enrol`, fields);
    expect(done.status).toBe(200);
    const codes = [...done.text.matchAll(/<(?:code|li)[^>]*>([0-9A-Z]{4,}(?:-[0-9A-Z]{4,})+)</g)];
    people.set(sub, { browser, codes: codes.map((each) => each[1] ?? '') });
    expect((await browser.get(`${s.north}/patients`)).status).toBe(200);
  }
  const codeOf = (sub: string): string => people.get(sub)?.codes.shift() ?? '';

  /** As the gateway's OS user, with the code on standard input. */
  async function run(words: readonly string[], input = '', issuer = 'people') {
    const { layout, isolation } = s.stack;
    const config = join(layout.gateway, 'gateway.yaml');
    const child = spawn(
      process.execPath,
      [MAIN, 'factor', ...words, '--issuer', issuer, '--config', config, '--json'],
      isolation.gateway === undefined ? {} : isolation.gateway,
    );
    let [out, err] = ['', ''];
    child.stdout.on('data', (chunk) => {
      out += chunk;
    });
    child.stderr.on('data', (chunk) => {
      err += chunk;
    });
    child.stdin.end(`${input}\n`);
    const code = await new Promise<number>((done) => child.on('close', (status) => done(status ?? -1)));
    return { code, err, json: out.startsWith('{') ? JSON.parse(out) : {} };
  }

  beforeAll(async () => {
    s = await signInStackFor('sign-in-reset', {
      secondFactor: { by: 'gateway', administrators: ['chief-1', 'chief-2', 'chief-3'] },
    });
    for (const sub of ['chief-1', 'chief-2', 'nurse-1']) await enrol(sub);
  }, 120_000);
  afterAll(() => s?.stack.stop());

  it('takes an administrator with a code of his own to ask for it', async () => {
    for (const [who, code] of [
      ['chief-1', '000000'],
      ['chief-1', ''],
      ['chief-1', codeOf('nurse-1')],
      ['nurse-1', codeOf('nurse-1')],
      // Named, and without a factor.
      ['chief-3', '123456'],
      ['nobody', '123456'],
    ] as const) {
      const no = await run(['reset', 'nurse-1', '--as', who], code);
      expect(`${who} ${no.code} ${no.json.error?.code}`).toBe(`${who} 2 usage`);
    }
    expect((await run(['list'])).json.requests).toEqual([]);
    const own = await run(['reset', 'chief-1', '--as', 'chief-1'], codeOf('chief-1'));
    expect(`${own.code} ${own.json.reason}`).toBe('1 own-factors');
    const asked = await run(['reset', 'nurse-1', '--as', 'chief-1'], codeOf('chief-1'));
    expect(asked.code).toBe(0);
    request = asked.json.request.id;
    expect((await run(['list'])).json.requests).toMatchObject([
      { id: request, subject: 'nurse-1', by: 'chief-1', issuer: 'people' },
    ]);
    // Nothing has changed yet.
    expect((await people.get('nurse-1')?.browser.get(`${s.north}/patients`))?.status).toBe(200);
  });

  it('takes another one to approve it, and ends the factors and the sessions', async () => {
    const same = await run(['approve', request, '--as', 'chief-1'], codeOf('chief-1'));
    expect(`${same.code} ${same.json.reason}`).toBe('1 same-administrator');
    const used = await run(['approve', request, '--as', 'chief-2'], codeOf('chief-1'));
    expect(used.code).toBe(2);
    const done = await run(['approve', request, '--as', 'chief-2'], codeOf('chief-2'));
    expect(done.json).toMatchObject({ ok: true, subject: 'nurse-1', sessions: 1 });
    await new Promise((soon) => setTimeout(soon, 1100));
    const nurse = people.get('nurse-1')?.browser;
    expect((await nurse?.get(`${s.north}/patients`))?.headers.location).toContain('/.chartgate/sign-in');
    s.issuer.person = { sub: 'nurse-1', amr: ['pwd'] };
    const { url } = await new Browser(s.stack.authority).open(`${s.north}/patients`);
    expect(url).toContain('/.chartgate/enrol');
    expect((await people.get('chief-1')?.browser.get(`${s.north}/patients`))?.status).toBe(200);
    const again = await run(['approve', request, '--as', 'chief-2'], codeOf('chief-2'));
    expect(`${again.code} ${again.json.reason}`).toBe('1 request-unknown');
  });

  it('throws a request away, and knows issuers for which the gateway asks for no factor', async () => {
    const asked = await run(['reset', 'nurse-1', '--as', 'chief-2'], codeOf('chief-2'));
    const rejected = await run(['reject', asked.json.request.id, '--as', 'chief-1'], codeOf('chief-1'));
    expect(rejected.code).toBe(0);
    expect((await run(['list'])).json.requests).toEqual([]);
    for (const issuer of ['nobody', 'demo']) expect((await run(['list'], '', issuer)).code).toBe(2);
  });

  it('is counted, as is everything about sign-in, with nobody’s name', async () => {
    const text = await (await fetch(`${s.stack.operationsUrl}/metrics`)).text();
    for (const line of [
      /^chartgate_session_events_total\{tenant="north",event="first-factor"\} 4$/m,
      /^chartgate_session_events_total\{tenant="north",event="factor-enrolled"\} 3$/m,
      /^chartgate_session_changes_total\{tenant="north",change="opened"\} 4$/m,
      /^chartgate_second_factors_total\{method="totp",outcome="enrolled"\} 3$/m,
      /^chartgate_issuer_requests_total\{issuer="people",outcome="answered"\} [1-9]\d*$/m,
    ])
      expect(text).toMatch(line);
    expect(text).not.toMatch(/nurse-1|chief-/);
  });
});
