import { generateKeyPairSync } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Command } from 'commander';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { register } from '../../cli/commands/policy.ts';
import { readGatewaySources } from '../../config/index.ts';
import { ConfigurationError } from '../../contracts/errors.ts';
import { readSettings } from '../../gateway/process/runtime.ts';
import { type Folder, GATEWAY, makeFolder } from '../config/support/folder.ts';

const POLICY = `roles:
  nurse: [user/Observation.rs]
  clerk: [pages]
routes:
  - id: read
    methods: [GET]
    path: /fhir/Observation/{id}
    smart: { contexts: [user], resource: Observation, permission: r }
  - id: desk
    methods: [GET]
    path: /desk
    scopes: [pages]
    when: { hours: { zone: Europe/Berlin, from: '08:00', to: '18:00' } }
`;

let folder: Folder;
beforeAll(async () => {
  folder = await makeFolder('policy-tools');
  folder.write('old.yaml', POLICY);
});
afterAll(() => folder.remove());

/** Runs `chartgate policy …` in this process, with nothing but this command registered. */
async function run(...args: readonly string[]) {
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

const CASES = `policy: old.yaml
cases:
  - name: a nurse reads
    as: role:nurse
    request: GET /fhir/Observation/1
    expect: permit
    route: read
    reasons: [scope-present]
  - name: the desk is closed at night
    as: role:clerk
    request: GET /desk
    at: 2027-02-03T22:00:00Z
    expect: forbidden
    reasons: [condition-failed]
  - name: nobody reads
    as: anonymous
    request: GET /fhir/Observation/1
    expect: unauthenticated
`;

describe('policy test', () => {
  test('passes when every case is as expected', async () => {
    const file = folder.write('cases.yaml', CASES);
    const { status, stdout } = await run('test', file);
    expect(stdout).toMatch(/^3 of 3 cases as expected\. Digest [0-9a-f]{64}\.\n$/);
    expect(status).toBe(0);
  });

  test('names each case that is not, and why', async () => {
    const file = folder.write(
      'wrong.yaml',
      CASES.replace('role:nurse', 'role:clerk').replace('route: read', 'route: desk'),
    );
    const { status, stdout } = await run('test', file);
    expect(stdout).toContain(
      'FAILED  a nurse reads: expected permit, got insufficient-scope; expected the route desk, got read; expected the reason scope-present',
    );
    expect(stdout).toContain('          not held  scope-missing  user/Observation.r');
    expect(stdout).toContain('2 of 3 cases as expected.');
    expect(status).toBe(1);
    const { stdout: json } = await run('test', file, '--json');
    expect(JSON.parse(json)).toMatchObject({ cases: 3, failed: 1 });
  });

  test.each<[string, [string, string], string]>([
    [
      'a person that cannot be',
      ['role:nurse', 'roel:nurse'],
      '4:9: cases[0].as: "roel:nurse" is no word of it',
    ],
    [
      'a request that the gateway refuses',
      ['/fhir/Observation/1', '/fhir/%2e%2e/1'],
      '5:14: cases[0].request: The gateway refuses this request',
    ],
    [
      'an expectation that there is not',
      ['expect: permit', 'expect: yes'],
      'cases[0].expect: must be one of permit, unauthenticated',
    ],
    ['a moment without zone', ['22:00:00Z', '22:00:00'], 'cases[1].at: must be a moment with its zone'],
    [
      'the same name twice',
      ['nobody reads', 'a nurse reads'],
      'cases[2].name: is the name of another case already (line 3)',
    ],
  ])('refuses %s, with its place', async (_, [from, to], message) => {
    const { error } = await run('test', folder.write('bad.yaml', CASES.replace(from, to)));
    expect(error).toBeInstanceOf(ConfigurationError);
    const faults = (error as ConfigurationError).faults.map(
      ({ line, column, path, message: text }) => `${line}:${column}: ${path}: ${text}`,
    );
    expect(faults.join('\n')).toContain(message);
  });
});

describe('policy diff', () => {
  const diff = async (text: string) => {
    const old = join(folder.path, 'old.yaml');
    const { status, stdout } = await run('diff', old, folder.write('new.yaml', text), '--json');
    return { status, found: JSON.parse(stdout) as { routes: object; access: Record<string, unknown>[] } };
  };

  test('says nothing of two that say the same', async () => {
    const { status, found } = await diff(`# the same\n${POLICY}`);
    expect(found.access).toEqual([]);
    expect(status).toBe(0);
  });

  test('says who gains: a role, on the routes of its new scope', async () => {
    const { status, found } = await diff(
      POLICY.replace('clerk: [pages]', 'clerk: [pages, user/Observation.r]'),
    );
    expect(status).toBe(1);
    expect(found.access).toEqual([
      expect.objectContaining({
        who: ['token role:clerk'],
        change: 'gains',
        methods: ['GET', 'HEAD'],
        before: 'insufficient-scope',
        after: 'permit',
        routeAfter: 'read',
        paths: ['/fhir/Observation/x'],
      }),
    ]);
  });

  test('says who loses: to a deny rule, to a new condition, to a route that is gone', async () => {
    const denied = await diff(
      `${POLICY}  - id: no\n    effect: deny\n    methods: [GET]\n    path: /fhir/Observation/7\n`,
    );
    expect(denied.found.access).toContainEqual(
      expect.objectContaining({
        who: expect.arrayContaining(['token role:nurse']),
        change: 'loses',
        paths: ['/fhir/Observation/7'],
        after: 'forbidden',
      }),
    );
    const narrowed = await diff(POLICY.replace("from: '08:00'", "from: '12:00'"));
    expect(narrowed.found.access.map(({ change }) => change)).toContain('loses');
    // Whatever the time is now: hours that end earlier take something away as well, and longer ones give it.
    const shorter = await diff(POLICY.replace("to: '18:00'", "to: '17:30'"));
    expect(shorter.found.access.map(({ change }) => change)).toContain('loses');
    const longer = await diff(POLICY.replace("to: '18:00'", "to: '20:00'"));
    expect(longer.found.access.map(({ change }) => change)).toContain('gains');
    const gone = await diff(POLICY.slice(0, POLICY.indexOf('  - id: desk')));
    expect(gone.found.routes).toMatchObject({ removed: ['desk'], added: [] });
    expect(gone.found.access).toContainEqual(expect.objectContaining({ change: 'loses', routeAfter: null }));
  });

  test('names the demands of a route that change for everybody', async () => {
    const { found } = await diff(
      POLICY.replace('path: /desk', 'path: /desk\n    integrity: { mode: strict }'),
    );
    expect(found.routes).toEqual({ added: [], removed: [], changed: [{ id: 'desk', keys: ['integrity'] }] });
  });
});

describe('policies that two administrators must sign', () => {
  const file = () => join(folder.path, 'gateway.yaml');
  const signatures = () => join(folder.path, 'signatures.json');
  const faults = (): string => {
    try {
      readSettings(readGatewaySources(file()));
      return 'served';
    } catch (error) {
      if (!(error instanceof ConfigurationError)) throw error;
      return error.faults.map(({ path, message }) => `${path}: ${message}`).join('\n');
    }
  };
  const sign = (key: string) =>
    run('sign', file(), '--private-key', join(folder.path, key), '--out', signatures());

  beforeAll(() => {
    for (const name of ['anna', 'boris', 'mallory']) {
      const { publicKey, privateKey } = generateKeyPairSync('ed25519');
      folder.write(`${name}.pem`, privateKey.export({ type: 'pkcs8', format: 'pem' }), 0o600);
      folder.write(`${name}.pub.pem`, publicKey.export({ type: 'spki', format: 'pem' }));
    }
    const approval =
      'policyApproval:\n  signatures: signatures.json\n  keys: [anna.pub.pem, boris.pub.pem]\n';
    folder.write('gateway.yaml', approval + GATEWAY);
  });

  test('do not serve unsigned, nor with one signature, nor with one twice; with two they do', async () => {
    expect(faults()).toContain('there is no file');
    expect((await run('verify', file())).status).toBe(1);
    expect((await sign('anna.pem')).status).toBe(0);
    expect(faults()).toContain('they have 1 of the 2 signatures that they need');
    expect((await sign('anna.pem')).error).toMatchObject({ code: 'policy-invalid' });
    expect((await sign('boris.pem')).stdout).toContain('2 signatures of ');
    expect(faults()).toBe('served');
    expect((await run('verify', file())).stdout).toContain('is approved by');
  });

  test('do not serve once a policy or the policy of a tenant is another', () => {
    const whole = readFileSync(join(folder.path, 'policy.yaml'), 'utf8');
    folder.write('policy.yaml', whole.replace('backendTimeout: 10s', 'backendTimeout: 11s'));
    expect(faults()).toContain('the signatures are for other policies');
    folder.write('policy.yaml', whole);
    expect(faults()).toBe('served');
  });

  test('do not serve with a signature of somebody else, even beside two good ones', async () => {
    const good = readFileSync(signatures());
    expect((await sign('mallory.pem')).status).toBe(0);
    expect(faults()).toContain('signed with a key that is not among those trusted');
    folder.write('signatures.json', good);
  });

  test('do not serve with a signature that was changed, and say so of a file that is none', () => {
    const good = readFileSync(signatures(), 'utf8');
    const parsed = JSON.parse(good) as { signatures: { signature: string }[] };
    const [first] = parsed.signatures;
    if (first !== undefined) first.signature = Buffer.alloc(64).toString('base64');
    folder.write('signatures.json', JSON.stringify(parsed));
    expect(faults()).toContain('a signature does not match them');
    folder.write('signatures.json', '{}');
    expect(faults()).toContain('does not say "format"');
    folder.write('signatures.json', good);
    expect(faults()).toBe('served');
  });
});
