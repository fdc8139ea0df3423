import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ISSUER_KEY_HEADER, issuerKey } from '../../contracts/issuer-link.ts';
import { ask } from '../../examples/support/https-client.ts';
import { createAuthority } from '../../examples/support/local-authority.ts';
import { freePort } from '../../examples/support/ports.ts';
import { PART_RULES } from '../../scripts/import-rules/table.ts';
import { type Installed, installPackage, lockedAt, root, systemNode } from './support/installed.ts';

let installed: Installed;
let authority = '';
let origin = '';
let operations = '';
/** Stands where an EMR would be. */
const backEnd = createServer((_request, response) => response.end('from the back end'));

const POLICY = `routes:
  - id: record
    methods: [GET]
    path: /fhir/{resourceType}/{id}
    credential: anonymous
  - id: static
    methods: [GET]
    path: /static/{file*}
    credential: anonymous
    integrity: { mode: 'off' }
`;

async function configure(): Promise<void> {
  const file = (name: string, text: string, mode = 0o600) =>
    writeFileSync(join(installed.folder, name), text, { mode });
  const made = await createAuthority('Package Test Authority');
  const certificate = await made.issue({ commonName: 'clinic.localhost', hosts: ['clinic.localhost'] });
  const [port, operationsPort] = [await freePort(), await freePort()];
  await new Promise<void>((resolve) => backEnd.listen(0, '127.0.0.1', resolve));
  authority = made.certificatePem;
  origin = `https://clinic.localhost:${port}`;
  operations = `http://127.0.0.1:${operationsPort}`;
  file('authority.pem', authority);
  file('chain.pem', certificate.certificatePem);
  file('key.pem', certificate.keyPem);
  file('secret', 'only-for-this-test-0123456789\n');
  file('policy.yaml', POLICY);
  file(
    'gateway.yaml',
    `listen: { host: 127.0.0.1, port: ${port}, certificate: chain.pem, key: key.pem }
operations: { port: ${operationsPort} }
workers: 2
activityLog: { directory: activity }
integrity: { socket: checker.sock, secret: { file: secret }, timeout: 500ms }
issuers:
  - { id: sso, issuer: https://sso.clinic.localhost, authority: authority.pem, algorithms: [ES256] }
policies: { clinic: policy.yaml }
tenants:
  - id: clinic
    hosts: ['clinic.localhost:${port}']
    audience: ${origin}
    issuers: [sso]
    database: clinic-emr
    policy: clinic
    backends: [{ origin: 'http://127.0.0.1:${(backEnd.address() as AddressInfo).port}' }]
`,
  );
  file(
    'checker.yaml',
    `socket: checker.sock
secret: { file: secret }
databases:
  - id: clinic-emr
    socketPath: no-database.sock
    user: chartgate_checker
    password: { file: secret }
    emrSchema: emr
    baseline: baseline.json
    baselineKeys: [signer.pub.pem]
    singleAdministratorBaseline: true
auditRowsMayBeChangedUnnoticed: true
`,
  );
}

beforeAll(async () => {
  installed = installPackage();
  await configure();
}, 240_000);

afterAll(() => {
  backEnd.close();
  installed?.remove();
});

describe('the tarball', () => {
  test('holds the command, what it runs, and the documents', () => {
    for (const name of [
      'package.json',
      'README.md',
      'LICENSE',
      'SECURITY.md',
      'bin/chartgate.mjs',
      'dist/cli/main.js',
      'dist/gateway/process/worker-main.js',
      'config/schema/gateway.schema.json',
      'config/schema/checker.schema.json',
      'config/schema/issuer.schema.json',
      'deploy/systemd/chartgate-issuer.service',
      'config/schema/policy.schema.json',
      'docs/configuration.md',
    ]) {
      expect(installed.packed).toContain(name);
    }
  });

  test('holds nothing that only serves development', () => {
    const compiled = installed.packed.filter((name) => name.startsWith('dist/'));
    const parts = new Set(compiled.map((name) => name.split('/')[1] ?? ''));
    for (const part of parts) expect(PART_RULES.get(part)?.product, part).toBe(true);
    // What pages load in the browser is shipped as it is.
    expect(compiled.filter((name) => !name.endsWith('.js')).sort()).toEqual([
      'dist/console/assets/page.css',
      'dist/console/assets/passkey.mjs',
      // HL7's definitions, which bodies are validated by.
      ...['dstu2', 'r4', 'stu3'].map((name) => `dist/inspection/payload/fhir/definitions/${name}.json`),
    ]);
    expect(installed.packed.filter((name) => name.endsWith('.ts'))).toEqual([]);
    const tops = new Set(installed.packed.map((name) => name.split('/')[0]));
    expect([...tops].sort()).toEqual(
      [
        'LICENSE',
        'README.md',
        'SECURITY.md',
        'bin',
        'config',
        'deploy',
        'dist',
        'docs',
        'package.json',
      ].sort(),
    );
  });

  test('brings no development dependency', () => {
    const locked = lockedAt(join(root, 'package-lock.json'));
    const shipped = new Set(
      locked.filter(({ dev }) => !dev).map(({ text }) => text.split('@').slice(0, -1).join('@')),
    );
    const strangers = installed.dependencies
      .map((text) => text.split('@').slice(0, -1).join('@'))
      .filter((name) => !shipped.has(name) && !/^node-(?:bin-)?(?:linux|darwin|win)/.test(name));
    expect(strangers).toEqual([]);
  });
});

