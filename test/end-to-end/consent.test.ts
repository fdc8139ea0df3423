import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Reply } from '../../examples/support/https-client.ts';
import { type ConsentClinic, startConsentClinic } from '../../measure/policies/consent/clinic.ts';

const run = promisify(execFile);
const root = join(import.meta.dirname, '..', '..');
const DAY = 86_400_000;
const later = (days: number) => new Date(Date.now() + days * DAY).toISOString();
const south = { kind: 'organisation', tenant: 'south' };
const asked = (change: object = {}) => ({
  patient: 'p1',
  grantee: south,
  resourceTypes: ['Patient', 'Observation'],
  actions: ['read'],
  until: later(10),
  ...change,
});

let clinic: ConsentClinic;
const tokens: Record<string, string> = {};
beforeAll(async () => {
  clinic = await startConsentClinic('e2e-consent');
  for (const client of [
    'own-app',
    'greedy-app',
    'family-app',
    'staff',
    'nurse',
    'officer',
    'doctor',
    'doctor-2',
    'their-patient',
  ])
    tokens[client] = await clinic.token(client);
});
afterAll(() => clinic?.stop());

const get = (client: string | undefined, path: string) =>
  clinic.at(path, client === undefined ? undefined : tokens[client]);
const post = (client: string, path: string, body: unknown, type?: string) =>
  clinic.post(path, tokens[client], body, type);
const json = (reply: Reply) => JSON.parse(reply.text);

async function grant(client: string, change: object = {}): Promise<string> {
  const reply = await post(client, '/.chartgate/consents', asked(change));
  if (reply.status !== 201) throw new Error(`${reply.status} ${reply.text}`);
  return json(reply).id;
}

/** What several connections, which the kernel spreads over both workers, are answered. */
async function statuses(client: string, path: string): Promise<readonly number[]> {
  const replies = await Promise.all(Array.from({ length: 6 }, () => get(client, path)));
  return [...new Set(replies.map(({ status }) => status))];
}

async function settled(client: string, path: string, status: number): Promise<number> {
  const begun = performance.now();
  await expect.poll(() => statuses(client, path), { interval: 10, timeout: 5000 }).toEqual([status]);
  return performance.now() - begun;
}

