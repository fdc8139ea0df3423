import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Ask, ask, type Reply } from '../../examples/support/https-client.ts';
import { type CrawlClinic, openClinic } from '../../measure/policies/crawl/clinic.ts';
import type { Subject } from '../../measure/policies/crawl/records.ts';

/** The pack for FHIR R4 as a whole policy, in front of a real FHIR server that believes everybody. */

const EXAMPLES = fileURLToPath(new URL('../../../shared/data/fhir/r4-examples.ndjson', import.meta.url));
const POLICY = { extends: [{ pack: 'fhir-r4', version: '4.0.1' }] };

let clinic: CrawlClinic;
let ada: Subject;
let bea: Subject;
let token: string;
let staff: string;

beforeAll(async () => {
  clinic = await openClinic(() => POLICY, EXAMPLES, 'fhir-pack');
  [ada, bea] = clinic.records.subjects as [Subject, Subject];
  token = await clinic.token(ada);
  staff = await clinic.staffToken('north');
}, 180_000);

afterAll(() => clinic?.stop());

const north = (path: string, more: Omit<Ask, 'url' | 'authority'> = {}): Promise<Reply> =>
  ask({
    url: `${clinic.stack.tenants.north.origin}/fhir${path}`,
    authority: clinic.stack.authority,
    token,
    ...more,
  });
const send = (method: string, path: string, body: unknown, type = 'application/fhir+json'): Promise<Reply> =>
  north(path, {
    method,
    headers: { 'content-type': type },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });

/** The id of somebody's resource of a type. */
function idOf(subject: Subject, type: string): string {
  const key = clinic.records.owned.get(subject)?.find((each) => each.startsWith(`${type}/`));
  if (key === undefined) throw new Error(`${subject.patient} has no ${type}`);
  return key;
}
const note = (subject: Subject, more: object = {}): object => ({
  resourceType: 'Observation',
  status: 'final',
  code: { text: 'weight' },
  subject: { reference: `Patient/${subject.patient}` },
  ...more,
});
const entries = (
  reply: Reply,
): readonly { resource?: { resourceType: string; id: string }; response?: { status: string } }[] =>
  (JSON.parse(reply.text) as { entry?: [] }).entry ?? [];

