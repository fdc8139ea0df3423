import { statSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { inspect } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  faultsOf,
  kindOf,
  loadCheckerSettings,
  loadGatewaySettings,
  loadPolicyDocument,
  locate,
  readGatewaySources,
  settingsFrom,
  warningsOf,
} from '../../config/index.ts';
import { ConfigurationError } from '../../contracts/errors.ts';
import type { CheckerSettings, GatewaySettings } from '../../contracts/settings.ts';
import { CANARIES, CHECKER, type Folder, GATEWAY, makeFolder, POLICY } from './support/folder.ts';

let folder: Folder;
let gatewayFile: string;
let gateway: GatewaySettings;
let checker: CheckerSettings;
beforeAll(async () => {
  folder = await makeFolder('config-settings');
  gatewayFile = folder.write('gateway.yaml', GATEWAY);
  gateway = loadGatewaySettings(gatewayFile);
  checker = loadCheckerSettings(folder.write('checker.yaml', CHECKER));
});
afterAll(() => folder.remove());

describe('settings of the gateway', () => {
  test('have paths absolute, durations in milliseconds and the defaults of the schema', () => {
    expect(gateway).toMatchObject({
      file: gatewayFile,
      listen: { host: '127.0.0.1', port: 8443, minimumTls: 'TLSv1.3' },
      operations: { host: '127.0.0.1', port: 9464 },
      workers: 2,
      activityLog: { directory: join(folder.path, 'log') },
      integrity: { socket: '/run/chartgate/checker.sock', timeoutMs: 1000 },
      limits: {
        perPeer: [{ requests: 100, windowSeconds: 60 }],
        perPrincipal: [{ requests: 600, windowSeconds: 60 }],
      },
      hiding: { deadlineMs: 250 },
      timeouts: { headersMs: 10_000, requestMs: 300_000, idleMs: 60_000, drainMs: 30_000, leaveMs: 0 },
    });
    expect(gateway.issuers).toMatchObject([
      {
        id: 'sso',
        issuer: 'https://sso.example',
        algorithms: ['ES256'],
        skewSeconds: 30,
        cache: { maxTokens: 10_000, maxSeconds: 60 },
        introspection: { clientId: 'chartgate' },
      },
    ]);
    expect(gateway.tenants).toMatchObject([
      {
        id: 'north',
        hosts: ['north.example', 'north.example:8443'],
        identityHeader: 'X-Forwarded-User',
        backends: [{ origin: 'http://127.0.0.1:9001', authority: undefined, connections: 64 }],
      },
      { id: 'south', identityHeader: undefined, backends: [{ connections: 8 }] },
    ]);
  });

  test('hold what the referenced files hold', () => {
    expect(gateway.integrity.secret.reveal().toString()).toBe(CANARIES.shared);
    expect(gateway.issuers[0]?.introspection?.clientSecret.reveal().toString()).toBe(CANARIES.client);
    expect(gateway.listen.certificate.toString()).toContain('-----BEGIN CERTIFICATE-----');
    expect(gateway.listen.key.reveal().toString()).toContain('PRIVATE KEY');
    expect(gateway.tenants[1]?.backends[0]?.authority).toBeInstanceOf(Buffer);
  });

  test('`auto` workers are one per core, up to 64', () => {
    const file = folder.write('auto.yaml', GATEWAY.replace('workers: 2', 'workers: auto'));
    expect(loadGatewaySettings(file, { cores: 3 }).workers).toBe(3);
    expect(loadGatewaySettings(file, { cores: 500 }).workers).toBe(64);
  });

  test('have no place for a credential of a database', () => {
    const text = inspect(gateway, { depth: Infinity, showHidden: true });
    expect(text).not.toMatch(/password|emrSchema|socketPath/i);
  });
});

