import { createPrivateKey, generateKeyPairSync, webcrypto } from 'node:crypto';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { loadX509 } from '../../../examples/support/load-x509.ts';
import { createAuthority } from '../../../examples/support/local-authority.ts';

/** Values that must never be seen in any output; nothing else in the tests contains them. */
export const CANARIES = {
  shared: 'canary-shared-0123456789',
  client: 'canary-client-0123456789',
  password: 'canary-password-0123456789',
} as const;

/** A folder of real files that a configuration refers to. */
export interface Folder {
  readonly path: string;
  write(name: string, content: string | Uint8Array, mode?: number): string;
  remove(): void;
}

/** @param suite name of the folder below `.work/` */
export async function makeFolder(suite: string): Promise<Folder> {
  const base = join(import.meta.dirname, '..', '..', '..', '.work', suite);
  mkdirSync(base, { recursive: true });
  const path = mkdtempSync(join(base, 'run-'));
  const write = (name: string, content: string | Uint8Array, mode = 0o644) => {
    const file = join(path, name);
    writeFileSync(file, content, { mode });
    chmodSync(file, mode); // whatever the umask is
    return file;
  };

  const authority = await createAuthority('Configuration Test Authority');
  const hosts = ['north.example', 'south.example'];
  const server = await authority.issue({ commonName: 'north.example', hosts });
  const other = await authority.issue({ commonName: 'other.example', hosts: ['other.example'] });
  const signer = generateKeyPairSync('ed25519');
  const stranger = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const pkcs8 = { type: 'pkcs8', format: 'pem' } as const;
  const spki = { type: 'spki', format: 'pem' } as const;

  write('chain.pem', server.certificatePem + authority.certificatePem);
  write('chain-disordered.pem', server.certificatePem + other.certificatePem);
  write('chain-weak.pem', await weakCertificate());
  write('chain-with-key.pem', server.certificatePem + server.keyPem);
  write('chain-damaged.pem', server.certificatePem.replace(/\n[^\n]+\n/, '\nAAAA\n'));
  write('key.pem', server.keyPem, 0o600);
  write('key-open.pem', server.keyPem, 0o644);
  write('key-other.pem', other.keyPem, 0o600);
  write(
    'key-encrypted.pem',
    createPrivateKey(server.keyPem).export({ ...pkcs8, cipher: 'aes-256-cbc', passphrase: 'open sesame' }),
    0o600,
  );
  write('authority.pem', authority.certificatePem);
  write('not-pem.txt', 'This is not a certificate.\n');
  write('not-pem-private.txt', 'This is not a key.\n', 0o600);
  write('shared.secret', `${CANARIES.shared}\n`, 0o600);
  write('client.secret', CANARIES.client, 0o600);
  write('password.secret', `${CANARIES.password}\r\n`, 0o400);
  write('short.secret', 'only-15-bytes..\n', 0o600);
  write('empty.secret', '\n', 0o600);
  write('huge.secret', 'x'.repeat(4097), 0o600);
  write('group.secret', CANARIES.shared, 0o640);
  write('others.secret', CANARIES.shared, 0o604);
  write('signer.pub.pem', signer.publicKey.export(spki));
  write('signer-2.pub.pem', generateKeyPairSync('ed25519').publicKey.export(spki));
  write('signer-3.pub.pem', generateKeyPairSync('ed25519').publicKey.export(spki));
  write('signer.pem', signer.privateKey.export(pkcs8), 0o600);
  write('stranger.pub.pem', stranger.publicKey.export(spki));
  write('policy.yaml', POLICY);
  return { path, write, remove: () => rmSync(path, { recursive: true, force: true }) };
}

async function weakCertificate(): Promise<string> {
  const x509 = await loadX509();
  const signingAlgorithm = {
    name: 'RSASSA-PKCS1-v1_5',
    hash: 'SHA-256',
    modulusLength: 1024,
    publicExponent: new Uint8Array([1, 0, 1]),
  };
  const keys = await webcrypto.subtle.generateKey(signingAlgorithm, true, ['sign', 'verify']);
  const now = Date.now();
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: '01',
    name: 'CN=weak.example',
    notBefore: new Date(now - 60_000),
    notAfter: new Date(now + 86_400_000),
    signingAlgorithm,
    keys,
  });
  return certificate.toString('pem');
}

export const POLICY = `routes:
  - id: read
    methods: [GET]
    path: /fhir/{resourceType}/{id}
    where: { resourceType: [Observation] }
    smart: { contexts: [user], resource: '{resourceType}', permission: r }
    hide: record
    hideDeadline: 200ms
    integrity: { mode: bounded, maxAge: 1s }
  - id: create
    methods: [POST]
    path: /fhir/Observation
    scopes: [openid]
    maxBody: 1MiB
    mediaTypes: [application/json]
    backendTimeout: 10s
    limit: { requests: 10, window: 1m }
`;

export const GATEWAY = `listen:
  host: 127.0.0.1
  port: 8443
  minimumTls: TLSv1.3
  certificate: chain.pem
  key: key.pem
operations:
  host: 127.0.0.1
  port: 9464
workers: 2
activityLog:
  directory: log
integrity:
  socket: /run/chartgate/checker.sock
  secret: { file: shared.secret }
  timeout: 1s
issuers:
  - id: sso
    issuer: https://sso.example
    authority: authority.pem
    algorithms: [ES256]
    introspection:
      clientId: chartgate
      clientSecret: { file: client.secret }
limits:
  perPeer: { requests: 100, window: 1m }
hiding: { deadline: 250ms }
policies:
  clinic: policy.yaml
tenants:
  - id: north
    hosts: [north.example, 'north.example:8443']
    audience: https://north.example
    issuers: [sso]
    database: north-emr
    policy: clinic
    identityHeader: X-Forwarded-User
    backends:
      - origin: http://127.0.0.1:9001
  - id: south
    hosts: [south.example]
    audience: https://south.example
    issuers: [sso]
    database: south-emr
    policy: clinic
    backends:
      - origin: https://emr.south.example
        authority: authority.pem
        connections: 8
`;

export const CHECKER = `socket: /run/chartgate/checker.sock
secret: { file: shared.secret }
databases:
  - id: north-emr
    socketPath: /run/mysqld/mysqld.sock
    user: chartgate_checker
    password: { file: password.secret }
    emrSchema: openemr
    baseline: north.json
    baselineKeys: [signer.pub.pem, signer-2.pub.pem]
  - id: south-emr
    host: db.south.example
    authority: authority.pem
    user: chartgate_checker
    password: { file: password.secret }
    emrSchema: oscar
    auditSchema: oscar_trail
    baseline: /var/lib/chartgate/south.json
    baselineKeys: [signer.pub.pem, signer-2.pub.pem]
    fullCheck: 10s
seal:
  key: signer.pem
  directory: sealed
`;