describe('people of a partner', () => {
  test('get nothing without consent, as if it were not there', async () => {
    for (const path of ['/fhir/Patient/p1', '/fhir/Observation/lab-p1']) {
      const [mine, absent] = [await get('doctor', path), await get('doctor', path.replace('p1', 'nobody'))];
      expect([mine.status, absent.status]).toEqual([404, 404]);
      expect(mine.text.replace(/[0-9A-Z]{26}/, '')).toBe(absent.text.replace(/[0-9A-Z]{26}/, ''));
    }
    const found = await get('doctor', '/fhir/Observation?patient=p1');
    expect(found.text).not.toContain('MARK');
  });

  test('get nothing of a route that is not shared, and are told so', async () => {
    expect(await get('doctor', '/fhir/Encounter/encounter-p1')).toMatchObject({ status: 403 });
    expect(await get('staff', '/fhir/Encounter/encounter-p1')).toMatchObject({ status: 200 });
  });

  test('cannot come as a patient, whose id is another’s here', async () => {
    expect(await get('their-patient', '/fhir/Patient/p1')).toMatchObject({ status: 401 });
  });

  test('have no say in consents and no emergency access, whatever their scopes', async () => {
    for (const path of ['/.chartgate/consents?patient=p1', '/.chartgate/fhir/Consent?patient=p1'])
      expect(await get('doctor', path)).toMatchObject({ status: 403 });
    expect(await post('doctor', '/.chartgate/consents', asked())).toMatchObject({ status: 403 });
    const reason = { reason: 'unconscious, needs help now' };
    expect(await post('doctor', '/.chartgate/emergency', reason)).toMatchObject({ status: 403 });
  });

  test('get what the patient shares, on both workers, until it is withdrawn', async () => {
    const id = await grant('own-app');
    await settled('doctor', '/fhir/Patient/p1', 200);
    expect((await get('doctor', '/fhir/Patient/p1')).text).toContain('MARK-p1');
    expect((await get('doctor', '/fhir/Observation/lab-p1')).text).toContain('MARK-p1');
    const found = await get('doctor', '/fhir/Observation?patient=p1');
    expect(found.status).toBe(200);
    expect(json(found).entry).toHaveLength(2);
    for (const path of [
      '/fhir/Condition/condition-p1',
      '/fhir/Observation/lab-p2',
      '/fhir/Patient/p2',
      '/fhir/Patient/p3',
    ])
      expect(await get('doctor', path)).toMatchObject({ status: 404 });
    for (const path of ['/fhir/Observation', '/fhir/Observation?patient=p2', '/fhir/Condition?patient=p1'])
      expect((await get('doctor', path)).text).not.toContain('MARK');

    const withdrawn = await post('own-app', `/.chartgate/consents/${id}/withdraw`, '');
    expect(json(withdrawn)).toMatchObject({ state: 'withdrawn', withdrawn: { basis: 'patient' } });
    expect(await settled('doctor', '/fhir/Patient/p1', 404)).toBeLessThan(1000);
    expect(await get('doctor', '/fhir/Observation/lab-p1')).toMatchObject({ status: 404 });
    expect((await get('doctor', '/fhir/Observation?patient=p1')).text).not.toContain('MARK');
  });

  test('get only the categories that are shared, whatever they search for', async () => {
    const id = await grant('own-app', { resourceTypes: ['Observation'], categories: ['laboratory'] });
    await settled('doctor', '/fhir/Observation/lab-p1', 200);
    expect(await get('doctor', '/fhir/Observation/pulse-p1')).toMatchObject({ status: 404 });
    const found = await get('doctor', '/fhir/Observation?patient=p1');
    expect(found.text).toContain('glucose');
    expect(found.text).not.toContain('pulse');
    await post('own-app', `/.chartgate/consents/${id}/withdraw`, '');
    await settled('doctor', '/fhir/Observation/lab-p1', 404);
  });

  test('are let in one by one where the patient names a person', async () => {
    const grantee = { kind: 'person', issuer: clinic.partnerIssuer, subject: 'doctor-2' };
    const id = await grant('own-app', { grantee });
    await settled('doctor-2', '/fhir/Patient/p1', 200);
    expect(await get('doctor', '/fhir/Patient/p1')).toMatchObject({ status: 404 });
    await post('own-app', `/.chartgate/consents/${id}/withdraw`, '');
    await settled('doctor-2', '/fhir/Patient/p1', 404);
  });

  test('lose it to the second when the time is over', async () => {
    await grant('own-app', { until: new Date(Date.now() + 2500).toISOString() });
    await settled('doctor', '/fhir/Patient/p1', 200);
    await settled('doctor', '/fhir/Patient/p1', 404);
  });
});

describe('a family', () => {
  test('reaches what the other patient shares, and keeps its own', async () => {
    expect(await get('family-app', '/fhir/Observation/lab-p1')).toMatchObject({ status: 404 });
    expect(await get('family-app', '/fhir/Patient/p1')).toMatchObject({ status: 404 });
    const { issuerUrl } = clinic.stack;
    const id = await grant('own-app', {
      grantee: { kind: 'person', issuer: issuerUrl, subject: 'family-app' },
    });
    await settled('family-app', '/fhir/Observation/lab-p1', 200);
    expect((await get('family-app', '/fhir/Patient/p1')).text).toContain('MARK-p1');
    expect((await get('family-app', '/fhir/Patient/p2')).text).toContain('MARK-p2');
    expect(await get('family-app', '/fhir/Patient/p3')).toMatchObject({ status: 404 });
    await post('own-app', `/.chartgate/consents/${id}/withdraw`, '');
    await settled('family-app', '/fhir/Patient/p1', 404);
    expect((await get('family-app', '/fhir/Patient/p2')).text).toContain('MARK-p2');
  });
});

