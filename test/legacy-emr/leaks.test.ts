import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Clinic, diagnostics, fhir, observationOf, openClinic, write } from './support.ts';

/** What the gateway must make harmless is promised here: the example is worth nothing if it does not leak. */
let clinic: Clinic;
let closed: { readonly id: number; readonly clinician: string };
let other: string;

beforeAll(async () => {
  clinic = await openClinic('legacy-emr-leaks');
  const [first] = clinic.installed.restricted;
  if (first === undefined) throw new Error('no restricted chart');
  closed = first;
  other = closed.clinician === 'dr.quill' ? 'dr.moss' : 'dr.quill';
});
afterAll(() => clinic?.stop());

describe('existence', () => {
  it('is told by 403 for what exists and 404 for what does not, both naming the id', async () => {
    const forbidden = await clinic.ask(`/fhir/Patient/${closed.id}`, { as: other });
    expect(forbidden.status).toBe(403);
    expect(diagnostics(forbidden)).toBe(
      `User ${other} may not open Patient/${closed.id}: restricted to ${closed.clinician}`,
    );
    const absent = await clinic.ask('/fhir/Patient/4711', { as: other });
    expect(absent.status).toBe(404);
    expect(diagnostics(absent)).toBe('Patient/4711 is not known');
  });

  it.each(['Observation', 'Encounter', 'MedicationRequest', 'DocumentReference'])(
    'holds for %s of a restricted chart too',
    async (type) => {
      const path = `/fhir/${type}?patient=${closed.id}`;
      expect((await clinic.ask(path, { as: other })).status).toBe(403);
      expect((await clinic.ask(path)).status).toBe(403);
      const mine = fhir(await clinic.ask(path, { as: closed.clinician }));
      for (const { resource } of mine.entry ?? []) {
        expect((await clinic.ask(`/fhir/${type}/${resource.id}`, { as: closed.clinician })).status).toBe(200);
        expect((await clinic.ask(`/fhir/${type}/${resource.id}`, { as: other })).status).toBe(403);
        const removed = await clinic.ask(`/fhir/${type}/${resource.id}`, { as: other, method: 'DELETE' });
        expect(removed.status).toBe(403);
      }
    },
  );

  it('is told when writing: 403 into a restricted chart', async () => {
    const made = await clinic.ask('/fhir/Observation', {
      ...write('POST', observationOf(closed.id)),
      as: other,
    });
    expect(made.status).toBe(403);
    const moved = await clinic.ask('/fhir/Observation/1', {
      ...write('PUT', observationOf(closed.id)),
      as: other,
    });
    expect(moved.status).toBe(403);
  });

  it('is told by totals that count what is left out', async () => {
    const bundle = fhir(await clinic.ask('/fhir/Patient?_count=200', { as: 'nobody' }));
    expect(bundle.total).toBe(60);
    expect(bundle.entry).toHaveLength(60 - clinic.installed.restricted.length);
  });

  it('is told by a 409 that names the patient who has the record number', async () => {
    const mrn = fhir(await clinic.ask(`/fhir/Patient/${closed.id}`, { as: closed.clinician })).identifier?.[0]
      ?.value;
    const duplicate = await clinic.ask(
      '/fhir/Patient',
      write('POST', { resourceType: 'Patient', identifier: [{ value: mrn }], name: [{ family: 'Curious' }] }),
    );
    expect(duplicate.status).toBe(409);
    expect(diagnostics(duplicate)).toMatch(
      new RegExp(
        `^Duplicate: record number ${mrn} already belongs to Patient/${closed.id} \\(\\w+ \\w+, born `,
      ),
    );
    const taken = await clinic.ask(
      '/fhir/Patient/1',
      write('PUT', { resourceType: 'Patient', identifier: [{ value: mrn }] }),
    );
    expect(taken.status).toBe(409);
  });
});

