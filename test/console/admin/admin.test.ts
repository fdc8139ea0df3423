import { Ajv2020 } from 'ajv/dist/2020.js';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Admin, type AdminAnswer, type AdminCaller, adminAudience } from '../../../console/admin/index.ts';
import { openApi, problemStatuses } from '../../../console/admin/openapi.ts';
import { OPERATIONS } from '../../../console/admin/operations.ts';
import { SCHEMAS } from '../../../console/admin/schemas.ts';
import { ACR } from '../../../contracts/issuer-link.ts';
import { ADMIN_SCOPES, createAccounts, HOST } from '../../../identity/accounts/index.ts';
import { clinic, must, openWorld, QUICK, type World } from '../../identity/accounts/support/world.ts';

const ISSUER = 'https://id.clinic.example';
const DATE_TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

let world: World;
let admin: Admin;
let anna: string;
let boris: string;
let sam: string;
/** Of every operation, the statuses that were seen. */
const seen = new Map<string, Set<number>>();
const ajv = new Ajv2020({ strict: true, strictTypes: false, formats: { 'date-time': DATE_TIME } });

beforeAll(async () => {
  world = await openWorld();
  admin = new Admin({ accounts: world.accounts, issuer: ISSUER });
  [anna, boris] = await clinic(world.accounts);
  const staff = must(
    await world.accounts.asking.createAccount(HOST, {
      organisation: 'staff',
      login: 'sam',
      name: 'Sam',
      roles: ['staff'],
    }),
  );
  sam = staff.account.id;
  ajv.addVocabulary(['components']);
  ajv.addSchema({ $id: 'urn:test:described', components: { schemas: SCHEMAS } });
});
afterAll(() => world.close());

const caller = (account: string, more: Partial<AdminCaller> = {}): AdminCaller => ({
  account,
  scopes: new Set(ADMIN_SCOPES),
  audience: adminAudience(ISSUER),
  acr: ACR.two,
  ...more,
});

interface Ask {
  readonly as?: string | AdminCaller | undefined;
  readonly body?: unknown;
  readonly raw?: Buffer;
  readonly headers?: Readonly<Record<string, string>>;
  readonly query?: string;
  readonly on?: Admin;
}