describe('the interface for consents', () => {
  test('wants a token, and of a patient’s app a scope that speaks of sharing', async () => {
    expect(await get(undefined, '/.chartgate/consents')).toMatchObject({ status: 401 });
    expect(await clinic.at('/.chartgate/consents', 'nonsense')).toMatchObject({ status: 401 });
    const reply = await post('greedy-app', '/.chartgate/consents', asked());
    expect(reply).toMatchObject({ status: 403 });
    expect(reply.headers['www-authenticate']).toContain('chartgate/consent.own');
  });

  test('shows a patient their own, and nobody else’s', async () => {
    const id = await grant('own-app', { resourceTypes: ['Condition'] });
    expect(json(await get('own-app', '/.chartgate/consents?state=in-force')).consents).toMatchObject([
      { id, patient: 'p1' },
    ]);
    expect(json(await get('own-app', `/.chartgate/consents/${id}`))).toMatchObject({ id, state: 'in-force' });
    expect(await get('family-app', `/.chartgate/consents/${id}`)).toMatchObject({ status: 404 });
    expect(await get('family-app', '/.chartgate/consents?patient=p1')).toMatchObject({ status: 404 });
    expect(await post('family-app', `/.chartgate/consents/${id}/withdraw`, '')).toMatchObject({
      status: 404,
    });
    expect(json(await get('staff', '/.chartgate/consents?patient=p1')).consents.length).toBeGreaterThan(3);
    expect(await post('staff', `/.chartgate/consents/${id}/withdraw`, '')).toMatchObject({ status: 200 });
  });

  test.each([
    ['another patient', { patient: 'p2' }, 'patient'],
    ['a stranger', { grantee: { kind: 'organisation', tenant: 'east' } }, 'grantee.tenant'],
    ['no end', { until: undefined }, 'until'],
    ['a day without a time', { until: '2027-01-01' }, 'until'],
    ['longer than a year', { until: later(400) }, 'until'],
    ['whatever else', { colour: 'blue' }, ''],
  ])('refuses %s, with the place and without the value', async (_, change, at) => {
    const reply = await post('own-app', '/.chartgate/consents', asked(change));
    expect(reply.status).toBe(422);
    expect(reply.headers['content-type']).toContain('application/problem+json');
    expect(json(reply).faults.map((fault: { at: string }) => fault.at)).toContain(at);
    expect(reply.text).not.toMatch(/east|blue/);
  });

  test.each([
    ['no JSON', '{', 'application/json', 400],
    ['a name twice', '{"patient":"p1","patient":"p2"}', 'application/json', 400],
    ['a form', 'patient=p1', 'application/x-www-form-urlencoded', 415],
    ['too much', JSON.stringify({ patient: 'x'.repeat(70_000) }), 'application/json', 413],
  ])('refuses %s', async (_, body, type, status) => {
    expect(await post('own-app', '/.chartgate/consents', body, type)).toMatchObject({ status });
  });

  test('describes itself, every operation of it', async () => {
    const described = json(await get(undefined, '/.chartgate/consents/openapi.json'));
    expect(described.openapi).toBe('3.1.0');
    for (const [path, item] of Object.entries<Record<string, unknown>>(described.paths)) {
      for (const method of ['GET', 'POST', 'PUT', 'DELETE']) {
        const url = path.replace('{id}', '00000000-0000-4000-8000-000000000000');
        const reply = await clinic.at(url, undefined, { method });
        expect([method, path, reply.status]).toEqual([
          method,
          path,
          Object.hasOwn(item, method.toLowerCase()) ? 401 : 405,
        ]);
      }
    }
  });

  test('speaks FHIR, in and out', async () => {
    const id = await grant('own-app', { resourceTypes: ['Patient'] });
    const fhir = json(await get('own-app', `/.chartgate/fhir/Consent/${id}`));
    expect(fhir).toMatchObject({
      resourceType: 'Consent',
      status: 'active',
      patient: { reference: 'Patient/p1' },
    });
    await post('own-app', `/.chartgate/consents/${id}/withdraw`, '');
    expect(json(await get('own-app', `/.chartgate/fhir/Consent/${id}`)).status).toBe('inactive');

    const start = new Date(Date.now() + 1000).toISOString();
    const period = { start, end: fhir.provision.period.end };
    const sent = { ...fhir, provision: { ...fhir.provision, period } };
    const made = await post('own-app', '/.chartgate/fhir/Consent', sent, 'application/fhir+json');
    expect(made.status).toBe(201);
    expect(made.headers.location).toMatch(/\/\.chartgate\/fhir\/Consent\/[0-9a-f-]{36}$/);
    await settled('doctor', '/fhir/Patient/p1', 200);
    const bundle = json(await get('own-app', '/.chartgate/fhir/Consent?status=active'));
    expect(bundle).toMatchObject({ resourceType: 'Bundle', type: 'searchset', total: 1 });

    const narrowed = { ...sent, provision: { ...sent.provision, purpose: [{ code: 'TREAT' }] } };
    const refused = await post('own-app', '/.chartgate/fhir/Consent', narrowed, 'application/fhir+json');
    expect(refused.status).toBe(422);
    expect(json(refused).issue).toMatchObject([{ expression: ['Consent.provision.purpose'] }]);
    await post('own-app', `/.chartgate/consents/${json(made).id}/withdraw`, '');
    await settled('doctor', '/fhir/Patient/p1', 404);
  });
});