describe('identity', () => {
  it('is whatever X-Forwarded-User says', async () => {
    expect((await clinic.ask(`/fhir/Patient/${closed.id}`)).status).toBe(403);
    expect((await clinic.ask(`/fhir/Patient/${closed.id}`, { as: closed.clinician })).status).toBe(200);
    expect((await clinic.ask('/patients', { as: 'somebody who has no account' })).text).toContain(
      'Signed in as <b>somebody who has no account</b>',
    );
  });

  it('is believed in the underscore spelling as well, as CGI programs do', async () => {
    const headers = { x_forwarded_user: closed.clinician };
    expect((await clinic.ask(`/fhir/Patient/${closed.id}`, { headers })).status).toBe(200);
  });
});

describe('internals', () => {
  it('are named in every answer: product, versions, database', async () => {
    const { headers } = await clinic.ask('/fhir/Patient/1');
    expect(headers.get('server')).toMatch(/^Paperleaf\/3\.2\.1/);
    expect(headers.get('x-powered-by')).toMatch(/^Paperleaf\/3\.2\.1 on \d+\.\d+\.\d+-MariaDB/);
  });

  it('come out in a 500 with SQL text and stack trace when a quote breaks a search', async () => {
    const answer = await clinic.ask("/fhir/Observation?code='");
    expect(answer.status).toBe(500);
    expect(diagnostics(answer)).toContain('ER_PARSE_ERROR (1064)');
    expect(diagnostics(answer)).toContain(
      "SQL: SELECT COUNT(*) total FROM observations t WHERE t.code = '''",
    );
    expect(diagnostics(answer)).toMatch(/\n {4}at .*interface\.ts:\d+/);
  });

  it('can be injected: a condition of the asker becomes part of the SQL', async () => {
    const everything = fhir(await clinic.ask('/fhir/Observation?_count=0')).total;
    const injected = await clinic.ask(
      `/fhir/Observation?_count=0&code=${encodeURIComponent("x' OR '1'='1")}`,
    );
    expect(fhir(injected).total).toBe(everything);
    const probed = await clinic.ask(
      `/fhir/Observation?code=${encodeURIComponent("x' OR EXTRACTVALUE(1, CONCAT(0x7e, (SELECT username FROM users WHERE id = 1))) -- ")}`,
    );
    expect(probed.text).toContain('~dr.quill');
  });

  it('cannot be injected where the search names a patient', async () => {
    const within = await clinic.ask(`/fhir/Observation?patient=1&code=${encodeURIComponent("x' OR '1'='1")}`);
    expect(fhir(within).total).toBe(0);
  });

  it('come out in a 500 when a reference does not exist', async () => {
    const answer = await clinic.ask('/fhir/Observation', write('POST', observationOf(4711)));
    expect(answer.status).toBe(500);
    expect(diagnostics(answer)).toContain('FOREIGN KEY (`patient_id`)');
    expect(diagnostics(answer)).toContain('INSERT INTO observations');
  });

  it('come out as HTML where a page fails', async () => {
    const answer = await clinic.ask('/patients/%E0%A4%A');
    expect(answer.status).toBe(500);
    expect(answer.headers.get('content-type')).toBe('text/html; charset=utf-8');
    expect(answer.text).toContain('URIError: URI malformed');
    expect(answer.text).toMatch(/application\.ts:\d+/);
  });

  it('come out as HTML with the SQL where a page query fails', async () => {
    const administrator = await clinic.mariadb.connect({ database: 'emr_a' });
    await administrator.query('RENAME TABLE allergies TO allergies_away');
    const answer = await clinic.ask('/patients/1', { as: 'dr.quill' });
    await administrator.query('RENAME TABLE allergies_away TO allergies');
    await administrator.end();
    expect(answer.status).toBe(500);
    expect(answer.text).toContain('SQL: SELECT * FROM allergies WHERE patient_id = 1');
    expect((await clinic.ask('/patients/1', { as: 'dr.quill' })).status).toBe(200);
  });
});
