import { writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type LaunchedFhirServer, launchFhirServer } from '../../examples/fhir-server/launch.ts';

/** The server that believes everybody has to be a real one, or what is proved in front of it means nothing. */

const patient = (id: string, family: string) => ({
  resourceType: 'Patient',
  id,
  name: [{ family }],
  birthDate: '1950-05-05',
});
const observation = (id: string, of: string, code: string, more: object = {}) => ({
  resourceType: 'Observation',
  id,
  status: 'final',
  code: { coding: [{ system: 'http://loinc.org', code }] },
  subject: { reference: `Patient/${of}` },
  effectiveDateTime: '2026-03-01',
  ...more,
});
const RESOURCES = [
  patient('p1', 'Adams'),
  patient('p2', 'Brown'),
  observation('o1', 'p1', '1-1'),
  observation('o2', 'p1', '2-2', {
    derivedFrom: [{ reference: 'Observation/o3' }],
    effectiveDateTime: '2026-04-01',
  }),
  observation('o3', 'p2', '1-1'),
  {
    resourceType: 'List',
    id: 'l1',
    status: 'current',
    mode: 'working',
    entry: [{ item: { reference: 'Observation/o3' } }],
  },
];

let server: LaunchedFhirServer;
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'fhir-server-'));
  const load = join(folder, 'resources.ndjson');
  writeFileSync(load, RESOURCES.map((resource) => JSON.stringify(resource)).join('\n'));
  server = await launchFhirServer({
    name: 'fhir',
    logFile: join(folder, 'log'),
    load,
    database: join(folder, 'fhir.sqlite'),
  });
});

afterAll(async () => {
  await server?.stop();
  await rm(folder, { recursive: true, force: true });
});

interface Answered {
  readonly status: number;
  readonly headers: Headers;
  // biome-ignore lint/suspicious/noExplicitAny: whatever the server says
  readonly body: any;
}

