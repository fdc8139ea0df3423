import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Command } from 'commander';
import { afterAll, describe, expect, test, vi } from 'vitest';
import { register } from '../../cli/commands/policy.ts';
import { ChartgateError, ConfigurationError } from '../../contracts/errors.ts';

const scratch = mkdtempSync(join(tmpdir(), 'chartgate-policy-'));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));
const FILE = join(scratch, 'clinic.yaml');
writeFileSync(
  FILE,
  `routes:
  - id: sign-in
    methods: [GET]
    path: /login
    credential: anonymous
  - id: patient-read
    methods: [GET]
    path: /fhir/Patient/{id}
    smart: { contexts: [patient, user], resource: Patient, permission: r }
    patient: { capture: id }
  - id: write
    methods: [PUT]
    path: /fhir/{resourceType}/{id}
    where: { resourceType: [Patient, Observation] }
    scopes: [records]
    smart: { contexts: [user], resource: '{resourceType}', permission: u }
    mediaTypes: [application/fhir+json]
  - id: feed
    methods: [GET]
    path: /feed
    upgrade: websocket
    scopes: [feed]
`,
);

interface Ran {
  readonly status: number;
  readonly stdout: string;
  readonly error: unknown;
}

/** Runs `chartgate policy …` in this process, with nothing but this command registered. */
async function run(...args: readonly string[]): Promise<Ran> {
  const program = new Command('chartgate').exitOverride();
  register(program);
  const lines: string[] = [];
  const log = vi.spyOn(console, 'log').mockImplementation((line: string) => void lines.push(`${line}\n`));
  let error: unknown;
  try {
    await program.parseAsync(['policy', ...args], { from: 'user' });
  } catch (caught) {
    error = caught;
  } finally {
    log.mockRestore();
  }
  const status = Number(process.exitCode ?? 0);
  process.exitCode = undefined;
  return { status, stdout: lines.join(''), error };
}

const explain = (request: string, ...more: readonly string[]) =>
  run('explain', '--policy', FILE, '--request', request, ...more);

describe('policy routes', () => {
  test('prints every route and what it needs', async () => {
    const { status, stdout } = await run('routes', FILE);
    expect(status).toBe(0);
    const lines = stdout.split('\n').map((line) => line.replace(/ {2,}/g, ' | '));
    expect(lines.slice(0, 5)).toEqual([
      'ROUTE | METHODS | PATH | NEEDS | INTEGRITY | HIDES | ALSO',
      'sign-in | GET,HEAD | /login | nothing (anonymous) | 1000 ms | none',
      "patient-read | GET,HEAD | /fhir/Patient/{id} | patient/Patient.r ({id} is the token's patient) or user/Patient.r | 1000 ms | record",
      'write | PUT | /fhir/{resourceType: Patient|Observation}/{id} | records user/{resourceType}.u | strict | none | introspected, body 1048576 B',
      'feed | GET | /feed | feed | strict | none | websocket',
    ]);
    expect(stdout).toContain('4 routes; whatever matches none of them is denied.');
  });

  test('as JSON', async () => {
    const printed = JSON.parse((await run('routes', FILE, '--json')).stdout);
    expect(printed.digest).toMatch(/^[0-9a-f]{64}$/);
    expect(printed.routes[2]).toMatchObject({
      id: 'write',
      methods: ['PUT'],
      needs: ['records', 'user/{resourceType}.u'],
      mediaTypes: ['application/fhir+json'],
      hideDeadlineMs: null,
    });
  });

  test('a policy with faults: each with its line', async () => {
    const file = join(scratch, 'faults.yaml');
    writeFileSync(
      file,
      'routes:\n  - id: a\n    methods: [GET]\n    path: /a//b\n    scopes: [x]\n    maxBody: 1KB\n',
    );
    const { error } = await run('routes', file);
    expect(error).toBeInstanceOf(ConfigurationError);
    expect(String(error)).toMatch(/faults\.yaml:4:\d+: .*empty segment/);
    expect(String(error)).toMatch(/faults\.yaml:6:\d+: .*maxBody/);
  });
});

describe('policy explain', () => {
  test('a permit: exit code 0 and what held', async () => {
    const { status, stdout } = await explain(
      'GET /fhir/Patient/1',
      '--scopes',
      'patient/Patient.rs',
      '--patient',
      '1',
    );
    expect(stdout.split('\n')).toEqual([
      'permitted',
      '  held      route-matched  patient-read',
      '  held      authenticated',
      '  held      scope-present  patient/Patient.r',
      '  held      patient-matches',
      'Rules with this path:',
      '  patient-read  GET,HEAD  /fhir/Patient/{id}         chosen: the most specific',
      '  write         PUT       /fhir/{resourceType}/{id}  for other methods',
      'Then: integrity bounded by 1000 ms, introspection never, hides record.',
      '',
    ]);
    expect(status).toBe(0);
  });

  test('a denial: exit code 1, what did not hold, and what would do', async () => {
    const { status, stdout } = await explain('PUT /fhir/Observation/1', '--scopes', 'user/Observation.cud');
    expect(stdout.split('\n')).toEqual([
      'denied: insufficient-scope',
      '  held      route-matched  write',
      '  held      authenticated',
      '  not held  scope-missing  records',
      '  held      scope-present  user/Observation.u',
      'A token with this would do: records',
      'Rules with this path:',
      '  write  PUT  /fhir/{resourceType}/{id}  chosen: the most specific',
      '',
    ]);
    expect(status).toBe(1);
  });

  test.each([
    ['nobody', ['GET /fhir/Patient/1', '--anonymous'], 'unauthenticated', 'patient-read'],
    ['an unknown route', ['GET /other', '--anonymous'], 'route-unknown', null],
    [
      'another patient',
      ['GET /fhir/Patient/2', '--scopes', 'patient/*.r', '--patient', '1'],
      'record-hidden',
      'patient-read',
    ],
    ['a page where a WebSocket is', ['GET /feed', '--scopes', 'feed'], 'route-unknown', null],
  ])('%s, as JSON', async (_what, [request = '', ...more], denial, route) => {
    const { status, stdout } = await explain(request, ...more, '--json');
    expect(JSON.parse(stdout)).toMatchObject({ effect: 'deny', denial, route });
    expect(status).toBe(1);
  });

  test('a WebSocket', async () => {
    expect((await explain('GET /feed', '--scopes', 'feed', '--upgrade')).stdout).toContain('permitted');
  });

  test.each([
    ['no credential said', 'GET /login', [], /--scopes .* or --anonymous/],
    ['both said', 'GET /login', ['--anonymous', '--scopes', 'a'], /excludes/],
    ['an unknown method', 'TRACE /login', ['--anonymous'], /must be one of GET/],
    ['no method', '/login', ['--anonymous'], /must be one of GET/],
    ['an ambiguous path', 'GET /a/../login', ['--anonymous'], /path-ambiguous/],
    ['an ambiguous query', 'GET /login?a=%ff', ['--anonymous'], /query-ambiguous/],
  ])('wrong usage: %s', async (_what, request, more, message) => {
    const { error } = await explain(request, ...more);
    expect(error).toBeInstanceOf(ChartgateError);
    expect(error).toMatchObject({ code: 'usage', message: expect.stringMatching(message) });
  });
});
