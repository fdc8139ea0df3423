import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { connect } from 'node:tls';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parse, stringify } from 'yaml';
import { give } from '../../examples/demo/isolation.ts';
import { dropAuditTrigger } from '../../examples/demo/tamper.ts';
import { type Ask, ask, type Reply } from '../../examples/support/https-client.ts';
import {
  type Authority,
  createAuthority,
  type IssuedCertificate,
} from '../../examples/support/local-authority.ts';
import { CLINICS, type ClinicName, startTenancy, type TenancyStack } from '../../examples/tenancy/stack.ts';
import { readLedger } from '../support/ledger.ts';
import { until } from '../support/process.ts';

/** Clinics of all three models behind one gateway, with real databases (examples/tenancy). */

const NAMES = (Object.keys(CLINICS) as ClinicName[]).filter((name) => name !== 'lost');

const told = NAMES.filter((name) => CLINICS[name].model !== 'emr-each');

let clinics: TenancyStack;
const tokens = new Map<ClinicName, string>();

beforeAll(async () => {
  clinics = await startTenancy(join(import.meta.dirname, '..', '..', '.work', 'tenancy'));
  for (const name of NAMES) tokens.set(name, await clinics.token(name));
}, 120_000);
afterAll(() => clinics?.stack.stop());

const at = (name: ClinicName, path: string, more: Omit<Ask, 'url' | 'authority'> = {}): Promise<Reply> =>
  ask({
    url: `${clinics.origin(name)}${path}`,
    authority: clinics.stack.authority,
    token: tokens.get(name),
    ...more,
  });
const json = (reply: Reply): unknown => JSON.parse(reply.text);
const body = (content: unknown): Pick<Ask, 'headers' | 'body'> => ({
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify(content),
});
const withoutId = (reply: Reply): string => reply.text.replaceAll(/[0-9A-Z]{26}/g, '');

describe('which clinic is meant', () => {
  test.each(told)('is said by the gateway alone: %s', async (name) => {
    const seen = json(
      await at(name, '/told', {
        headers: { 'X-Clinic': 'elm', x_clinic: 'elm', cookie: 'clinic=cedar; other=1' },
      }),
    ) as { clinic: string; cookie: string | null; protocol: string; url: string };
    expect(seen.clinic).toBe(name);
    expect(seen.cookie).toBe(name === 'fir' ? 'other=1' : 'clinic=cedar; other=1');
    expect(seen.protocol).toBe(CLINICS[name].model === 'database-each' ? '2.0' : '1.1');
  });

  const MEDDLING: readonly (readonly [string, string, Omit<Ask, 'url' | 'authority'>, number])[] = [
    ['in the query', '/charts?clinic=cedar', {}, 400],
    ['in the query, as PHP reads it', '/charts?clinic%5B%5D=cedar', {}, 400],
    ['in the query, in capitals', '/charts?CLINIC=cedar', {}, 400],
    [
      'in a form',
      '/charts',
      {
        method: 'POST',
        headers: { 'content-type': 'application/x-www-form-urlencoded' },
        body: 'note=x&clinic=cedar',
      },
      422,
    ],
  ];
  test.each(MEDDLING)('is not said by a client %s', async (_, path, more, status) => {
    expect((await at('fir', path, more)).status).toBe(status);
  });

  test('shows in no redirect and no cookie', async () => {
    const home = await at('birch', '/');
    expect([home.status, home.headers.location]).toEqual([303, '/charts']);
    expect(home.headers['set-cookie']?.[0]).toMatch(/^MANYLEAF=1; Path=\/; Secure/);
    expect((await at('fir', '/')).headers.location).toBe('/charts');
  });
});