async function call(
  method: string,
  path: string,
  body?: unknown,
  headers: Record<string, string> = {},
): Promise<Answered> {
  const reply = await fetch(`${server.origin}/fhir${path}`, {
    method,
    headers: { ...(body === undefined ? {} : { 'content-type': 'application/fhir+json' }), ...headers },
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
  const text = await reply.text();
  return { status: reply.status, headers: reply.headers, body: text === '' ? undefined : JSON.parse(text) };
}

/** `Type/id` of the entries, in order. */
async function found(path: string): Promise<string[]> {
  const { body } = await call('GET', path);
  return (body.entry ?? []).map(
    (entry: { resource: { resourceType: string; id: string } }) =>
      `${entry.resource.resourceType}/${entry.resource.id}`,
  );
}

describe('search', () => {
  const QUERIES: readonly (readonly [query: string, expected: readonly string[], what: string])[] = [
    ['/Observation?patient=p1', ['Observation/o1', 'Observation/o2'], 'a reference'],
    ['/Observation?subject=Patient/p2', ['Observation/o3'], 'a typed one'],
    ['/Observation?code=1-1', ['Observation/o1', 'Observation/o3'], 'a code'],
    ['/Observation?code=http://loinc.org|2-2', ['Observation/o2'], 'a code of a system'],
    ['/Observation?date=gt2026-03-15', ['Observation/o2'], 'a date'],
    ['/Patient?family=brow', ['Patient/p2'], 'the beginning of a text'],
    ['/Observation?subject:Patient.family=Adams&code=1-1', ['Observation/o1'], 'a chain'],
    ['/Patient?_has:Observation:patient:code=2-2', ['Patient/p1'], 'a reverse chain'],
    ['/Observation?_id=o1&_include=Observation:subject', ['Observation/o1', 'Patient/p1'], 'an include'],
    [
      '/Observation?_id=o2&_include=Observation:derived-from&_include:iterate=Observation:subject',
      ['Observation/o2', 'Observation/o3', 'Patient/p1', 'Patient/p2'],
      'includes of includes',
    ],
    [
      '/Patient?_id=p2&_revinclude=Observation:subject',
      ['Patient/p2', 'Observation/o3'],
      'a reverse include',
    ],
    ['/Observation?_list=l1', ['Observation/o3'], 'a list'],
    ['/Observation?_filter=code eq 2-2', ['Observation/o2'], 'a filter'],
    ['/Observation?_sort=-date&_count=1', ['Observation/o2'], 'the newest'],
    ['/Patient/p1/Observation?code=1-1', ['Observation/o1'], 'a compartment'],
  ];
  it.each(QUERIES)('%s finds %j: %s', async (query, expected) => {
    expect((await found(query)).sort()).toEqual([...expected].sort());
  });

  it('by form, in pages, and counted', async () => {
    const form = await call('POST', '/Observation/_search', 'patient=p2', {
      'content-type': 'application/x-www-form-urlencoded',
    });
    expect(form.body.total).toBe(1);
    const first = await call('GET', '/Observation?_count=2');
    expect(first.body.total).toBe(3);
    const next = first.body.link.find((link: { relation: string }) => link.relation === 'next').url as string;
    expect(await found(next.slice(next.indexOf('/fhir') + 5))).toEqual(['Observation/o3']);
    expect((await call('GET', '/Observation?_summary=count')).body).toMatchObject({ total: 3 });
  });
});

describe('changes', () => {
  it('create, read, update, history, vread, delete', async () => {
    const created = await call('POST', '/Patient', patient('ignored', 'New'));
    expect(created.status).toBe(201);
    const { id } = created.body;
    expect(created.headers.get('location')).toMatch(new RegExp(`/fhir/Patient/${id}/_history/1$`));
    const updated = await call('PUT', `/Patient/${id}`, patient(id, 'Newer'), { 'if-match': 'W/"1"' });
    expect(updated.status).toBe(200);
    expect((await call('PUT', `/Patient/${id}`, patient(id, 'Late'), { 'if-match': 'W/"1"' })).status).toBe(
      412,
    );
    const patched = await call('PATCH', `/Patient/${id}`, [
      { op: 'replace', path: '/name/0/family', value: 'Patched' },
    ]);
    expect(patched.body.name[0].family).toBe('Patched');
    expect((await call('GET', `/Patient/${id}/_history`)).body.total).toBe(3);
    expect((await call('GET', `/Patient/${id}/_history/1`)).body.name[0].family).toBe('New');
    expect((await call('DELETE', `/Patient/${id}`)).status).toBe(204);
    expect((await call('GET', `/Patient/${id}`)).status).toBe(410);
  });

  it('under a condition', async () => {
    const twice = await call('POST', '/Patient', patient('x', 'Adams'), { 'if-none-exist': 'family=Adams' });
    expect([twice.status, twice.body.id]).toEqual([200, 'p1']);
    expect((await call('PUT', '/Patient?family=Brown', patient('p2', 'Brown'))).body.id).toBe('p2');
    expect(
      (await call('POST', '/Patient', patient('x', 'X'), { 'if-none-exist': 'birthdate=1950' })).status,
    ).toBe(412);
  });

  it('a transaction is all or nothing, a batch is not', async () => {
    const entries = [
      {
        fullUrl: 'urn:uuid:1',
        resource: patient('x', 'Together'),
        request: { method: 'POST', url: 'Patient' },
      },
      {
        resource: observation('x', 'x', '9-9', { subject: { reference: 'urn:uuid:1' } }),
        request: { method: 'POST', url: 'Observation' },
      },
    ];
    const failing = [...entries, { request: { method: 'GET', url: 'Patient/nobody' } }];
    expect(
      (await call('POST', '', { resourceType: 'Bundle', type: 'transaction', entry: failing })).status,
    ).toBe(404);
    expect(await found('/Patient?family=Together')).toEqual([]);
    expect(
      (await call('POST', '', { resourceType: 'Bundle', type: 'transaction', entry: entries })).status,
    ).toBe(200);
    expect(await found('/Observation?subject.family=Together')).toHaveLength(1);
    const batch = await call('POST', '', { resourceType: 'Bundle', type: 'batch', entry: failing.slice(2) });
    expect(batch.body.entry[0].response.status).toBe('404');
  });
});

it('everything of a patient is what refers to it, and what that refers to', async () => {
  const all = await found('/Patient/p1/$everything');
  expect(all).toEqual(
    expect.arrayContaining(['Patient/p1', 'Observation/o1', 'Observation/o2', 'Observation/o3']),
  );
});