describe("a patient's app", () => {
  it('reads its own record, and nothing of another', async () => {
    const own = await north(`/${idOf(ada, 'Observation')}`);
    expect([own.status, own.text.includes(ada.marker)]).toEqual([200, true]);
    const other = await north(`/${idOf(bea, 'Observation')}`);
    const absent = await north('/Observation/absent');
    expect([other.status, other.text.includes(bea.marker)]).toEqual([404, false]);
    expect(other.text.replaceAll(/[0-9A-Z]{26}/g, '')).toBe(absent.text.replaceAll(/[0-9A-Z]{26}/g, ''));
    expect((await north(`/Patient/${bea.patient}`)).status).toBe(404);
  });

  it('finds its own by every way to search', async () => {
    const asked = await Promise.all([
      north('/Observation?_include=Observation:subject&_count=500'),
      north(`/Patient/${ada.patient}/Observation`),
      north('/Patient?_revinclude=Observation:subject'),
      north(`/Patient/${ada.patient}/$everything`),
      send('POST', '/Observation/_search', `patient=${ada.patient}`, 'application/x-www-form-urlencoded'),
    ]);
    for (const reply of asked) {
      expect([reply.status, reply.text.includes(ada.marker), reply.text.includes(bea.marker)]).toEqual([
        200,
        true,
        false,
      ]);
    }
    const patients = entries(await north('/Patient'));
    expect(patients.map(({ resource }) => resource?.id)).toEqual([ada.patient]);
  });

  it('cannot search for another, nor by what is not understood', async () => {
    for (const query of [`patient=${bea.patient}`, `subject=Patient/${bea.patient}`]) {
      expect([query, (await north(`/Observation?${query}`)).status]).toEqual([query, 422]);
    }
    for (const query of [
      '_has:Condition:encounter:code=1',
      'performer:Practitioner.name=x',
      '_filter=x',
      'nothing=1',
    ]) {
      expect([query, (await north(`/Observation?${encodeURI(query)}`)).status]).toEqual([query, 403]);
    }
  });

  it('creates in its own record alone', async () => {
    expect((await send('POST', '/Observation', note(ada))).status).toBe(201);
    expect((await send('POST', '/Observation', note(bea))).status).toBe(422);
  });

  it('changes and deletes nothing of another’s, whatever it says', async () => {
    const key = idOf(bea, 'Observation');
    const before = await clinic.direct('north', key);
    const id = key.split('/')[1] ?? '';
    expect((await send('PUT', `/${key}`, note(ada, { id }))).status).toBe(404);
    const patch = [{ op: 'replace', path: '/status', value: 'amended' }];
    expect((await send('PATCH', `/${key}`, patch, 'application/json-patch+json')).status).toBe(404);
    expect((await north(`/${key}`, { method: 'DELETE' })).status).toBe(404);
    expect(await clinic.direct('north', key)).toBe(before);
  });

  it('changes its own, and cannot move it away', async () => {
    const made = await send('POST', '/Observation', note(ada));
    const key = /Observation\/[^/]+/.exec(made.headers.location ?? '')?.[0] ?? '';
    const id = key.split('/')[1] ?? '';
    expect((await send('PUT', `/${key}`, note(ada, { id, status: 'amended' }))).status).toBe(200);
    expect((await send('PUT', `/${key}`, note(bea, { id }))).status).toBe(404);
    const patch = (path: string, value: unknown) =>
      send('PATCH', `/${key}`, [{ op: 'replace', path, value }], 'application/json-patch+json');
    expect((await patch('/status', 'corrected')).status).toBe(200);
    expect((await patch('/subject/reference', `Patient/${bea.patient}`)).status).toBe(403);
    expect(JSON.parse(await clinic.direct('north', key))).toMatchObject({
      status: 'corrected',
      subject: { reference: `Patient/${ada.patient}` },
    });
    expect((await north(`/${key}`, { method: 'DELETE' })).status).toBeLessThan(300);
    expect((await north(`/${key}`)).status).toBe(404);
  });

  it('has each entry of a batch decided by itself', async () => {
    const request = (method: string, url: string, resource?: object) => ({
      request: { method, url },
      ...(resource === undefined ? {} : { resource }),
    });
    const batch = (...entry: object[]) => send('POST', '', { resourceType: 'Bundle', type: 'batch', entry });
    const mixed = await batch(
      request('GET', `Patient/${ada.patient}`),
      request('GET', idOf(bea, 'Observation')),
      request('GET', 'Observation?_count=3'),
      request('POST', 'Observation', note(ada)),
    );
    expect(mixed.status).toBe(200);
    expect(mixed.text.includes(bea.marker)).toBe(false);
    expect(entries(mixed).map(({ response }) => response?.status.slice(0, 3))).toEqual([
      '200',
      '404',
      '200',
      '201',
    ]);
    expect((await batch(request('GET', `Patient/${bea.patient}`))).status).toBe(422);
    expect((await batch(request('POST', 'Observation', note(bea)))).status).toBe(422);
    expect((await batch(request('DELETE', idOf(ada, 'Observation')))).status).toBe(403);
  });

  it('is told by the capability statement what the pack permits and where to authorise', async () => {
    const statement = JSON.parse((await north('/metadata', { token: undefined })).text) as {
      rest: [
        { security: { extension: [{ extension: readonly { url: string }[] }] }; resource: readonly object[] },
      ];
    };
    expect(statement.rest[0].resource.length).toBeGreaterThan(0);
    expect(statement.rest[0].security.extension[0].extension.map(({ url }) => url)).toContain('token');
  });
});

describe('a user scope', () => {
  it('reaches everything, as the EMR gives it', async () => {
    const reply = await north(`/${idOf(bea, 'Observation')}`, { token: staff });
    expect([reply.status, reply.text.includes(bea.marker)]).toEqual([200, true]);
    expect((await north(`/Observation?patient=${bea.patient}`, { token: staff })).text).toContain(bea.marker);
  });
});
