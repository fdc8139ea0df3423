import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Browser } from '../../support/sign-in/browser.ts';
import { type SignInStack, signInStackFor } from '../../support/sign-in/stack.ts';

const SESSION = '__Host-chartgate';
const TWO = { acr: 'urn:test:two', amr: ['pwd', 'otp', 'mfa'] };
const links = (page: string): string[] =>
  [...page.matchAll(/href="(\/\.chartgate\/sign-in\?[^"]+)"/g)].map((each) =>
    (each[1] ?? '').replaceAll('&amp;', '&'),
  );

describe('several providers at one tenant, one of which grants by a claim and knows the gateway by a key', () => {
  let s: SignInStack;
  beforeAll(async () => {
    s = await signInStackFor('sign-in-several', {
      partners: {
        grants: { claim: 'groups', values: { clinicians: ['emr'], constructor: ['user/*.rs'] } },
      },
    });
  }, 120_000);
  afterAll(() => s?.stack.stop());

  async function choose(name: string): Promise<{ browser: Browser; href: string }> {
    const browser = new Browser(s.stack.authority);
    const { reply, url } = await browser.open(`${s.north}/patients`);
    expect(`${reply.status} ${url}`).toBe(`200 ${s.north}/.chartgate/sign-in?return=%2Fpatients`);
    expect(reply.text).toContain('Test provider');
    expect(reply.text).toContain('Partner clinics');
    const href = links(reply.text).find((each) => each.includes(`issuer=${name}`)) ?? '';
    expect(href).toContain('return=%2Fpatients');
    return { browser, href };
  }
  async function partner(sub: string, groups: readonly string[]) {
    if (s.partners !== undefined) s.partners.person = { sub, ...TWO, groups };
    const { browser, href } = await choose('partners');
    const { reply, url } = await browser.open(`${s.north}${href}`);
    expect(s.partners?.errors.splice(0)).toEqual([]);
    return { browser, reply, url };
  }

  it('lets people choose, and brings each back from the one they chose', async () => {
    s.issuer.person = { sub: 'same-name', ...TWO };
    const { browser, href } = await choose('people');
    const { reply } = await browser.open(`${s.north}${href}`);
    expect(reply.status).toBe(200);
    expect(browser.visited.some((each) => each.includes('/callback/people?'))).toBe(true);
    const unknown = await browser.get(`${s.south}/.chartgate/sign-in?issuer=nobody`);
    expect(unknown.status).toBe(404);
  });

  it('proves itself by its key, and gives the scopes of the groups that the ID token names', async () => {
    const { browser, reply, url } = await partner('partner-1', ['clinicians', 'others']);
    expect(`${reply.status} ${url}`).toBe(`200 ${s.north}/patients`);
    expect(reply.text).toContain('partner-1');
    expect(browser.visited.some((each) => each.includes('/callback/partners?'))).toBe(true);
  });

  it('gives whoever is in none of the groups a session that opens nothing', async () => {
    for (const groups of [[], ['others'], ['constructor'], ['Clinicians'], ['clinicians ']]) {
      const { browser, reply } = await partner('partner-2', groups);
      expect(`${groups} ${reply.status}`).toBe(`${groups} 403`);
      expect(reply.text).not.toContain('partner-2');
      expect((await browser.get(`${s.north}/patients`)).status).toBe(403);
    }
  });

  it('keeps people of the same subject at two providers apart', async () => {
    const [first, second] = [
      await partner('same-name', ['clinicians']),
      await partner('same-name', ['clinicians']),
    ];
    s.issuer.person = { sub: 'same-name', ...TWO };
    const { browser, href } = await choose('people');
    await browser.open(`${s.north}${href}`);
    const count = async (of: Browser): Promise<number> =>
      (await of.get(`${s.north}/.chartgate/sessions`)).text.match(/class="card"/g)?.length ?? 0;
    // The one of the first case, and this one.
    expect(await count(browser)).toBe(2);
    expect(await count(first.browser)).toBe(2);
    expect(await count(second.browser)).toBe(2);
  });

  it('takes no answer of one provider at the address of the other (mix-up)', async () => {
    s.issuer.person = { sub: 'same-name', ...TWO };
    const { browser, href } = await choose('people');
    let url = `${s.north}${href}`;
    for (let hops = 0; hops < 10 && !url.includes('/callback/'); hops += 1) {
      const reply = await browser.get(url);
      url = new URL(reply.headers.location ?? '', url).href;
    }
    const mixed = await browser.get(url.replace('/callback/people', '/callback/partners'));
    expect(mixed.status).toBe(400);
    expect(browser.cookie(s.north, SESSION)).toBeUndefined();
  });
});