/** Every command, what it ends with, and what it prints. `sso`, the database and the checker are all absent. */
const COMMANDS: readonly (readonly [args: readonly string[], status: number, prints: RegExp])[] = [
  [['--version'], 0, /^\d+\.\d+\.\d+$/m],
  [['--help'], 0, /audit-sql[\s\S]*check[\s\S]*checker[\s\S]*log[\s\S]*policy[\s\S]*start/],
  [['no-such-command'], 2, /unknown command/],
  [
    ['check', '--gateway', 'gateway.yaml'],
    0,
    /sound gateway settings: 1 tenant, 1 issuer, 1 policy with 2 routes/,
  ],
  [['check', 'policy.yaml'], 0, /sound policy settings: 2 routes/],
  [['policy', 'routes', 'policy.yaml'], 0, /2 routes; whatever matches none of them is denied/],
  [['policy', 'packs'], 0, /fhir-r4/],
  [['policy', 'lengths', '--help'], 0, /--tables/],
  [['policy', 'diff', 'policy.yaml', 'policy.yaml'], 0, /The two say the same/],
  [
    ['policy', 'explain', '--policy', 'policy.yaml', '--anonymous', '--request', 'GET /fhir/Patient/1'],
    0,
    /^permitted/,
  ],
  [
    ['policy', 'explain', '--policy', 'policy.yaml', '--anonymous', '--request', 'GET /other'],
    1,
    /^denied: /,
  ],
  [['audit', 'verify', '--help'], 0, /--sealed/],
  [['audit', 'checkpoint', 'no-such-directory'], 4, /sealed rows cannot be read/],
  [['audit-sql', 'start', '--help'], 0, /--apply/],
  [['audit-sql', 'policy'], 0, /^roles:$/m],
  [
    ['audit-sql', 'coverage', '--schema', 'emr', '--user', 'root', '--socket', 'none.sock'],
    4,
    /No connection/,
  ],
  [
    ['audit-sql', 'start', '--schema', 'emr', '--user', 'root', '--socket', 'no-database.sock'],
    4,
    /No connection/,
  ],
  [['start', '--config', 'missing.yaml'], 3, /missing\.yaml/],
  [['log', 'verify', 'no-such-directory'], 4, /no-such-directory/],
  [['state', 'check', '--config', 'missing.yaml'], 3, /missing\.yaml/],
  [['client', 'list', '--config', 'missing.yaml'], 3, /missing\.yaml/],
  [['consent', 'list', '--config', 'missing.yaml', '--tenant', 'north'], 3, /missing\.yaml/],
  [['emergency', 'list', '--config', 'missing.yaml'], 3, /missing\.yaml/],
  [['tenant', 'list', '--config', 'missing.yaml'], 3, /missing\.yaml/],
  [['guard', 'list', '--config', 'missing.yaml'], 3, /missing\.yaml/],
  [['incident', 'list', '--config', 'missing.yaml'], 3, /missing\.yaml/],
  [['factor', 'list', '--issuer', 'sso', '--config', 'missing.yaml'], 3, /missing\.yaml/],
  [['user', 'list', '--config', 'missing.yaml', '--organisation', 'clinic'], 3, /missing\.yaml/],
  [['organisation', 'list', '--config', 'missing.yaml'], 3, /missing\.yaml/],
  [['role', 'list', '--config', 'missing.yaml', '--organisation', 'clinic'], 3, /missing\.yaml/],
  [['approval', 'list', '--config', 'missing.yaml', '--organisation', 'clinic'], 3, /missing\.yaml/],
  [['doctor', '--help'], 0, /--issuer/],
  [['issuer', '--config', 'missing.yaml'], 3, /missing\.yaml/],
  [['issuer', 'rotate-keys', '--help'], 0, /--compromised/],
];