describe('a WebSocket', () => {
  /** What it says first. */
  function greeting(name: ClinicName): Promise<string> {
    const { port, hostname, host } = new URL(clinics.origin(name));
    const { promise, resolve } = Promise.withResolvers<string>();
    const socket = connect({
      host: '127.0.0.1',
      port: Number(port),
      servername: hostname,
      ca: clinics.stack.authority,
    });
    let text = '';
    socket.on('data', (chunk: Buffer) => (text += chunk.toString('latin1')));
    socket.on('error', () => {});
    socket.on('close', () => resolve(text));
    socket.write(
      `GET /feed HTTP/1.1\r\nHost: ${host}\r\nAuthorization: Bearer ${tokens.get(name)}\r\nConnection: Upgrade\r\n` +
        'Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n',
    );
    return promise;
  }

  test.each(told)('is told and verified as any other request: %s', async (name) => {
    expect(await greeting(name)).toMatch(new RegExp(`^HTTP/1\\.1 101 [^]*${name}`));
  });
});

describe('rows of one table', () => {
  test('are those of the clinic alone, whatever the EMR answers', async () => {
    for (const path of ['/charts', '/everyone']) {
      const rows = json(await at('birch', path)) as { clinic: string }[];
      expect(rows.length).toBeGreaterThan(2);
      expect(new Set(rows.map(({ clinic }) => clinic))).toEqual(new Set(['birch']));
    }
    expect(json(await at('fir', '/everyone'))).toMatchObject([{ clinic: 'fir' }]);
    const bundle = json(await at('cedar', '/fhir/Patient')) as { total: number; entry: unknown[] };
    expect([bundle.total, bundle.entry.length]).toEqual([2, 2]);
    expect(JSON.stringify(bundle)).not.toContain('birch');
  });

  test('of another clinic are as if they were not there, to read and to change', async () => {
    expect(json(await at('birch', '/charts/1'))).toMatchObject({ clinic: 'birch', name: 'Ada Acorn' });
    const [others, absent] = [await at('birch', '/charts/2'), await at('birch', '/charts/999999')];
    expect([others.status, withoutId(others)]).toEqual([404, withoutId(absent)]);
    expect(Object.keys(others.headers)).toEqual(Object.keys(absent.headers));

    expect((await at('birch', '/charts/2', { method: 'PUT', ...body({ note: 'meddled' }) })).status).toBe(
      404,
    );
    expect(json(await at('cedar', '/charts/2'))).toMatchObject({ note: 'none' });
    const own = await at('birch', '/charts/1', { method: 'PUT', ...body({ note: 'changed' }) });
    expect([own.status, json(own)]).toMatchObject([200, { note: 'changed' }]);
  });

  test('that the query names are looked at by that query before they are changed', async () => {
    const script = (name: ClinicName, query: string, method = 'GET') =>
      at(name, `/chart.php${query}`, { method });
    // Without the query it lists the clinic's own, which says nothing of what would be deleted.
    expect((json(await script('birch', '')) as unknown[]).length).toBeGreaterThan(2);
    const [others, absent] = [
      await script('birch', '?id=4', 'DELETE'),
      await script('birch', '?id=999999', 'DELETE'),
    ];
    expect([others.status, withoutId(others)]).toEqual([404, withoutId(absent)]);
    expect(json(await script('cedar', '?id=4'))).toMatchObject({ clinic: 'cedar', name: 'Dov Dandelion' });
    expect((await script('birch', '?id=6', 'DELETE')).status).toBe(200);
    expect((await script('birch', '?id=6')).status).toBe(404);
  });

  test('cannot be made for another clinic', async () => {
    const meddled = await at('birch', '/charts', { method: 'POST', ...body({ clinic: 'cedar', note: 'x' }) });
    expect(meddled.status).toBe(422);
    const made = await at('birch', '/charts', { method: 'POST', ...body({ clinic: 'birch', note: 'new' }) });
    expect([made.status, made.headers.location]).toEqual([303, expect.stringMatching(/^\/charts\/\d+$/)]);
    const there = await at('birch', made.headers.location ?? '');
    expect(json(there)).toMatchObject({ clinic: 'birch', note: 'new' });
  });
});

