import { execFile } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { activityOf, withoutRequestId } from '../../examples/demo/evidence.ts';
import { writeSecret } from '../../examples/demo/layout.ts';
import type { Stack } from '../../examples/demo/stack.ts';
import { type Ask, ask, type Reply } from '../../examples/support/https-client.ts';
import { HostileEmr } from '../support/hostile-emr.ts';
import { GOOD, NAME, POLICY, SCRIPTS } from '../support/recognised.ts';
import { stackFor } from '../support/stack.ts';

/** Answers whose status is good and whose meaning is not, and what staff sees of them afterwards. */

const run = promisify(execFile);
let stack: Stack;
let emr: HostileEmr;
let token: string;

beforeAll(async () => {
  emr = new HostileEmr(SCRIPTS);
  await emr.listen();
  stack = await stackFor('recognised', {
    workers: 1,
    backends: { north: `http://127.0.0.1:${emr.port}` },
    prepare: async ({ layout, isolation }) => {
      writeFileSync(
        join(layout.gateway, 'answers.yaml'),
        stringify(POLICY, { aliasDuplicateObjects: false }),
      );
      writeSecret(
        join(layout.gateway, 'incident.key'),
        'q7sVZ0dQ0r9n3mXj5yq1mU8cXh2u5l1Yt0m3kq9bT7E=',
        isolation.gateway,
      );
      return {
        adjust: (usual) => ({
          ...usual,
          policies: { answers: 'answers.yaml' },
          incidents: { directory: join(layout.gateway, 'incidents'), keys: [{ file: 'incident.key' }] },
          tenants: (usual.tenants as readonly object[]).map((tenant) => ({ ...tenant, policy: 'answers' })),
        }),
      };
    },
  });
  token = await stack.token({ tenant: 'north', client: 'front-desk', scopes: ['emr/pages'] });
}, 120_000);

afterAll(async () => {
  await stack?.stop();
  await emr?.close();
});

const get = (path: string, script: string, more: Partial<Ask> = {}): Promise<Reply> =>
  ask({
    url: `${stack.tenants.north.origin}${path}`,
    authority: stack.authority,
    token,
    ...more,
    headers: { accept: 'text/html', 'x-script': script, ...more.headers },
  });

describe('a page that says "there is nothing" is an absent record', () => {
  it.each([
    'no-such',
    'no-such-late',
    'no-such-gzip',
    'no-such-br',
    'restricted',
    'to-login',
    'to-login-whole',
    'forbidden',
    'help',
    'trace',
    'trace-late',
  ])('%s', async (script) => {
    const begun = performance.now();
    const reply = await get('/chart/1', script);
    const took = performance.now() - begun;
    const absent = await get('/chart/1', 'absent');
    expect(withoutRequestId(reply)).toEqual(withoutRequestId(absent));
    expect(reply.status).toBe(404);
    expect(reply.text).not.toContain(NAME);
    expect(took).toBeGreaterThan(119);
  });

  it.each(['good', 'good-gzip', 'long-good', 'to-chart'])('%s passes', async (script) => {
    const reply = await get('/chart/1', script);
    expect(reply.status).toBe(script === 'to-chart' ? 302 : 200);
  });
});