const REASON = expect.stringMatching(/integrity of clinic-emr: unverified$/);

describe('the installed command', () => {
  test("makes a pair of keys, and checks both processes' files together", () => {
    const keygen = ['audit-sql', 'keygen', '--private-key', 'signer.pem', '--public-key', 'signer.pub.pem'];
    expect(installed.run(systemNode, ...keygen).status).toBe(0);
    const together = installed.run(
      systemNode,
      'check',
      '--gateway',
      'gateway.yaml',
      '--checker',
      'checker.yaml',
    );
    expect(together.stdout + together.stderr).toMatch(/sound checker settings: 1 database/);
    expect(together.status).toBe(0);
  });

  test.each(COMMANDS)("%j under the system's Node ends with %i", (args, status, prints) => {
    const ran = installed.run(systemNode, ...args);
    expect(ran.stdout + ran.stderr).toMatch(prints);
    expect(ran.status).toBe(status);
  });

  test('says the same under the runtime that came with it', () => {
    const [own, system] = [installed.packagedNode, systemNode].map((node) => installed.run(node, '--help'));
    expect(own).toEqual(system);
  });

  test('starts a gateway without a checker: up, not ready, and nothing of a record is served', async () => {
    const gateway = await installed.start(systemNode, /"ready"/, 'start', '--config', 'gateway.yaml');
    try {
      const record = await ask({ url: `${origin}/fhir/Patient/1`, authority });
      expect(record.status).toBe(503);
      expect(record.text).not.toContain('back end');
      const asset = await ask({ url: `${origin}/static/logo.svg`, authority });
      expect([asset.status, asset.text]).toEqual([200, 'from the back end']);
      const ready = await fetch(`${operations}/ready`);
      expect(ready.status).toBe(503);
      expect(await ready.json()).toMatchObject({ ready: false, reasons: expect.arrayContaining([REASON]) });
      expect(await (await fetch(`${operations}/live`)).text()).toBe('alive\n');
      expect(await (await fetch(`${operations}/metrics`)).text()).toContain('chartgate_build_info{');
    } finally {
      gateway.child.kill('SIGTERM');
    }
    expect(await gateway.ended).toBe(0);
    const log = installed.run(systemNode, 'log', 'verify', 'activity');
    expect(log.stdout).toMatch(/^intact: /m);
    expect(log.status).toBe(0);
  });

  test('hands signals on: a reload reaches the gateway, and its end ends every process', async () => {
    const gateway = await installed.start(systemNode, /"ready"/, 'start', '--config', 'gateway.yaml');
    const { workers } = JSON.parse(gateway.readyLine) as { workers: number[] };
    try {
      expect(workers).toHaveLength(2);
      const reloads = () => activityText().split('"event":"reload"').length - 1;
      const before = reloads();
      gateway.child.kill('SIGHUP');
      await expect.poll(reloads, { timeout: 20_000 }).toBe(before + 2);
      expect(workers.every(alive)).toBe(true);
    } finally {
      gateway.child.kill('SIGTERM');
    }
    expect(await gateway.ended).toBe(0);
    expect(workers.filter(alive)).toEqual([]);
  });

  test('starts a checker that says what it watches, and stops when told', async () => {
    const checker = await installed.start(systemNode, /"ready"/, 'checker', '--config', 'checker.yaml');
    expect(JSON.parse(checker.readyLine)).toMatchObject({ databases: ['clinic-emr'] });
    checker.child.kill('SIGTERM');
    expect(await checker.ended).toBe(0);
  });
});

