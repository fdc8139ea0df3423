import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Clinic, fhir, observationOf, openClinic, relation, write } from './support.ts';

const TYPES = ['Patient', 'Observation', 'Encounter', 'MedicationRequest', 'DocumentReference'];
let clinic: Clinic;

beforeAll(async () => {
  clinic = await openClinic('legacy-emr-fhir');
});
afterAll(() => clinic?.stop());

describe('reading', () => {
  it.each(TYPES)('gives a %s as FHIR JSON with version and time', async (type) => {
    const found = fhir(await clinic.ask(`/fhir/${type}?_count=1`)).entry?.[0]?.resource;
    const answer = await clinic.ask(`/fhir/${type}/${found?.id}`);
    expect(answer.status).toBe(200);
    expect(answer.headers.get('content-type')).toBe('application/fhir+json; charset=utf-8');
    expect(answer.headers.get('etag')).toBe('W/"1"');
    expect(answer.headers.get('last-modified')).toMatch(/GMT$/);
    const resource = fhir(answer);
    expect(resource.resourceType).toBe(type);
    expect(resource.id).toBe(found?.id);
    expect(resource.meta?.lastUpdated).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
    expect(resource).toEqual(found);
  });

  it('gives a patient of about 1.4 KB', async () => {
    for (const id of [1, 2, 3]) {
      const answer = await clinic.ask(`/fhir/Patient/${id}`);
      expect(Buffer.byteLength(answer.text)).toBeGreaterThan(1300);
      expect(Buffer.byteLength(answer.text)).toBeLessThan(1600);
      expect(fhir(answer).generalPractitioner).toHaveLength(1);
    }
  });

  it('answers 304 to a validator that still holds, and HEAD without a body', async () => {
    const unchanged = await clinic.ask('/fhir/Patient/2', { headers: { 'if-none-match': 'W/"1"' } });
    expect([unchanged.status, unchanged.text]).toEqual([304, '']);
    const head = await clinic.ask('/fhir/Patient/2', { method: 'HEAD' });
    expect([head.status, head.text]).toEqual([200, '']);
    expect(Number(head.headers.get('content-length'))).toBeGreaterThan(1300);
  });

  it('tells what it can do', async () => {
    const answer = await clinic.ask('/fhir/metadata');
    expect(fhir(answer).resourceType).toBe('CapabilityStatement');
    for (const type of TYPES) expect(answer.text).toContain(`"type":"${type}"`);
  });

  it('knows no other types and refuses other methods', async () => {
    expect((await clinic.ask('/fhir/Practitioner/1')).status).toBe(404);
    const patch = await clinic.ask('/fhir/Patient/1', { method: 'PATCH' });
    expect(patch.status).toBe(405);
    expect(patch.headers.get('allow')).toBe('GET, PUT, DELETE');
  });
});

describe('searching', () => {
  it('narrows to a patient, a code and a status', async () => {
    const all = fhir(await clinic.ask('/fhir/Observation?patient=1&_count=200'));
    expect(all.entry?.length).toBe(all.total);
    expect(new Set(all.entry?.map((entry) => entry.resource.subject?.reference))).toEqual(
      new Set(['Patient/1']),
    );
    const code = all.entry?.[0]?.resource.code?.coding[0]?.code;
    const coded = fhir(await clinic.ask(`/fhir/Observation?patient=Patient/1&code=http://loinc.org|${code}`));
    const expected = all.entry?.filter((entry) => entry.resource.code?.coding[0]?.code === code);
    expect(coded.entry).toEqual(expected);
    const everywhere = fhir(await clinic.ask(`/fhir/Observation?code=${code}&_count=0`));
    expect(everywhere.total).toBeGreaterThanOrEqual(coded.total ?? 0);
    expect(fhir(await clinic.ask('/fhir/Observation?patient=1&status=amended')).total).toBe(0);
    const active = fhir(await clinic.ask('/fhir/MedicationRequest?status=active'));
    expect(new Set(active.entry?.map((entry) => entry.resource.status))).toEqual(new Set(['active']));
  });

  it('finds patients by the beginning of a name, and by id', async () => {
    const family = fhir(await clinic.ask('/fhir/Patient/1')).name?.[0]?.family ?? '';
    const found = fhir(await clinic.ask(`/fhir/Patient?name=${family.slice(0, 6)}`));
    expect(found.entry?.some((entry) => entry.resource.id === '1')).toBe(true);
    expect(fhir(await clinic.ask('/fhir/Patient?_id=1')).total).toBe(1);
  });

  it('pages with absolute links to its own inner address', async () => {
    const ids: (string | undefined)[] = [];
    let url: string | undefined = `${clinic.emr.origin}/fhir/Patient?_count=25`;
    let pages = 0;
    while (url !== undefined && pages < 10) {
      expect(url.startsWith(`${clinic.emr.origin}/fhir/Patient?`)).toBe(true);
      const bundle = fhir(await clinic.ask(url.slice(clinic.emr.origin.length), { as: 'dr.quill' }));
      expect(relation(bundle, 'self')).toBe(url);
      expect(bundle.total).toBe(60);
      ids.push(...(bundle.entry ?? []).map((entry) => entry.resource.id));
      for (const entry of bundle.entry ?? []) {
        expect(entry.fullUrl).toBe(`${clinic.emr.origin}/fhir/Patient/${entry.resource.id}`);
      }
      url = relation(bundle, 'next');
      pages += 1;
    }
    expect(pages).toBe(3);
    const hidden = clinic.installed.restricted.filter((chart) => chart.clinician !== 'dr.quill');
    expect(ids).toHaveLength(60 - hidden.length);
  });
});