const command = async (...words: string[]) => {
  const { layout, isolation } = clinic.stack;
  const config = words[0] === 'log' ? [] : ['--config', join(layout.gateway, 'gateway.yaml')];
  const args = [join(root, 'bin', 'chartgate.mjs'), ...words, ...config];
  const account = isolation.gateway;
  const options = account === undefined ? {} : { uid: account.uid, gid: account.gid };
  return run(process.execPath, args, options).catch((error) => error);
};

describe('commands', () => {
  test('grant and withdraw on every worker, and stand in the activity log', async () => {
    const granted = await command(
      ...['consent', 'grant', '--tenant', 'north', '--patient', 'p3', '--to', 'organisation:south'],
      ...['--types', 'Patient', '--until', later(1).replace(/\.\d+Z/, 'Z'), '--json'],
    );
    const { id } = JSON.parse(granted.stdout);
    await settled('doctor', '/fhir/Patient/p3', 200);
    expect((await command('consent', 'list', '--tenant', 'north', '--in-force')).stdout).toContain(id);
    expect((await command('consent', 'show', id, '--tenant', 'south')).code).toBe(1);
    const withdrawn = await command('consent', 'withdraw', id, '--tenant', 'north');
    expect(withdrawn.stdout).toContain('withdrawn');
    await settled('doctor', '/fhir/Patient/p3', 404);
    const { layout } = clinic.stack;
    const logged = async () =>
      (await command('log', 'show', join(layout.gateway, 'activity'))).stdout.includes(id);
    await expect.poll(logged, { timeout: 5000 }).toBe(true);
  });

  test.each([
    [
      'an unknown tenant',
      [
        '--tenant',
        'east',
        '--patient',
        'p1',
        '--to',
        'organisation:south',
        '--types',
        '*',
        '--until',
        '2030-01-01T00:00:00Z',
      ],
      /--tenant/,
    ],
    [
      'a stranger',
      [
        '--tenant',
        'north',
        '--patient',
        'p1',
        '--to',
        'organisation:east',
        '--types',
        '*',
        '--until',
        '2030-01-01T00:00:00Z',
      ],
      /--to/,
    ],
    [
      'a tenant that shares nothing',
      [
        '--tenant',
        'south',
        '--patient',
        'p1',
        '--to',
        'organisation:south',
        '--types',
        '*',
        '--until',
        '2030-01-01T00:00:00Z',
      ],
      /no "sharing"/,
    ],
    [
      'a time that is none',
      [
        '--tenant',
        'north',
        '--patient',
        'p1',
        '--to',
        'organisation:south',
        '--types',
        '*',
        '--until',
        'tomorrow',
      ],
      /--until/,
    ],
  ])('refuse %s', async (_, words, message) => {
    const failed = await command('consent', 'grant', ...words);
    expect(failed.code).toBe(2);
    expect(failed.stderr).toMatch(message);
  });
});