describe('the embedded issuer, from the installed package', () => {
  const ISSUER = 'https://id.clinic.localhost';
  const secret = randomBytes(32).toString('base64');

  beforeAll(() => {
    const file = (name: string, text: string): void =>
      writeFileSync(join(installed.folder, name), text, { mode: 0o600 });
    mkdirSync(join(installed.folder, 'state'), { mode: 0o700 });
    file('issuer.secret', secret);
    file('state.key', randomBytes(32).toString('hex'));
    file(
      'issuer.yaml',
      `issuer: ${ISSUER}
issuerSocket: issuer.sock
gatewaySecret: { file: issuer.secret }
state: { file: state/state.sqlite, keys: [{ file: state.key }] }
tenants:
  - { id: clinic, name: Clinic, audience: ${origin} }
clients:
  - { id: portal, name: Portal, kind: app, tenants: [clinic], redirectUris: ['https://portal.example/back'], scopes: [portal] }
`,
    );
  });

  interface Answered {
    readonly status: number;
    readonly type: string;
    readonly place: string;
    readonly cookies: string;
    readonly text: string;
  }

  /** As the gateway asks, over the socket. */
  const asked = (path: string, cookie = ''): Promise<Answered> =>
    new Promise((resolve, reject) => {
      request(
        {
          socketPath: join(installed.folder, 'issuer.sock'),
          path,
          agent: false,
          headers: {
            host: new URL(ISSUER).host,
            'x-forwarded-proto': 'https',
            'x-forwarded-for': '192.0.2.7',
            [ISSUER_KEY_HEADER]: issuerKey(Buffer.from(secret)),
            cookie,
          },
        },
        async (answer) => {
          const { statusCode: status = 0, headers } = answer;
          const text = Buffer.concat(await answer.toArray()).toString();
          const cookies = (headers['set-cookie'] ?? []).map((each) => each.split(';')[0]).join('; ');
          const type = headers['content-type'] ?? '';
          resolve({ status, type, place: headers.location ?? '', cookies, text });
        },
      )
        .once('error', reject)
        .end();
    });

  const made = (input: string, ...args: string[]): Record<string, unknown> => {
    const ran = installed.runWith(input, systemNode, ...args, '--config', 'issuer.yaml', '--json');
    expect({ status: ran.status, err: ran.stderr }).toEqual({ status: 0, err: '' });
    return JSON.parse(ran.stdout) as Record<string, unknown>;
  };

  test('its settings are sound', () => {
    const { status, stdout } = installed.run(systemNode, 'check', '--issuer', 'issuer.yaml');
    expect({ status, stdout }).toMatchObject({
      status: 0,
      stdout: expect.stringMatching(/1 tenant, 1 client/),
    });
  });

  test('shows metadata, keys, pages and what pages load, under its own limits', async () => {
    // The runtime that came along: the process itself, as the unit starts it.
    const issuer = await installed.start(
      installed.packagedNode,
      /"ready"/,
      ...['issuer', '--config', 'issuer.yaml'],
    );
    try {
      const flags = readFileSync(`/proc/${issuer.child.pid}/cmdline`, 'utf8').split('\0');
      expect(flags).toContain('--permission');
      const metadata = await asked('/.well-known/openid-configuration');
      expect(JSON.parse(metadata.text)).toMatchObject({ issuer: ISSUER });
      expect(JSON.parse((await asked('/jwks')).text)).toMatchObject({ keys: [{ kty: 'EC' }] });
      const wrong = await asked('/authorize?client_id=nobody');
      expect([wrong.status, wrong.type]).toEqual([400, expect.stringMatching(/^text\/html/)]);
      const assets = [...wrong.text.matchAll(/(?:href|src)="(\/assets\/[^"]+)"/g)].map(
        ([, path = '']) => path,
      );
      expect(assets).not.toEqual([]);
      const begun = await asked(
        `/authorize?${new URLSearchParams({
          client_id: 'portal',
          response_type: 'code',
          redirect_uri: 'https://portal.example/back',
          scope: 'openid portal',
          resource: origin,
          code_challenge: randomBytes(32).toString('base64url'),
          code_challenge_method: 'S256',
        })}`,
      );
      const { pathname } = new URL(begun.place, ISSUER);
      const page = await asked(pathname, begun.cookies);
      expect([page.status, page.text]).toEqual([200, expect.stringContaining('type="password"')]);
      for (const path of assets) expect((await asked(path)).status, path).toBe(200);
    } finally {
      issuer.child.kill('SIGTERM');
    }
    expect(await issuer.ended).toBe(0);
  });

  test('makes a clinic, and its lists of common passwords came along', () => {
    const { codes } = made(
      '',
      ...['organisation', 'create', 'clinic'],
      ...['--administrator', 'anna=Anna Adams', '--administrator', 'boris=Boris Brown'],
    ) as { codes: { login: string; text: string }[] };
    const code = codes.find(({ login }) => login === 'anna')?.text ?? '';
    const weak = installed.runWith(
      `${code}\npassword12345678\n`,
      systemNode,
      ...['user', 'enrol', '--config', 'issuer.yaml'],
    );
    expect([weak.status, weak.stdout + weak.stderr]).toEqual([1, expect.stringMatching(/not taken: common/)]);
    made(`${code}\nmarmalade-orbit-7-lantern\n`, 'user', 'enrol');
    const listed = installed.run(
      systemNode,
      ...['user', 'list', '--config', 'issuer.yaml', '--organisation', 'clinic', '--json'],
    );
    expect(listed.stdout + listed.stderr).toMatch(/anna/);
    const state = installed.run(systemNode, 'state', 'check', '--config', 'issuer.yaml');
    expect([state.status, state.stdout]).toEqual([0, expect.stringMatching(/sqlite/i)]);
  });
});