describe('rows of one table, by a form', () => {
  const post = (form: string) =>
    at('birch', '/charts', {
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: form,
    });
  const count = async (name: ClinicName) => (json(await at(name, '/charts')) as unknown[]).length;

  test.each([
    ['name=x&note=x&clinic=cedar', 'the place of the mark'],
    ['name=x&note=x&Clinic=cedar', 'the same, for an EMR that does not regard case'],
    ['name=x&note=x&clinic%5B%5D=cedar', 'the same, as PHP reads it'],
    ['name=x&note=x&clinic=birch&clinic=cedar', 'twice, of which an EMR may take either'],
  ])('%s is refused: %s', async (form) => {
    const before = [await count('birch'), await count('cedar')];
    expect((await post(form)).status).toBe(422);
    expect([await count('birch'), await count('cedar')]).toEqual(before);
  });

  test('what says nothing, or its own clinic, is made', async () => {
    const before = await count('birch');
    for (const form of ['name=x&note=x', 'name=x&note=x&clinic=birch'])
      expect((await post(form)).status).toBe(303);
    expect(await count('birch')).toBe(before + 2);
  });
});

describe('databases of their own', () => {
  test('are told apart by the header alone', async () => {
    for (const [name, schema] of [
      ['dune', 'emr_north'],
      ['elm', 'emr_south'],
      ['heath', 'emr_north'],
      ['ivy', 'emr_south'],
    ] as const)
      expect(json(await at(name, '/charts'))).toMatchObject([{ note: schema }, { note: schema }]);
  });

  test('one whose EMR was not there at the start is told so, and the others have started', async () => {
    const reply = await at('lost', '/everyone', { token: await clinics.token('lost') });
    expect(reply.status).toBe(502);
  });

  test('a token for one clinic opens no other, of whatever model', async () => {
    for (const name of NAMES) {
      for (const other of NAMES.filter((each) => each !== name)) {
        const reply = await at(name, '/charts', { token: tokens.get(other) });
        expect([name, other, reply.status]).toEqual([name, other, 401]);
      }
    }
  });

  test('when one is tampered with, nobody but its own clinics notices', async () => {
    const { stack } = clinics;
    const statuses = async () =>
      Object.fromEntries(
        await Promise.all(NAMES.map(async (name) => [name, (await at(name, '/charts')).status] as const)),
      );
    const of = (north: number, south: number) =>
      Object.fromEntries(NAMES.map((name) => [name, CLINICS[name].database === 'north' ? north : south]));
    const broken = await dropAuditTrigger(stack, stack.tenants.south, 'card');
    try {
      await expect.poll(statuses, { timeout: 15_000 }).toEqual(of(200, 503));
    } finally {
      await broken.restore();
    }
    await expect.poll(statuses, { timeout: 15_000 }).toEqual(of(200, 200));
  });
});

