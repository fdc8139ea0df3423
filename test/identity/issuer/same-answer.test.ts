import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { systemClock } from '../../../contracts/clock.ts';
import { Clients } from '../../../identity/clients/index.ts';
import { GOOD_PASSWORD, must } from '../accounts/support/world.ts';
import { AUDIENCE, type Clinic, openClinic, REDIRECT } from './support/clinic.ts';
import { Visitor } from './support/visitor.ts';
import { type Deed, watch } from './support/watched.ts';

/** What of a sign-in's page and of the work behind it could tell whether an account exists. */
let clinic: Clinic;
let strangers = 0;
const NOBODY = 'nobody@riverside.example';
const WRONG = 'wrong password 77';

beforeAll(async () => {
  clinic = await openClinic();
  const [anna] = clinic.administrators;
  must(
    await clinic.accounts.asking.createAccount(anna, {
      organisation: 'riverside',
      login: 'new@riverside.example',
      name: 'New',
      roles: ['patient'],
    }),
  );
  // Whatever is made once only.
  await attempt('first@riverside.example', WRONG);
}, 60_000);
afterAll(() => clinic?.close());

async function begun(): Promise<Visitor> {
  const visitor = new Visitor(clinic.fetch, clinic.settings.issuer);
  const query = new URLSearchParams({
    client_id: 'gateway',
    response_type: 'code',
    redirect_uri: REDIRECT,
    scope: 'openid portal',
    resource: AUDIENCE,
    code_challenge: 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM',
    code_challenge_method: 'S256',
  });
  await visitor.go(`${clinic.settings.issuer}/authorize?${query}`);
  return visitor;
}

interface Observed {
  readonly status: number;
  readonly page: string;
  readonly headers: readonly string[];
  readonly deeds: readonly string[];
}

/** Without what is random, or was typed. */
const plain = (html: string) =>
  html.replaceAll(
    /(name="csrf" value=")[^"]+|interaction\/[\w-]+|value="[^"]*@[^"]*"|&quot;challenge&quot;:&quot;[^&]*/g,
    '',
  );

async function attempt(login: string, password: string): Promise<Observed> {
  const visitor = await begun();
  const watched = watch(clinic.issuer.store);
  await visitor.send({ login, password }, 'sign-in');
  watched.stop();
  return {
    status: visitor.page.status,
    page: plain(visitor.page.html),
    headers: [...visitor.page.headers.keys()].filter((name) => name !== 'date'),
    deeds: watched.deeds.filter(ofSignIn).map((deed) => `${deed.do} ${deed.kind} ${deed.hit}`),
  };
}

/** The issuer looks for news every second, whoever signs in. */
const ofSignIn = ({ kind }: Deed) => kind !== 'account-event' && kind !== 'revocation';

describe('to who does not know the password', () => {
  test.each<[string, () => Promise<string>, string]>([
    ['an active account', () => clinic.newcomer(), WRONG],
    ['an account that signed in just now', signedIn, WRONG],
    ['a disabled account', disabled, WRONG],
    ['a disabled account whose password was right', disabled, GOOD_PASSWORD],
    ['an account that nobody approved yet', async () => 'new@riverside.example', WRONG],
    ['a name that no account can have', async () => 'two words@riverside.example', WRONG],
    ['a password that no account can have', () => clinic.newcomer(), '\u0000'],
  ])('%s looks like no account, and as much is looked up for it', async (_, who, password) => {
    const login = await who();
    const nobody = await attempt(`${++strangers}-${NOBODY}`, password);
    const somebody = await attempt(login, password);
    expect(somebody.status).toBe(422);
    expect(somebody.page).toBe(nobody.page);
    expect(somebody.headers).toEqual(nobody.headers);
    expect(somebody.deeds.length).toBeGreaterThan(5);
    expect([...somebody.deeds].sort()).toEqual([...nobody.deeds].sort());
  });

  async function signedIn(): Promise<string> {
    const login = await clinic.newcomer();
    expect((await attempt(login, GOOD_PASSWORD)).page).toContain('enrol-totp');
    return login;
  }

  async function disabled(): Promise<string> {
    const login = await clinic.newcomer();
    const [anna] = clinic.administrators;
    const { id } = must(await clinic.accounts.looking.accountByLogin(anna, login));
    must(await clinic.accounts.alone.disableAccount(anna, id));
    return login;
  }

  test('a locked account looks like a locked name of no account', async () => {
    const [nobody, somebody] = ['void@riverside.example', 'nina@riverside.example'];
    for (let turn = 0; turn < clinic.settings.accounts.lockout.failures; turn += 1) {
      await attempt(nobody, WRONG);
      await attempt(somebody, WRONG);
    }
    const [locked, held] = [await attempt(nobody, WRONG), await attempt(somebody, GOOD_PASSWORD)];
    expect(held.status).toBe(422);
    expect(held.page).toBe(locked.page);
    expect(held.headers).toEqual(locked.headers);
    expect([...held.deeds].sort()).toEqual([...locked.deeds].sort());
  });
});

describe('whether there is an API client', () => {
  const CHOSEN = 'a secret that somebody chose 77';
  const RANDOM = `cgs_${'x'.repeat(43)}`;
  let services: Clients;

  beforeAll(() => {
    services = new Clients(clinic.issuer.store, systemClock);
  });

  async function service(): Promise<string> {
    const { client } = await services.create({
      tenant: 'clinic',
      name: 'Laboratory',
      scopes: ['system/Observation.rs'],
    });
    return client.clientId;
  }

  async function inactive(): Promise<string> {
    const id = await service();
    await services.setActive(id, false);
    return id;
  }

  async function tokenFor(id: string, secret: string) {
    // As if nobody had guessed before: five from one address, and that is what all the rest would show.
    const { store } = clinic.issuer;
    for (const { id: row, version } of await store.list('attempts'))
      await store.commit([{ do: 'remove', kind: 'attempts', id: row, version }]);
    const watched = watch(clinic.issuer.store);
    const answer = await clinic.fetch(`${clinic.settings.issuer}/token`, {
      method: 'POST',
      headers: {
        authorization: `Basic ${Buffer.from(`${id}:${encodeURIComponent(secret)}`).toString('base64')}`,
      },
      body: new URLSearchParams({ grant_type: 'client_credentials' }),
    });
    const text = await answer.text();
    watched.stop();
    const deeds = watched.deeds.filter(({ kind }) => kind === 'attempts');
    return {
      status: answer.status,
      text,
      headers: [...answer.headers].filter(([name]) => name !== 'date' && name !== 'x-request-id'),
      deeds: deeds.map((deed) => `${deed.do} ${deed.kind}`).sort(),
    };
  }

  test.each([
    ['one that there is', service, CHOSEN],
    ['one that there is, a secret of our making', service, RANDOM],
    ['one that is not active any more', inactive, CHOSEN],
    ['one of the settings', async () => 'gateway', CHOSEN],
    ['one whose id is none', async () => 'somebody', CHOSEN],
  ])('%s: refused with the same bytes and the same work as none', async (_, who, secret) => {
    const id = await who();
    const nobody = await tokenFor(
      'cgc-aaaaaaaaaaaaaaaa'.replace(/a{4}$/, String(++strangers).padStart(4, '2')),
      secret,
    );
    const somebody = await tokenFor(id, secret);
    expect(nobody.status).toBe(401);
    expect(somebody).toEqual(nobody);
    expect(nobody.deeds.length > 0).toBe(secret === CHOSEN);
  });
});