/** Asks, and checks whatever comes against the description. */
async function ask(method: string, path: string, asked: Ask = {}) {
  const { as = anna, body, raw, headers = {}, query = '', on = admin } = asked;
  const answer = await on.answer({
    method,
    path,
    query: new URLSearchParams(query),
    headers: { ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
    body: raw ?? (body === undefined ? Buffer.alloc(0) : Buffer.from(JSON.stringify(body))),
    caller: typeof as === 'string' ? caller(as) : as,
    requestId: '01ARZ3NDEKTSV4RRFFQ69G5FAV',
  });
  described(method, path, answer);
  return { ...answer, json: answer.body === '' ? undefined : JSON.parse(answer.body) };
}

function described(method: string, path: string, answer: AdminAnswer): void {
  const operation = OPERATIONS.find(
    (each) => each.method === method && new RegExp(`^${each.path.replace(/\{\w+\}/g, '[^/]+')}$`).test(path),
  );
  if (operation === undefined) return;
  seen.set(operation.id, (seen.get(operation.id) ?? new Set()).add(answer.status));
  const [status, schema] = operation.gives;
  if (answer.status !== status) expect(problemStatuses(operation)).toContain(answer.status);
  const name = answer.status === status ? schema : 'Problem';
  if (name === undefined) return void expect(answer.body).toBe('');
  const validate = ajv.getSchema(`urn:test:described#/components/schemas/${name}`);
  expect(validate?.(JSON.parse(answer.body)), JSON.stringify(validate?.errors)).toBe(true);
}

const person = (login: string) => ({ login, name: 'Somebody', roles: ['user'] });
const RIVERSIDE = '/admin/organisations/riverside';

describe('who is let in', () => {
  test.each([
    ['no token', undefined, 401, 'not-authenticated'],
    ['a token for something else', { audience: 'https://clinic.example' }, 401, 'not-authenticated'],
    ['a token without the scope', { scopes: new Set(['admin/roles.read']) }, 403, 'insufficient-scope'],
    ['one factor', { acr: ACR.single }, 403, 'second-factor-needed'],
    ['a sign-in of which nothing is said', { acr: undefined }, 403, 'second-factor-needed'],
  ])('%s is refused', async (_why, more, status, name) => {
    const answer = await admin.answer({
      method: 'GET',
      path: `${RIVERSIDE}/accounts`,
      query: new URLSearchParams(),
      headers: {},
      body: Buffer.alloc(0),
      caller: more === undefined ? undefined : caller(anna, more as Partial<AdminCaller>),
      requestId: 'r',
    });
    described('GET', `${RIVERSIDE}/accounts`, answer);
    expect(answer.status).toBe(status);
    expect(JSON.parse(answer.body).type).toBe(`urn:chartgate:problem:${name}`);
    expect(answer.headers['www-authenticate']).toMatch(/^Bearer/);
  });

  test('every operation needs a token, and each its own scope', async () => {
    for (const operation of OPERATIONS) {
      const path = operation.path.replace(/\{\w+\}/g, 'x');
      const without = { method: operation.method, path, query: new URLSearchParams(), headers: {} };
      const rest = { body: Buffer.alloc(0), requestId: 'r' };
      expect((await admin.answer({ ...without, ...rest, caller: undefined })).status).toBe(401);
      const others = new Set<string>(ADMIN_SCOPES.filter((scope) => scope !== operation.scope));
      const answer = await admin.answer({ ...without, ...rest, caller: caller(anna, { scopes: others }) });
      expect([operation.id, answer.status]).toEqual([operation.id, 403]);
      expect(JSON.parse(answer.body).type).toContain('insufficient-scope');
    }
  });

  test('a token outlives no role: who is no administrator now has no say', async () => {
    const asked = await ask('POST', `${RIVERSIDE}/accounts`, { body: person('only-user') });
    await ask('POST', `/admin/requests/${asked.json.request.id}/approve`, { as: boris });
    const user = asked.json.account.id;
    expect((await ask('GET', `${RIVERSIDE}/accounts`, { as: user })).status).toBe(404);
    expect((await ask('GET', '/admin/organisations', { as: user })).status).toBe(404);
    expect((await ask('GET', `/admin/accounts/${user}`, { as: user })).status).toBe(404);
  });
});

describe('accounts', () => {
  test('are asked for by one, approved by another, and each has half of the code', async () => {
    const asked = await ask('POST', `${RIVERSIDE}/accounts`, { body: person('uma') });
    expect(asked).toMatchObject({ status: 202, json: { account: { status: 'pending', behind: [anna] } } });
    expect(asked.json.codes).toMatchObject([{ part: 'first half' }]);
    expect(asked.headers['cache-control']).toBe('no-store');
    const path = `/admin/requests/${asked.json.request.id}`;
    expect((await ask('GET', path)).json).toMatchObject({ state: 'open', action: 'create-account' });
    expect(await ask('POST', `${path}/approve`)).toMatchObject({ status: 403 });
    const open = await ask('GET', `${RIVERSIDE}/requests`, { query: 'state=open' });
    expect(open.json.items.map(({ id }: { id: string }) => id)).toContain(asked.json.request.id);
    const approved = await ask('POST', `${path}/approve`, { as: boris });
    expect(approved).toMatchObject({ status: 200, json: { codes: [{ part: 'second half' }] } });
    expect(await ask('POST', `${path}/approve`, { as: boris })).toMatchObject({ status: 409 });
    const code = `${asked.json.codes[0].text}-${approved.json.codes[0].text}`;
    const set = await world.accounts.passwords.redeem({
      code,
      next: 'quartz ferry umbrella 9',
      source: '192.0.2.1',
    });
    expect(set.ok).toBe(true);
    const details = await ask('GET', `/admin/accounts/${asked.json.account.id}`);
    expect(details.json).toMatchObject({ account: { behind: [anna, boris] }, password: { set: true } });
    expect(details.body).not.toContain('argon2');
  });

  test('are changed only in the version that was looked at', async () => {
    const id = await made('versioned');
    const path = `/admin/accounts/${id}`;
    const { etag = '' } = (await ask('GET', path)).headers;
    const body = { roles: ['user'], patients: ['p-1'], fhirUser: 'Patient/p-1' };
    expect(await ask('PUT', `${path}/grants`, { body })).toMatchObject({ status: 428 });
    for (const wrong of ['*', 'W/"1"', '1', '"x"', `${etag}, "2"`, '"99999999999999999999"']) {
      expect((await ask('PUT', `${path}/grants`, { body, headers: { 'if-match': wrong } })).status).toBe(400);
    }
    const asked = await ask('PUT', `${path}/grants`, { body, headers: { 'if-match': etag } });
    expect(asked.status).toBe(202);
    await ask('POST', `/admin/requests/${asked.json.request.id}/approve`, { as: boris });
    const again = await ask('PUT', `${path}/grants`, { body, headers: { 'if-match': etag } });
    expect(again).toMatchObject({ status: 412 });
    const now = await ask('GET', path);
    expect(now.json.account).toMatchObject({ patients: ['p-1'], fhirUser: 'Patient/p-1' });
    expect(now.headers.etag).not.toBe(etag);
  });

  test('are disabled, enabled by two, reset by two, unlocked, marked and removed', async () => {
    const id = await made('whole-life');
    const path = `/admin/accounts/${id}`;
    const etag = async () => ({ 'if-match': (await ask('GET', path)).headers.etag ?? '' });
    const approve = async (request: { id: string }) =>
      expect((await ask('POST', `/admin/requests/${request.id}/approve`, { as: boris })).status).toBe(200);
    expect((await ask('POST', `${path}/disable`)).status).toBe(428);
    expect((await ask('POST', `${path}/disable`, { headers: await etag() })).json.status).toBe('disabled');
    expect((await ask('POST', `${path}/disable`, { headers: await etag() })).status).toBe(409);
    await approve((await ask('POST', `${path}/enable`)).json.request);
    expect((await ask('GET', path)).json.account.status).toBe('active');
    const reset = await ask('POST', `${path}/reset-password`);
    expect(reset.status).toBe(202);
    await approve(reset.json.request);
    const factors = await ask('POST', `${path}/reset-factors`);
    expect(factors).toMatchObject({ status: 202, json: { request: { action: 'reset-factors' }, codes: [] } });
    expect((await ask('POST', `/admin/accounts/${boris}/reset-factors`, { as: boris })).status).toBe(403);
    await approve(factors.json.request);
    expect((await ask('POST', `${path}/unlock`)).status).toBe(200);
    expect((await ask('POST', `${path}/require-password-change`)).status).toBe(409);
    expect((await ask('POST', `${path}/reset-password`)).json.codes).toHaveLength(1);
    expect((await ask('DELETE', path)).status).toBe(428);
    expect((await ask('DELETE', path, { headers: await etag() })).status).toBe(204);
    expect((await ask('GET', path)).status).toBe(404);
  });

  test('of administrators: the last two stay', async () => {
    const headers = { 'if-match': (await ask('GET', `/admin/accounts/${boris}`)).headers.etag ?? '' };
    const refused = await ask('POST', `/admin/accounts/${boris}/disable`, { headers });
    expect(refused).toMatchObject({
      status: 409,
      json: { type: 'urn:chartgate:problem:last-administrators' },
    });
    expect((await ask('POST', `/admin/accounts/${boris}/require-password-change`)).json.id).toBe(boris);
  });

  test('are paged without gap or repetition', async () => {
    const ids: string[] = [];
    let query = 'limit=2';
    for (;;) {
      const { json } = await ask('GET', `${RIVERSIDE}/accounts`, { query });
      expect(json.items.length).toBeLessThanOrEqual(2);
      ids.push(...json.items.map(({ id }: { id: string }) => id));
      if (json.next === undefined) break;
      query = `limit=2&after=${encodeURIComponent(json.next)}`;
    }
    const all = (await ask('GET', `${RIVERSIDE}/accounts`, { query: 'limit=200' })).json.items;
    expect(ids).toEqual(all.map(({ id }: { id: string }) => id));
    expect(new Set(ids).size).toBe(ids.length);
  });
});

async function made(login: string): Promise<string> {
  const asked = await ask('POST', `${RIVERSIDE}/accounts`, { body: person(login) });
  await ask('POST', `/admin/requests/${asked.json.request.id}/approve`, { as: boris });
  return asked.json.account.id;
}

test('organisations are made by two of the Staff, and seen by the Staff and their own', async () => {
  const body = {
    name: 'lakeside',
    administrators: [
      { login: 'clara', name: 'Clara' },
      { login: 'dirk', name: 'Dirk' },
    ],
  };
  expect((await ask('POST', '/admin/organisations', { body })).status).toBe(404);
  const asked = await ask('POST', '/admin/organisations', { as: sam, body });
  expect(asked).toMatchObject({ status: 202, json: { organisation: 'lakeside' } });
  expect(asked.json.codes).toHaveLength(2);
  expect((await ask('POST', '/admin/organisations', { as: sam, body })).status).toBe(409);
  must(await world.accounts.deciding.approve(HOST, asked.json.request.id));
  const listed = async (as: string) =>
    (await ask('GET', '/admin/organisations', { as })).json.items.map(({ id }: { id: string }) => id);
  expect(await listed(sam)).toEqual(['lakeside', 'riverside', 'staff']);
  expect(await listed(anna)).toEqual(['riverside']);
  const rejected = await ask('POST', '/admin/organisations', {
    as: sam,
    body: {
      ...body,
      name: 'seaside',
      administrators: [
        { login: 'x', name: 'X' },
        { login: 'y', name: 'Y' },
      ],
    },
  });
  const { id } = rejected.json.request;
  expect((await ask('POST', `/admin/requests/${id}/reject`)).status).toBe(404);
  expect((await ask('POST', `/admin/requests/${id}/reject`, { as: sam })).json.request.state).toBe(
    'withdrawn',
  );
});

test('roles are asked for, listed and removed', async () => {
  const path = `${RIVERSIDE}/roles/nurse`;
  const body = { scopes: ['user/Patient.rs'] };
  expect((await ask('PUT', path, { body })).status).toBe(428);
  const asked = await ask('PUT', path, { body, headers: { 'if-none-match': '*' } });
  expect(asked.status).toBe(202);
  await ask('POST', `/admin/requests/${asked.json.request.id}/approve`, { as: boris });
  expect((await ask('PUT', path, { body, headers: { 'if-none-match': '*' } })).status).toBe(412);
  const refused = await ask('PUT', `${RIVERSIDE}/roles/other`, {
    body: { scopes: ['admin/accounts.write'] },
    headers: { 'if-none-match': '*' },
  });
  expect(refused.status).toBe(422);
  const { items } = (await ask('GET', `${RIVERSIDE}/roles`)).json;
  expect(items).toMatchObject([{ name: 'nurse', scopes: ['user/Patient.rs'] }]);
  expect((await ask('DELETE', path)).status).toBe(428);
  expect((await ask('DELETE', path, { headers: { 'if-match': `"${items[0].version}"` } })).status).toBe(204);
  expect((await ask('GET', `${RIVERSIDE}/roles`)).json.items).toEqual([]);
});

test('what happened can be read, by its own administrators', async () => {
  const { json } = await ask('GET', `${RIVERSIDE}/events`, { query: 'limit=200' });
  expect(json.items.length).toBeGreaterThan(10);
  expect((await ask('GET', `${RIVERSIDE}/events`, { as: sam })).status).toBe(404);
});

describe('bad requests', () => {
  const path = `${RIVERSIDE}/accounts`;
  const json = { 'content-type': 'application/json' };
  test.each([
    ['another media type', { raw: Buffer.from('login=x'), headers: { 'content-type': 'text/plain' } }, 415],
    ['no media type', { raw: Buffer.from('{}') }, 415],
    ['no JSON', { raw: Buffer.from('{'), headers: json }, 400],
    ['invalid UTF-8', { raw: Buffer.from([0x22, 0xff, 0x22]), headers: json }, 400],
    ['an empty body', { raw: Buffer.alloc(0), headers: json }, 400],
    ['a list', { body: [] }, 400],
    ['a field that there is not', { body: { ...person('a'), status: 'active' } }, 400],
    [
      'a prototype',
      { raw: Buffer.from('{"__proto__":{},"login":"a","name":"A","roles":["user"]}'), headers: json },
      400,
    ],
    ['a number for a text', { body: { ...person('a'), name: 7 } }, 400],
    ['a role twice', { body: { ...person('a'), roles: ['user', 'user'] } }, 400],
    ['too much', { raw: Buffer.alloc(70_000, 0x20), headers: json }, 413],
    ['a login of control characters', { body: person('a\u0000b') }, 422],
    ['a parameter that there is not', { body: person('a'), query: 'dry=1' }, 400],
  ])('%s', async (_why, asked, status) => {
    const answer = await ask('POST', path, asked as Ask);
    expect(answer.status).toBe(status);
    expect(answer.headers['content-type']).toBe('application/problem+json');
  });

  test.each(['limit=0', 'limit=201', 'limit=x', 'limit=1&limit=2', 'after=', 'after=%00', 'state=open'])(
    'a list with ?%s',
    async (query) => {
      expect((await ask('GET', path, { query })).status).toBe(400);
    },
  );

  test.each([
    ['GET', '/admin', 404],
    ['GET', '/admin/', 404],
    ['GET', '/admin/nothing', 404],
    ['GET', `${path}/`, 404],
    ['GET', '/admin/accounts/..', 404],
    ['GET', '/admin/accounts/%2e%2e', 404],
    ['PATCH', path, 405],
    ['DELETE', path, 405],
    ['POST', '/admin/openapi.json', 405],
  ])('%s %s', async (method, where, status) => {
    expect((await ask(method, where)).status).toBe(status);
  });

  test('no value of the request comes back', async () => {
    const answer = await ask('POST', path, {
      body: { ...person('secret-name'), name: ['secret-name'], x: 1 },
    });
    expect(answer.status).toBe(400);
    expect(answer.body).not.toContain('secret-name');
  });

  test('whatever is sent, the answer is one of the description', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...OPERATIONS),
        fc.stringMatching(/^[\w%.-]{1,70}$/),
        fc.jsonValue(),
        fc.string(),
        async (operation, name, body, header) => {
          const answer = await ask(operation.method, operation.path.replace(/\{\w+\}/g, name), {
            body,
            headers: { 'if-match': header, 'content-type': 'application/json' },
          });
          expect(answer.status).toBeLessThan(500);
        },
      ),
      { numRuns: 300 },
    );
  });
});

