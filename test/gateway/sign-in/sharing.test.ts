import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readActivityLog } from '../../../activity-log/index.ts';
import type { ActivityEntry } from '../../../contracts/activity.ts';
import { writeSecret } from '../../../examples/demo/layout.ts';
import type { Reply } from '../../../examples/support/https-client.ts';
import { Browser, inputs } from '../../support/sign-in/browser.ts';
import type { Person } from '../../support/sign-in/issuer.ts';
import { type SignInStack, signInStackFor } from '../../support/sign-in/stack.ts';

const TWO = { acr: 'urn:test:two', amr: ['pwd', 'otp', 'mfa'] };
const SHARING = '/.chartgate/sharing';
const EMERGENCY = '/.chartgate/emergency-access';
const INCIDENTS = '/.chartgate/incidents';
const REASON = 'Unconscious in the emergency room, allergies needed';

describe('at a browser', () => {
  let s: SignInStack;
  async function signedIn(person: Omit<Person, 'acr' | 'amr'>, path: string): Promise<[Browser, Reply]> {
    s.issuer.person = { ...person, ...TWO };
    s.issuer.forget();
    const browser = new Browser(s.stack.authority);
    const { reply } = await browser.open(`${s.north}${path}`);
    return [browser, reply];
  }
  async function recorded(): Promise<readonly ActivityEntry[]> {
    const found: ActivityEntry[] = [];
    for await (const record of readActivityLog(s.stack.layout.activity))
      found.push(record.entry as ActivityEntry);
    return found;
  }
  const csrf = (reply: Reply): string => inputs(reply.text).csrf ?? '';
  const post = (browser: Browser, path: string, fields: Record<string, string>): Promise<Reply> =>
    browser.post(`${s.north}${path}`, fields);

  beforeAll(async () => {
    s = await signInStackFor('sharing-pages', {
      tenant: {
        sharing: { partners: [{ tenant: 'south', issuers: ['partners'] }] },
        emergency: { roles: ['physician'], scopes: ['user/*.rs'], duration: '5m' },
      },
      partners: {},
      servedPartners: false,
      further: async ({ layout, isolation }) => {
        const key = randomBytes(32).toString('base64');
        writeSecret(join(layout.gateway, 'incident.key'), key, isolation.gateway);
        return {
          adjust: (usual) => ({
            ...usual,
            incidents: { directory: 'incidents', keys: [{ file: 'incident.key' }], readers: ['help-desk'] },
          }),
        };
      },
    });
  }, 120_000);
  afterAll(() => s?.stack.stop());

  it('a patient shares, sees it, and takes it back, by plain forms', async () => {
    const [browser, first] = await signedIn({ sub: 'pat', patient: 'p1' }, SHARING);
    expect(first.status).toBe(200);
    expect(first.text).toContain('You share nothing at the moment.');
    expect(first.text).toContain('people:pat');
    const wanted = { csrf: csrf(first), do: 'grant', whom: 'south', part: 'results', days: '30' };
    const granted = await post(browser, SHARING, wanted);
    expect(granted.status).toBe(200);
    expect(granted.text).toContain('Saved. It counts at once.');
    expect(granted.text).toContain('Everybody who works at south');
    const [, id = ''] = /name="withdraw" value="([0-9a-f-]{36})"/.exec(granted.text) ?? [];
    const stranger = (await signedIn({ sub: 'other', patient: 'p2' }, SHARING))[0];
    const theirs = await stranger.get(`${s.north}${SHARING}`);
    expect(theirs.text).toContain('You share nothing at the moment.');
    await post(stranger, SHARING, { csrf: csrf(theirs), withdraw: id });
    expect((await browser.get(`${s.north}${SHARING}`)).text).toContain(id);
    const withdrawn = await post(browser, SHARING, { csrf: csrf(granted), withdraw: id });
    expect(withdrawn.text).toContain('Taken back. It ended at once.');
    expect(withdrawn.text).toContain('You share nothing at the moment.');
    const log = await recorded();
    const kinds = log.flatMap((entry) => (entry.kind === 'sharing' ? [entry.event] : []));
    expect(kinds).toEqual(['consent-granted', 'consent-withdrawn']);
  });

  it.each([
    ['nobody', { whom: '' }, 'Choose with whom'],
    ['an organisation that is none', { whom: 'east' }, 'Choose with whom'],
    ['a person whom nobody knows', { whom: '.person', person: 'people' }, 'Nobody can be found'],
    [
      'a person of an issuer of another tenant',
      { whom: '.person', person: 'demo2:x' },
      'Nobody can be found',
    ],
    ['a role that cannot be', { role: 'a role' }, 'A role has only'],
    ['nothing', { part: '' }, 'Choose what'],
    ['no time', { days: '' }, 'Choose for how long'],
    ['for ever', { days: '99999' }, 'Choose for how long'],
  ])('sharing with %s is refused, with what to do', async (_, change, message) => {
    const [browser, first] = await signedIn({ sub: 'pat3', patient: 'p3' }, SHARING);
    const fields = { csrf: csrf(first), do: 'grant', whom: 'south', part: 'results', days: '30', ...change };
    const reply = await post(browser, SHARING, fields);
    expect(reply.status).toBe(422);
    expect(reply.text).toContain(message);
    expect((await browser.get(`${s.north}${SHARING}`)).text).toContain('You share nothing');
  });

  it('a form from another site, or without its token, does nothing', async () => {
    const [browser, first] = await signedIn({ sub: 'pat4', patient: 'p4' }, SHARING);
    const fields = { do: 'grant', whom: 'south', part: '*', days: '30' };
    expect(await post(browser, SHARING, { ...fields, csrf: 'guessed' })).toMatchObject({ status: 403 });
    const foreign = await browser.post(
      `${s.north}${SHARING}`,
      { ...fields, csrf: csrf(first) },
      { origin: 'https://evil.example', 'sec-fetch-site': 'cross-site' },
    );
    expect(foreign.status).toBe(403);
    expect((await browser.get(`${s.north}${SHARING}`)).text).toContain('You share nothing');
  });

  it('whoever is no patient has nothing to share, and a session is no token for the interface', async () => {
    const [browser, reply] = await signedIn({ sub: 'clerk' }, SHARING);
    expect(reply.status).toBe(403);
    const api = await browser.get(`${s.north}/.chartgate/consents?patient=p1`, {
      accept: 'application/json',
      'sec-fetch-mode': 'cors',
      'sec-fetch-site': 'same-origin',
    });
    expect(api.status).toBe(401);
    expect((await browser.get(`${s.south}${SHARING}`)).status).not.toBe(200);
  });

  it('emergency access is for whoever may, with a reason, and the session ends with it', async () => {
    const [, refused] = await signedIn({ sub: 'clerk', roles: ['clerk'] }, EMERGENCY);
    expect(refused.status).toBe(403);
    const [browser, page] = await signedIn({ sub: 'doc', roles: ['physician'] }, EMERGENCY);
    expect(page.text).toContain('It ends by itself after 5 minutes');
    const short = await post(browser, EMERGENCY, { csrf: csrf(page), reason: 'urgent' });
    expect([short.status, short.text.includes('Say in 10 to 500 characters')]).toEqual([422, true]);
    const begun = await post(browser, EMERGENCY, { csrf: csrf(page), reason: REASON });
    expect(begun.status).toBe(303);
    const open = await browser.get(`${s.north}${EMERGENCY}`);
    expect(open.text).toContain('Emergency access is open until');
    const ended = await post(browser, EMERGENCY, { csrf: csrf(open), do: 'end' });
    expect(ended.text).toContain('Emergency access has ended.');
    const log = await recorded();
    const events = log.flatMap((entry) =>
      entry.kind === 'sharing' && entry.subject === 'doc' ? [entry.event] : [],
    );
    expect(events).toEqual(['emergency-refused', 'emergency-begun', 'emergency-ended']);
    expect(JSON.stringify(log)).not.toContain('Unconscious');
  });

  it('an original answer is for people of a role of the same tenant, with a ticket, and recorded', async () => {
    const [browser, page] = await signedIn({ sub: 'desk', roles: ['help-desk'] }, INCIDENTS);
    expect(page.status).toBe(200);
    const refused = await browser.get(`${s.north}/documents/999999/content`);
    expect(refused.status).toBe(400);
    const number = String(refused.headers['x-request-id']);
    const look = (fields: Record<string, string>, by = browser): Promise<Reply> =>
      post(by, INCIDENTS, { csrf: csrf(page), number, ticket: 'HD-17', ...fields });
    await expect.poll(async () => (await look({})).text, { timeout: 10_000 }).toContain('404 Not Found');
    const shown = await look({ number: number.toLowerCase() });
    expect(shown.text).toContain('GET /documents/999999/content');
    expect(shown.text).toContain('400 Bad Request (backend-refused)');
    expect((await look({ ticket: 'why not' })).status).toBe(422);
    expect((await look({ number: '1' })).status).toBe(422);
    expect((await look({ number: '0'.repeat(26) })).text).toContain('Nothing is kept under this number');
    const [clerk, away] = await signedIn({ sub: 'clerk2', roles: ['clerk'] }, INCIDENTS);
    expect(away.status).toBe(403);
    expect((await clerk.get(`${s.north}${INCIDENTS}`)).text).not.toContain('404 Not Found');
    const looks = (await recorded()).flatMap((entry) => (entry.kind === 'incident' ? [entry] : []));
    const { issuer } = looks[0] ?? {};
    const desk = { kind: 'incident', tenant: 'north', issuer, subject: 'desk' };
    expect(looks).toContainEqual({ ...desk, event: 'shown', request: number, because: 'HD-17' });
    expect(looks).toContainEqual({ ...desk, event: 'not-found', request: '0'.repeat(26), because: 'HD-17' });
    expect(looks.some(({ event, subject }) => event === 'refused' && subject === 'clerk2')).toBe(true);
  });
});