describe('after a change of the settings', () => {
  const inTwoHours = (): string => new Date(Date.now() + 2 * 3_600_000).toISOString().slice(11, 13);
  let north: Authority;
  let south: Authority;

  beforeAll(async () => {
    const { stack } = clinics;
    [north, south] = [await createAuthority('Birch clients'), await createAuthority('Cedar clients')];
    const file = (name: string, text: string): string => {
      writeFileSync(join(stack.layout.gateway, name), text);
      give(join(stack.layout.gateway, name), stack.isolation.gateway);
      return name;
    };
    const more: Partial<Record<ClinicName, object>> = {
      birch: {
        clientCertificates: { authority: file('birch.pem', north.certificatePem), demand: 'optional' },
      },
      cedar: {
        clientCertificates: { authority: file('cedar.pem', south.certificatePem), demand: 'required' },
      },
      heath: { open: [{ zone: 'Etc/UTC', from: `${inTwoHours()}:00`, to: `${inTwoHours()}:01` }] },
      ivy: { maintenance: { message: 'Back <soon> & well.', retryAfter: '30m' } },
      elm: { paused: true },
      dune: {
        maintenance: { message: 'x', page: file('m.html', '<!doctype html><p style="color:red">Soon</p>') },
      },
    };
    const path = join(stack.layout.gateway, 'gateway.yaml');
    const settings = parse(readFileSync(path, 'utf8')) as { tenants: { id: ClinicName }[] };
    const tenants = settings.tenants.map((tenant) => ({ ...tenant, ...more[tenant.id] }));
    writeFileSync(path, stringify({ ...settings, tenants }));
    const log = () => readFileSync(join(stack.layout.logs, 'gateway.log'), 'utf8');
    stack.gateway.signal('SIGHUP');
    await until('reloaded', () => log().includes('"reloaded"'), 20_000);
  }, 40_000);

  const html = { accept: 'text/html' };

  test('a clinic that is closed says when it opens, to a program and to a browser', async () => {
    const reply = await at('heath', '/charts');
    const seconds = Number(reply.headers['retry-after']);
    expect([reply.status, seconds > 3600, seconds <= 7200]).toEqual([503, true, true]);
    expect(json(reply)).toMatchObject({
      resourceType: 'OperationOutcome',
      issue: [{ code: 'transient', diagnostics: expect.stringContaining(`${inTwoHours()}:00 (Etc/UTC)`) }],
    });
    const page = await at('heath', '/charts', { headers: html, token: undefined });
    expect([page.status, page.headers['content-type']]).toEqual([503, 'text/html; charset=utf-8']);
    expect(page.text).toContain('<h1>Closed now</h1>');
  });

  test('one that is being maintained says so, in words or by a page of its own that loads nothing', async () => {
    const reply = await at('ivy', '/charts', { headers: html });
    expect([reply.status, reply.headers['retry-after']]).toEqual([503, '1800']);
    expect(reply.text).toContain('Back &#60;soon&#62; &#38; well.');
    const page = await at('dune', '/charts', { headers: html });
    expect([page.status, page.headers['retry-after'], page.text]).toEqual([
      503,
      '600',
      '<!doctype html><p style="color:red">Soon</p>',
    ]);
    expect(page.headers['content-security-policy']).toContain("default-src 'none'");
    expect(json(await at('dune', '/charts'))).toMatchObject({ issue: [{ diagnostics: 'x' }] });
  });

  test('one that is paused answers nothing else, and the others go on', async () => {
    expect((await at('elm', '/charts')).status).toBe(503);
    expect((await at('fir', '/charts')).status).toBe(200);
  });

  test('a certificate of another clinic’s authority is refused wherever it is shown', async () => {
    const of = (authority: Authority) => authority.issue({ commonName: 'lab', hosts: [], client: true });
    const [birch, cedar] = [await of(north), await of(south)];
    const stranger = await of(await createAuthority('Nobody'));
    const seen = async (name: ClinicName, certificate: IssuedCertificate | undefined) =>
      (await at(name, '/charts', { certificate })).status;
    expect(await seen('birch', birch)).toBe(200);
    expect(await seen('birch', undefined)).toBe(200);
    // It counts for nothing, and nothing was wanted.
    expect(await seen('birch', stranger)).toBe(200);
    const refused = await at('birch', '/charts', { certificate: cedar });
    expect(refused.status).toBe(403);
    expect(await seen('cedar', cedar)).toBe(200);
    expect(await seen('cedar', birch)).toBe(403);
    expect(await seen('cedar', undefined)).toBe(403);
    // A clinic that asks for none.
    expect(await seen('fir', cedar)).toBe(403);
    const { requests } = await readLedger(clinics.stack.layout.activity);
    const account = requests.get(String(refused.headers['x-request-id']) as never);
    expect(account?.outcomes[0]).toMatchObject({ reason: 'tenant-signs-disagree', tenant: 'birch' });
  });
});