test('the checker reaches a server by socket or by TLS, and keeps the audit in a schema of its own', () => {
  expect(checker.databases).toMatchObject([
    {
      id: 'north-emr',
      host: undefined,
      port: undefined,
      socketPath: '/run/mysqld/mysqld.sock',
      authority: undefined,
      auditSchema: 'openemr_audit',
      baseline: join(folder.path, 'north.json'),
      fullCheckMs: 5000,
      timeoutMs: 1000,
    },
    {
      id: 'south-emr',
      host: 'db.south.example',
      port: 3306,
      auditSchema: 'oscar_trail',
      fullCheckMs: 10_000,
    },
  ]);
  expect(checker.databases[1]?.authority).toBeInstanceOf(Buffer);
  expect(checker.databases[0]?.password.reveal().toString()).toBe(CANARIES.password);
});

test('a policy keeps what is written and adds no default', () => {
  const document = loadPolicyDocument(folder.write('lone.yaml', POLICY));
  expect(document.routes).toEqual([
    {
      id: 'read',
      methods: ['GET'],
      path: '/fhir/{resourceType}/{id}',
      where: { resourceType: ['Observation'] },
      smart: { contexts: ['user'], resource: '{resourceType}', permission: 'r' },
      hide: 'record',
      hideDeadlineMs: 200,
      integrity: { mode: 'bounded', maxAgeMs: 1000 },
    },
    {
      id: 'create',
      methods: ['POST'],
      path: '/fhir/Observation',
      scopes: ['openid'],
      maxBodyBytes: 1_048_576,
      mediaTypes: ['application/json'],
      backendTimeoutMs: 10_000,
      limit: { requests: 10, windowSeconds: 60 },
    },
  ]);
});

describe('secrets', () => {
  const canary = new RegExp(Object.values(CANARIES).join('|'));

  test('are not shown by anything that shows the settings', () => {
    for (const settings of [gateway, checker]) {
      const shown = [
        JSON.stringify(settings),
        inspect(settings, { depth: Infinity, showHidden: true, getters: true }),
        String(settings),
        `${settings.file}${settings}`,
      ];
      for (const text of shown) expect(text).not.toMatch(canary);
      expect(shown[0]).toContain('"[secret]"');
    }
    const { secret } = gateway.integrity;
    for (const text of [String(secret), `${secret}`, JSON.stringify(secret), inspect(secret)]) {
      expect(text.replaceAll('"', '')).toBe('[secret]');
    }
    expect(Object.getOwnPropertyNames(secret)).toEqual([]);
    expect(JSON.stringify(structuredClone({ ...secret }))).not.toMatch(canary);
  });

  test('a revealed secret is a copy', () => {
    const { secret } = gateway.integrity;
    secret.reveal().fill(0);
    expect(secret.reveal().toString()).toBe(CANARIES.shared);
  });

  test('are not in what is handed from process to process', () => {
    const sources = readGatewaySources(gatewayFile);
    const text = [sources.gateway, ...sources.policies.map(({ source }) => source)]
      .map(({ content }) => Buffer.from(content as Uint8Array).toString())
      .join('\n');
    expect(text).not.toMatch(canary);
    expect(text).not.toContain('-----BEGIN');
  });
});

test('settings are frozen to the last list', () => {
  const soft: string[] = [];
  const walk = (value: unknown, path: string) => {
    // JavaScript cannot freeze the bytes of a buffer.
    if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) return;
    if (!Object.isFrozen(value)) soft.push(path);
    for (const [key, part] of Object.entries(value)) walk(part, `${path}.${key}`);
  };
  walk(gateway, 'gateway');
  walk(checker, 'checker');
  for (const [name, document] of gateway.policies) walk(document, name);
  expect(soft).toEqual([]);
  expect(() => (gateway.policies as Map<string, unknown>).set('x', {})).toThrow(TypeError);
  expect(() => Map.prototype.set.call(gateway.policies, 'x', {})).toThrow(TypeError);
  expect([...gateway.policies.keys()]).toEqual(['clinic']);
});