describe('where what the EMR says is in the body, the body is looked at whatever is asked for', () => {
  const PART = { range: 'bytes=0-9' };
  const asked = () => emr.requests.map(({ method, head }) => [method, /\r\n(?:if-)?range: /i.test(head)]);
  const of = async (path: string, script: string, method: string, headers: Record<string, string> = {}) => {
    emr.requests.length = 0;
    return get(path, script, { method, headers });
  };

  it.each([
    ['a head', 'HEAD', {}],
    ['a part', 'GET', PART],
    ['a part of this tag', 'GET', { ...PART, 'if-range': '"7"' }],
    ['the head of a part', 'HEAD', PART],
  ] as const)(
    '%s of what the EMR says is not there is as one of what is absent',
    async (_what, method, headers) => {
      const hidden = await of('/chart/1', 'no-such-as-asked', method, headers);
      expect(asked()).toEqual([['GET', false]]);
      expect(hidden.status).toBe(404);
      const absent = await of('/chart/1', 'absent', method, headers);
      expect(withoutRequestId(hidden)).toBe(withoutRequestId(absent));
      if (method === 'HEAD') expect(hidden.body.length).toBe(0);
      // Nobody is hidden here, but an error is one.
      const failed = await of('/page/1', 'trace-as-asked', method, headers);
      expect([failed.status, asked()]).toEqual([502, [['GET', false]]]);
      expect(failed.headers.etag).toBeUndefined();
    },
  );

  it.each(['/chart/1', '/page/1'])(
    '%s: who is given it gets its head without a body, and the whole for a part',
    async (path) => {
      const whole = await of(path, 'good-as-asked', 'GET');
      expect([whole.status, whole.text]).toEqual([200, GOOD]);
      const head = await of(path, 'good-as-asked', 'HEAD');
      expect(asked()).toEqual([['GET', false]]);
      expect(head.body.length).toBe(0);
      expect(`${withoutRequestId(head)}${GOOD}`).toBe(withoutRequestId(whole));
      for (const headers of [PART, { ...PART, 'if-range': '"7"' }]) {
        const part = await of(path, 'good-as-asked', 'GET', headers);
        expect(asked()).toEqual([['GET', false]]);
        expect(withoutRequestId(part)).toBe(withoutRequestId(whole));
      }
    },
  );

  it('where records are hidden and no body decides, parts are asked for as such, and heads as wholes', async () => {
    const part = await of('/file/1', 'good-as-asked', 'GET', PART);
    expect([part.status, part.text, asked()]).toEqual([206, GOOD.slice(0, 10), [['GET', true]]]);
    const head = await of('/file/1', 'trace-as-asked', 'HEAD');
    expect([head.status, head.body.length, asked()]).toEqual([404, 0, [['GET', false]]]);
    expect(withoutRequestId(head)).toBe(withoutRequestId(await of('/file/1', 'absent', 'HEAD')));
  });

  it('elsewhere heads are asked for as heads', async () => {
    const head = await of('/stream/1', 'good-as-asked', 'HEAD', PART);
    expect([head.status, head.body.length, asked()]).toEqual([206, 0, [['HEAD', true]]]);
  });
});

describe('the pages of the legacy EMR itself', () => {
  it('say the same of a chart that is not there and of one that is restricted', async () => {
    const { south } = stack.tenants;
    const theirs = await stack.token({ tenant: 'south', client: 'front-desk', scopes: ['emr/pages'] });
    const page = (id: number): Promise<Reply> =>
      ask({
        url: `${south.origin}/patients/${id}`,
        authority: stack.authority,
        token: theirs,
        headers: { accept: 'text/html' },
      });
    const open = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10].find((id) => !south.restricted.includes(id)) ?? 0;
    const [shown, absent, restricted] = await Promise.all([
      page(open),
      page(999_999),
      page(south.restricted[0] ?? 0),
    ]);
    expect(shown.status).toBe(200);
    expect(shown.text).toContain('<h2>Observations</h2>');
    expect(absent.status).toBe(404);
    expect(absent.text).not.toContain('No such patient');
    expect(withoutRequestId(absent)).toBe(withoutRequestId(restricted));
  });
});

describe('an error of the EMR never passes', () => {
  it.each([
    'trace',
    'in-json',
    'trace-outcome',
    'trace-behind-resource',
    'in-xml',
    'trace-text',
    'trace-untyped',
    'trace-image',
    'trace-script',
    'trace-deflate',
    'trace-strange',
    'in-wide',
    'trace-late',
    'help',
  ])('%s', async (script) => {
    const reply = await get('/page/1', script);
    expect(reply.status).toBe(502);
    expect(`${reply.rawHeaders} ${reply.text}`).not.toMatch(/Zebulon|SQLSTATE|PDO|var.www|help desk/);
    const entries = await activityOf(stack, String(reply.headers['x-request-id']));
    expect(entries.find(({ kind }) => kind === 'outcome')).toMatchObject({
      reason: expect.stringMatching(/^answer-(?:error|recognised|unjudged)$/),
      backendStatus: 200,
      status: 502,
    });
    expect(JSON.stringify(entries)).not.toContain(NAME);
  });

  it.each(['trace-far', 'trace-far-gzip'])(
    '%s: beyond what is held, the answer is cut before it',
    async (script) => {
      const cut = await get('/stream/1', script).then(
        () => 'whole',
        (error: NodeJS.ErrnoException) => error.code,
      );
      expect(cut).toBe('ECONNRESET');
    },
  );

  it.each(['good', 'good-gzip', 'long-good', 'resource'])('%s passes as it is', async (script) => {
    const reply = await get('/page/1', script);
    expect(reply.status).toBe(200);
    expect(Number(reply.headers['content-length'])).toBe(reply.body.length);
  });

  it('what the policy says is no error here passes', async () => {
    expect((await get('/plain/1', 'trace-text')).status).toBe(200);
    expect((await get('/plain/1', 'to-error')).status).toBe(502);
    expect((await get('/page/1', 'to-error')).status).toBe(502);
  });
});