describe('emergency access', () => {
  const reason = { reason: 'Unconscious in the emergency room, allergies needed' };

  test('opens what it is for, marked and alarmed, until it is ended, and is reviewed by somebody else', async () => {
    expect(await get('nurse', '/fhir/Encounter/encounter-p1')).toMatchObject({ status: 403 });
    expect(await post('own-app', '/.chartgate/emergency', reason)).toMatchObject({ status: 403 });
    expect(await post('nurse', '/.chartgate/emergency', { reason: 'urgent' })).toMatchObject({ status: 422 });
    const begun = await post('nurse', '/.chartgate/emergency', reason);
    expect(begun.status).toBe(201);
    const { id } = json(begun);
    expect(await statuses('nurse', '/fhir/Encounter/encounter-p1')).toEqual([200]);
    expect(await post('nurse', '/.chartgate/emergency', reason)).toMatchObject({ status: 409 });
    expect(await get('nurse', '/fhir/Observation/lab-p1')).toMatchObject({ status: 403 });
    expect(json(await get('nurse', '/.chartgate/emergency')).emergency).toMatchObject({ id });

    const metrics = await (await fetch(`${clinic.stack.operationsUrl}/metrics`)).text();
    expect(metrics).toMatch(/chartgate_alarms_total\{alarm="emergency-access",tenant="north"\} 1/);
    const { layout } = clinic.stack;
    const log = (await command('log', 'show', join(layout.gateway, 'activity'))).stdout as string;
    expect(log).toContain('emergency-begun');
    expect(log).toContain(`+emergency-access(${id})`);
    expect(log).not.toContain('Unconscious');

    expect(await get('nurse', '/.chartgate/emergencies')).toMatchObject({ status: 403 });
    const listed = json(await get('officer', '/.chartgate/emergencies')).emergencies;
    expect(listed).toMatchObject([{ id, subject: 'nurse', reason: reason.reason, reviews: [] }]);
    const verdict = { verdict: 'justified', note: 'as it should be' };
    expect(await post('officer', `/.chartgate/emergencies/${id}/review`, verdict)).toMatchObject({
      status: 409,
    });
    expect(await post('nurse', '/.chartgate/emergency/end', '')).toMatchObject({ status: 200 });
    await settled('nurse', '/fhir/Encounter/encounter-p1', 403);
    const open = await command('emergency', 'list', '--open');
    expect([open.code, open.stdout.includes(id)]).toEqual([1, true]);
    const reviewed = json(await post('officer', `/.chartgate/emergencies/${id}/review`, verdict));
    expect(reviewed.reviews).toMatchObject([
      { verdict: 'justified', subject: 'officer', note: 'as it should be' },
    ]);
    const again = await command(
      'emergency',
      'review',
      id,
      '--tenant',
      'north',
      '--by',
      'Privacy Officer',
      '--verdict',
      'unclear',
    );
    expect(again.stdout).toMatch(/justified by .*officer[\s\S]*unclear by Privacy Officer/);
    expect((await command('emergency', 'list', '--open')).code).toBeUndefined();
  });

  test('is never reviewed by whoever had it, and can be ended by command', async () => {
    const { id } = json(await post('officer', '/.chartgate/emergency', reason));
    expect(await statuses('officer', '/fhir/Encounter/encounter-p1')).toEqual([200]);
    expect((await command('emergency', 'end', id, '--tenant', 'north')).stdout).toContain(
      'ended by reviewer',
    );
    await settled('officer', '/fhir/Encounter/encounter-p1', 403);
    const own = await post('officer', `/.chartgate/emergencies/${id}/review`, { verdict: 'justified' });
    expect(own).toMatchObject({ status: 403 });
  });
});