describe('reloading', () => {
  test('makes the same settings of sources that travelled to another process', () => {
    const sources = structuredClone(readGatewaySources(gatewayFile));
    expect(JSON.stringify(settingsFrom(sources))).toBe(JSON.stringify(gateway));
  });

  test('uses the bytes that were read, whatever the files say by now', () => {
    folder.write('moving-policy.yaml', POLICY);
    const file = folder.write('moving.yaml', GATEWAY.replace('policy.yaml', 'moving-policy.yaml'));
    const sources = readGatewaySources(file);
    folder.write('moving.yaml', 'nonsense: true\n');
    folder.write('moving-policy.yaml', 'nonsense: true\n');
    expect(settingsFrom(sources).policies.get('clinic')?.routes).toHaveLength(2);
    expect(() => loadGatewaySettings(file)).toThrow(ConfigurationError);
  });

  test('reads secrets anew', () => {
    folder.write('rotating.secret', 'the first shared secret', 0o600);
    const file = folder.write('rotating.yaml', GATEWAY.replace('shared.secret', 'rotating.secret'));
    const sources = readGatewaySources(file);
    folder.write('rotating.secret', 'the second shared secret', 0o600);
    expect(settingsFrom(sources).integrity.secret.reveal().toString()).toBe('the second shared secret');
  });
});

describe('faults found by whoever compiles a policy', () => {
  test('are placed in its file, in the words of the file', () => {
    const file = folder.write('lone.yaml', POLICY);
    const document = loadPolicyDocument(file);
    expect(locate(document, '/routes/0/hideDeadlineMs')).toEqual({
      line: 8,
      column: 19,
      path: 'routes[0].hideDeadline',
    });
    expect(locate(document, '/routes/0/where/resourceType/0')).toMatchObject({
      line: 5,
      path: 'routes[0].where.resourceType[0]',
    });
    // Not written: the nearest place that is.
    expect(locate(document, '/routes/1/integrity/mode')).toMatchObject({
      line: 10,
      path: 'routes[1].integrity.mode',
    });
    expect(locate(document, '')).toEqual({ line: 1, column: 1, path: '' });
    expect(
      faultsOf(document, [
        { pointer: '/routes/1/maxBodyBytes', message: 'must be 0 (maxBodyBytes: 0)' },
        { pointer: '/routes/0/id', message: 'is listed twice' },
      ]),
    ).toEqual([
      { file, line: 2, column: 9, path: 'routes[0].id', message: 'is listed twice' },
      { file, line: 14, column: 14, path: 'routes[1].maxBody', message: 'must be 0 (maxBody: 0)' },
    ]);
  });

  test('are reported together with those of the gateway', () => {
    const file = folder.write('gateway-and-policy.yaml', GATEWAY.replace('port: 8443', 'port: 0'));
    const policyRules = (_: unknown, hideDeadlineMs: number) => [
      { pointer: '/routes/1/path', message: `no good at ${hideDeadlineMs}` },
    ];
    expect(() => loadGatewaySettings(file, { policyRules })).toThrow(
      /:3:9: listen\.port: [^\n]+\n[^\n]+policy\.yaml:12:11: routes\[1\]\.path: no good at 250$/,
    );
  });

  test('a capture may be called like a property of every object', () => {
    const text = POLICY.replace('where: { resourceType', "where: { constructor: ['a'], resourceType");
    const [route] = loadPolicyDocument(folder.write('constructor.yaml', text)).routes;
    expect(route?.where?.constructor).toEqual(['a']);
    expect(route?.where?.toString).toBeUndefined();
  });
});

test('a file is named in faults as the user named it, and used by its absolute path', () => {
  const named = relative(process.cwd(), folder.write('relative.yaml', GATEWAY));
  const settings = loadGatewaySettings(named);
  expect(settings.file).toBe(join(process.cwd(), named));
  folder.write('relative.yaml', GATEWAY.replace('port: 8443', 'port: 0'));
  expect(() => loadGatewaySettings(named)).toThrow(`${named}:3:9: listen.port`);
  folder.write('bad.yaml', 'routes: 1\n');
  folder.write('relative.yaml', GATEWAY.replace('policy.yaml', 'bad.yaml'));
  expect(() => loadGatewaySettings(named)).toThrow(`${join(dirname(named), 'bad.yaml')}:1:9: routes`);
});