describe('writing', () => {
  it('creates, reads back, updates with a new version, and deletes', async () => {
    const created = await clinic.ask('/fhir/Observation', write('POST', observationOf(1)));
    expect(created.status).toBe(201);
    const location = created.headers.get('location') ?? '';
    const { id } = fhir(created);
    expect(location).toBe(`${clinic.emr.origin}/fhir/Observation/${id}`);
    const path = location.slice(clinic.emr.origin.length);
    expect(fhir(await clinic.ask(path)).valueQuantity?.value).toBe(71.5);

    const changed = {
      ...observationOf(1),
      id,
      valueQuantity: { value: 80, unit: '/min' },
      status: 'amended',
    };
    const stale = await clinic.ask(path, {
      ...write('PUT', changed),
      headers: { 'if-match': 'W/"9"' },
    });
    expect(stale.status).toBe(412);
    const updated = await clinic.ask(path, write('PUT', changed));
    expect(updated.status).toBe(200);
    expect(updated.headers.get('etag')).toBe('W/"2"');
    expect(fhir(await clinic.ask(path))).toMatchObject({ status: 'amended', valueQuantity: { value: 80 } });

    expect((await clinic.ask(path, { method: 'DELETE' })).status).toBe(204);
    expect((await clinic.ask(path)).status).toBe(404);
    expect((await clinic.ask(path, { method: 'DELETE' })).status).toBe(404);
    expect((await clinic.ask(path, write('PUT', changed))).status).toBe(404);
  });

  it.each([
    ['Encounter', { status: 'planned', class: { code: 'AMB' }, subject: { reference: 'Patient/1' } }],
    [
      'MedicationRequest',
      {
        status: 'active',
        subject: { reference: 'Patient/1' },
        medicationCodeableConcept: { coding: [{ code: 'PL-0001' }] },
        dosageInstruction: [{ text: '1 daily' }],
      },
    ],
    [
      'DocumentReference',
      {
        status: 'current',
        subject: { reference: 'Patient/1' },
        description: 'Note',
        content: [
          { attachment: { contentType: 'text/plain', data: Buffer.from('hello').toString('base64') } },
        ],
      },
    ],
    [
      'Patient',
      { name: [{ family: 'Inventedson', given: ['Nobody'] }], gender: 'other', birthDate: '2001-02-03' },
    ],
  ])('creates and deletes a %s', async (resourceType, resource) => {
    const created = await clinic.ask(`/fhir/${resourceType}`, write('POST', { resourceType, ...resource }));
    expect(created.status).toBe(201);
    const url = fhir(created).content?.[0]?.attachment.url;
    if (url !== undefined) {
      expect(url.startsWith(`${clinic.emr.origin}/documents/`)).toBe(true);
      expect((await clinic.ask(url.slice(clinic.emr.origin.length))).text).toBe('hello');
    }
    const path = `/fhir/${resourceType}/${fhir(created).id}`;
    expect((await clinic.ask(path, { method: 'DELETE' })).status).toBe(204);
  });

  it('deletes a patient with the whole chart', async () => {
    const made = fhir(
      await clinic.ask(
        '/fhir/Patient',
        write('POST', { resourceType: 'Patient', name: [{ family: 'Briefly' }] }),
      ),
    );
    const value = fhir(await clinic.ask('/fhir/Observation', write('POST', observationOf(made.id ?? ''))));
    expect((await clinic.ask(`/fhir/Patient/${made.id}`, { method: 'DELETE' })).status).toBe(204);
    expect((await clinic.ask(`/fhir/Observation/${value.id}`)).status).toBe(404);
  });

  it.each([
    ['what is not JSON', '{"resourceType":', 'Body is not JSON'],
    ['another type', '{"resourceType":"Encounter"}', 'expected Observation'],
    ['no object', '7', 'resourceType is missing'],
  ])('refuses %s', async (_what, body, diagnosis) => {
    const answer = await clinic.ask('/fhir/Observation', { method: 'POST', body });
    expect(answer.status).toBe(400);
    expect(answer.text).toContain(diagnosis);
  });

  it('keeps what is sent as data: quotes and question marks do not become SQL', async () => {
    const nasty = `O'Brien", ? \\' OR 1=1 -- `;
    const created = await clinic.ask(
      '/fhir/Patient',
      write('POST', {
        resourceType: 'Patient',
        name: [{ family: nasty, given: [`x' ; DROP TABLE users; -- `] }],
      }),
    );
    expect(fhir(created).name?.[0]?.family?.trim()).toBe(nasty.trim());
    await clinic.ask(`/fhir/Patient/${fhir(created).id}`, { method: 'DELETE' });
  });
});