describe('faults of ours', () => {
  const broken = (error: unknown) =>
    new Admin({
      issuer: ISSUER,
      accounts: createAccounts({
        settings: QUICK,
        store: new Proxy(world.store, {
          get: () => () => Promise.reject(error),
        }),
      }),
    });

  test('a store that cannot be asked is a 503, anything else a 500, and neither says more', async () => {
    const { ChartgateError } = await import('../../../contracts/errors.ts');
    const down = broken(new ChartgateError('state-unavailable', 'connection to 10.0.0.1 lost'));
    const answers = [
      await ask('GET', `${RIVERSIDE}/accounts`, { on: down }),
      await ask('GET', `${RIVERSIDE}/accounts`, { on: broken(new TypeError('inside')) }),
    ];
    expect(answers.map(({ status }) => status)).toEqual([503, 500]);
    expect(answers.map(({ body }) => body).join()).not.toMatch(/10\.0|inside/);
  });
});

describe('the description', () => {
  test('is served, to everybody', async () => {
    const answer = await ask('GET', '/admin/openapi.json', { as: undefined });
    expect(answer.status).toBe(200);
    expect(answer.json.openapi).toBe('3.1.0');
  });

  test('has every schema that it names, and names every schema that it has', () => {
    const text = JSON.stringify(openApi(ISSUER));
    const named = new Set([...text.matchAll(/"#\/components\/schemas\/(\w+)"/g)].map(([, name]) => name));
    expect([...named].toSorted()).toEqual(Object.keys(SCHEMAS).toSorted());
  });

  test('gives each operation a name of its own', () => {
    expect(new Set(OPERATIONS.map(({ id }) => id)).size).toBe(OPERATIONS.length);
    expect(new Set(OPERATIONS.map(({ method, path }) => `${method} ${path}`)).size).toBe(OPERATIONS.length);
  });

  test('was exercised: every operation succeeded here, and was refused here', () => {
    for (const { id, gives } of OPERATIONS) {
      const statuses = seen.get(id) ?? new Set();
      expect([id, statuses.has(gives[0])]).toEqual([id, true]);
      expect([id, [...statuses].some((status) => status >= 400)]).toEqual([id, true]);
    }
  });
});