test('the kind of a file is seen from its keys', () => {
  expect(kindOf(gatewayFile)).toBe('gateway');
  expect(kindOf(checker.file)).toBe('checker');
  expect(kindOf(join(folder.path, 'policy.yaml'))).toBe('policy');
  expect(kindOf(folder.write('other.yaml', 'secret: {}\nintegrity: {}\n'))).toBeUndefined();
  expect(kindOf(join(folder.path, 'not-there.yaml'))).toBeUndefined();
});

test('a route that passes what is no valid FHIR causes a warning that names it', () => {
  folder.write(
    'loose.yaml',
    `routes:
  - id: loose
    methods: [POST]
    path: /fhir/Patient
    smart: { contexts: [system], resource: Patient, permission: c }
    fhir: { version: R4, interaction: create }
    mediaTypes: [application/fhir+json]
    inspect: { payload: { acceptInvalidFhir: true } }
`,
  );
  const file = folder.write(
    'loose-gateway.yaml',
    GATEWAY.replace('clinic: policy.yaml', 'clinic: loose.yaml'),
  );
  const found = warningsOf(loadGatewaySettings(file)).find(({ code }) => code === 'payload-unvalidated');
  expect(found?.message).toBe('policies.clinic: route loose passes what is no valid FHIR');
});

test('what is allowed but dangerous causes a warning', () => {
  const file = folder.write(
    'dangerous.yaml',
    GATEWAY.replace('TLSv1.3', 'TLSv1.2')
      .replace(
        'host: 127.0.0.1\n  port: 9464',
        "host: '::'\n  port: 9464\n  exposeBeyondLoopbackInsecurely: true",
      )
      .replace('clinic: policy.yaml', 'clinic: policy.yaml\n  spare: policy.yaml')
      .replace('hosts: [south.example]', 'hosts: [east.example]'),
  );
  const codes = warningsOf(loadGatewaySettings(file)).map(({ code }) => code);
  expect(codes).toEqual([
    'tls-1.2-enabled',
    'operations-exposed',
    'certificate-expires-soon',
    'certificate-lacks-host',
    'policy-unused',
  ]);
});

test('gateways that share limits and each keep what was used for themselves cause a warning', () => {
  const redis = 'redis: { host: 127.0.0.1, gateways: 3 }';
  const PER_PEER = '  perPeer: { requests: 100, window: 1m }';
  const read = (text: string) => warningsOf(loadGatewaySettings(folder.write('several.yaml', text)));
  const found = read(GATEWAY.replace(PER_PEER, `${PER_PEER}\n  ${redis}`));
  expect(found.find(({ code }) => code === 'state-not-shared')?.message).toMatch(
    /^state: 3 gateways share limits, and there is no state; with "state.server"/,
  );
  const alone = read(GATEWAY.replace(PER_PEER, `${PER_PEER}\n  ${redis.replace('3', '1')}`));
  expect(alone.map(({ code }) => code)).not.toContain('state-not-shared');
});

test('plain HTTP over a network, and rows that nothing marks, cause warnings', () => {
  const shared = GATEWAY.replace('database: south-emr', 'database: north-emr').replace(
    'http://127.0.0.1:9001',
    'http://emr.example:9001\n        plainHttpBeyondLoopbackInsecurely: true',
  );
  const found = warningsOf(loadGatewaySettings(folder.write('sharing.yaml', shared)));
  expect(found.filter(({ code }) => code === 'backend-plain-http').map(({ message }) => message)).toEqual([
    'tenant north: http://emr.example:9001 is reached in plain HTTP; whoever is on the way reads and changes records',
  ]);
  const unmarked = found.filter(({ code }) => code === 'rows-unmarked').map(({ message }) => message);
  expect(unmarked).toHaveLength(2);
  expect(unmarked[0]).toMatch(/^tenant north: shares the database north-emr with other tenants/);
});

test('nothing of the folder was changed by reading it', () => {
  expect(statSync(join(folder.path, 'shared.secret')).mode & 0o777).toBe(0o600);
});