describe('staff sees what was kept', () => {
  const chartgate = async (...args: readonly string[]) => {
    const command = [join(import.meta.dirname, '../../bin/chartgate.mjs'), 'incident', ...args];
    const config = ['--config', join(stack.layout.gateway, 'gateway.yaml')];
    return run(process.execPath, [...command, ...config], stack.isolation.gateway ?? {}).then(
      ({ stdout, stderr }) => ({ code: 0, stdout, stderr }),
      (error: { code: number; stdout: string; stderr: string }) => error,
    );
  };
  const folder = () => join(stack.layout.gateway, 'incidents');
  const kept = () => readdirSync(folder()).map((file) => readFileSync(join(folder(), file)));

  it('the original by the number that the client has, and the look is recorded', async () => {
    const reply = await get('/chart/1', 'forbidden');
    const id = String(reply.headers['x-request-id']);
    await expect.poll(() => kept().some((file) => file.includes(id)), { timeout: 5000 }).toBe(true);
    const shown = await chartgate('show', id, '--because', 'HD-17');
    expect(shown.stderr).toBe('');
    expect(shown.code).toBe(0);
    expect(shown.stdout).toContain(`<p>${NAME} is restricted</p>`);
    expect(shown.stdout).toContain(`x-secret: ${NAME}`);
    expect(shown.stdout).toContain('set-cookie: (left out)');
    expect(shown.stdout).toContain('GET /chart/1');
    expect(shown.stdout).toMatch(/client {3}404 .*\(backend-refused\)/);
    const looks = (await activityOf(stack, id)).filter(({ kind }) => kind === 'incident');
    expect(looks).toEqual([
      {
        kind: 'incident',
        event: 'shown',
        request: id,
        tenant: 'north',
        account: expect.any(String),
        because: 'HD-17',
      },
    ]);
  });

  it('pages that were recognised, and as JSON', async () => {
    const id = String((await get('/chart/1', 'no-such-late')).headers['x-request-id']);
    await expect.poll(() => kept().some((file) => file.includes(id)), { timeout: 5000 }).toBe(true);
    const shown = JSON.parse((await chartgate('show', id, '--because', 'HD-18', '--json')).stdout);
    expect(Buffer.from(shown.incident.body, 'base64').toString()).toBe(
      `${GOOD}<p>no SUCH patient: ${NAME}</p>`,
    );
    expect(shown.incident).toMatchObject({
      reason: 'answer-recognised',
      status: 404,
      backend: { status: 200, cut: false },
    });
    expect(shown.records.map(({ entry }: { entry: { kind: string } }) => entry.kind)).toEqual([
      'intent',
      'outcome',
    ]);
  });

  it('nothing of it lies open on the disk or in a log', async () => {
    await get('/chart/1', 'forbidden');
    const logs = [stack.layout.logs, stack.layout.activity].flatMap((directory) =>
      readdirSync(directory)
        .filter((file) => /\.(?:jsonl|log)$/.test(file))
        .map((file) => readFileSync(join(directory, file))),
    );
    for (const file of [...kept(), ...logs]) {
      expect(file.includes(NAME)).toBe(false);
      expect(file.includes('SQLSTATE')).toBe(false);
    }
  });

  it('the list opens none; what is not kept is not found, and who looked is recorded', async () => {
    const list = JSON.parse((await chartgate('list', '--json')).stdout);
    expect(list.length).toBeGreaterThan(2);
    expect(Object.keys(list[0]).sort()).toEqual(['bytes', 'request', 'time']);
    const missing = await chartgate('show', '0'.repeat(26), '--because', 'HD-19');
    expect(missing.code).toBe(1);
    expect(missing.stdout).toMatch(/No original is kept/);
    expect((await activityOf(stack, '0'.repeat(26)))[0]).toMatchObject({
      event: 'not-found',
      because: 'HD-19',
    });
    expect((await chartgate('show', '0'.repeat(26))).code).toBe(2);
    expect((await chartgate('show', '0'.repeat(26), '--because', 'Zebulon was rude')).code).toBe(2);
  });
});