describe('docs/getting-started.md, from the installed package', () => {
  const folder = (name: string) => join(installed.folder, 'etc', 'chartgate', name);

  beforeAll(async () => {
    const guide = readFileSync(
      join(installed.folder, 'node_modules/chartgate/docs/getting-started.md'),
      'utf8',
    );
    for (const process of ['gateway', 'checker', 'issuer']) mkdirSync(folder(process), { recursive: true });
    for (const [, path = '', text = ''] of guide.matchAll(
      /```yaml\n# (\/etc\/chartgate\/\S+)\n([\s\S]*?)```/g,
    )) {
      writeFileSync(join(installed.folder, path), text);
    }
    const secret = (name: string, text: string) => writeFileSync(folder(name), text, { mode: 0o600 });
    const made = await createAuthority('Guide Authority');
    const host = 'emr.clinic.example';
    const certificate = await made.issue({ commonName: host, hosts: [host], days: 90 });
    secret('gateway/chain.pem', certificate.certificatePem);
    secret('gateway/key.pem', certificate.keyPem);
    secret('gateway/introspection.secret', 'only-for-this-test\n');
    for (const process of ['gateway', 'checker'])
      secret(`${process}/attestation.secret`, 'shared-0123456789\n');
    secret('checker/checker.password', 'only-for-this-test\n');
    const publicKey = (): string =>
      generateKeyPairSync('ed25519').publicKey.export({ type: 'spki', format: 'pem' }).toString();
    secret('checker/anna.pub.pem', publicKey());
    secret('checker/boris.pub.pem', publicKey());
    const sealing = generateKeyPairSync('ed25519').privateKey;
    secret('checker/seal.pem', sealing.export({ type: 'pkcs8', format: 'pem' }).toString());
  });

  test('its settings files are sound, fit together, and cause no warning', () => {
    const checked = installed.run(
      systemNode,
      ...['check', '--gateway', folder('gateway/gateway.yaml'), '--checker', folder('checker/checker.yaml')],
    );
    expect(checked.stderr).toBe('');
    expect(checked.stdout).not.toContain('warning');
    expect(checked.status).toBe(0);
  });

  test('its policy decides as it says', () => {
    const explain = ['policy', 'explain', '--policy', folder('gateway/policy.yaml'), '--patient', '7'];
    const other = installed.run(
      systemNode,
      ...explain,
      '--request',
      'GET /fhir/Patient/8',
      '--scopes',
      'patient/Patient.r',
    );
    const guide = readFileSync(join(root, 'docs', 'getting-started.md'), 'utf8');
    expect(guide).toContain(other.stdout);
    expect(other.status).toBe(1);
    const own = installed.run(
      systemNode,
      ...explain,
      '--request',
      'GET /fhir/Patient/7',
      '--scopes',
      'patient/Patient.r',
    );
    expect(own.status).toBe(0);
  });
});

function activityText(): string {
  return ['worker-1', 'worker-2']
    .map((worker) => readFileSync(join(installed.folder, 'activity', `${worker}.00000001.jsonl`), 'utf8'))
    .join('');
}

function alive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
