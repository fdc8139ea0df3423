import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { checkNetwork } from '../../../cli/commands/tunnel/networks.ts';
import { parseTenantId, type TenantId } from '../../../contracts/identifiers.ts';
import {
  FIRST_PORT,
  type NewGrant,
  parsePublicKey,
  TunnelRegistry,
} from '../../../tenant-router/tunnels/index.ts';

const field = (bytes: Buffer): Buffer => {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(bytes.length);
  return Buffer.concat([length, bytes]);
};

function ed25519(): string {
  const { publicKey } = generateKeyPairSync('ed25519');
  const raw = Buffer.from(publicKey.export({ format: 'jwk' }).x ?? '', 'base64url');
  return `ssh-ed25519 ${Buffer.concat([field(Buffer.from('ssh-ed25519')), field(raw)]).toString('base64')}`;
}

function rsa(bits: number): string {
  const { publicKey } = generateKeyPairSync('rsa', { modulusLength: bits });
  const { n = '', e = '' } = publicKey.export({ format: 'jwk' });
  const modulus = Buffer.concat([Buffer.from([0]), Buffer.from(n, 'base64url')]);
  const blob = [Buffer.from('ssh-rsa'), Buffer.from(e, 'base64url'), modulus].map(field);
  return `ssh-rsa ${Buffer.concat(blob).toString('base64')}`;
}

const tenant = (name: string): TenantId => {
  const id = parseTenantId(name);
  if (id === undefined) throw new Error(name);
  return id;
};
const wanted = (name: string, more: Partial<NewGrant> = {}): NewGrant => ({
  tenant: tenant(name),
  key: parsePublicKey(ed25519()),
  from: [],
  port: undefined,
  inUse: new Set(),
  at: 0,
  ...more,
});

describe('a public key', () => {
  it.each([
    ['an Ed25519 key', ed25519()],
    ['an RSA key of 3072 bits', rsa(3072)],
  ])('is taken: %s, and what stands behind it is left out', (_what, text) => {
    expect(parsePublicKey(`${text} somebody@clinic\n`).text).toBe(text);
    expect(parsePublicKey(text).fingerprint).toMatch(/^SHA256:[A-Za-z0-9+/]{43}$/);
  });

  it.each([
    ['nothing', ''],
    ['two keys', `${ed25519()}\n${ed25519()}`],
    ['options in front, which would be options of the tunnel', `command="sh" ${ed25519()}`],
    ['a private key', '-----BEGIN OPENSSH PRIVATE KEY-----'],
    ['an RSA key that is too short', rsa(2048)],
    ['DSA', 'ssh-dss AAAAB3NzaC1kc3MAAAA='],
    ['a NIST curve', 'ecdsa-sha2-nistp256 AAAAE2VjZHNhLXNoYTItbmlzdHAyNTY='],
    ['a certificate', 'ssh-ed25519-cert-v01@openssh.com AAAA'],
    ['lax base64', `${ed25519()}=`],
    ['a key of another type than it says', ed25519().replace(/^ssh-ed25519/, 'ssh-rsa')],
    ['a key that is cut', ed25519().slice(0, -8)],
  ])('is refused: %s', (_what, text) => {
    expect(() => parsePublicKey(text)).toThrow(/public key/);
  });

  it('never becomes more than type and base64, whatever is given', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (before, after) => {
        try {
          expect(parsePublicKey(`${before}${ed25519()} ${after}`).text).toMatch(
            /^ssh-ed25519 [A-Za-z0-9+/=]+$/,
          );
        } catch (error) {
          expect((error as { code?: string }).code).toBe('usage');
        }
      }),
    );
  });
});

describe('where a clinic dials from', () => {
  it.each([
    '192.0.2.1',
    '192.0.2.0/24',
    '192.0.2.128/25',
    '10.0.0.0/8',
    '192.0.2.1/32',
    '0.0.0.0/0',
    '2001:db8::1',
    '2001:db8::/32',
    '2001:db8:8000::/33',
    '::1/128',
    '::ffff:192.0.2.0/120',
  ])('%s is taken', (text) => expect(() => checkNetwork(text)).not.toThrow());

  it.each([
    ['clinic.example', /must be an address/, 'a name'],
    ['', /must be an address/, 'nothing'],
    ['fe80::1%eth0', /must be an address/, 'a zone, which sshd does not know'],
    ['192.0.2.0/24/24', /must be an address/, 'two lengths'],
    ['192.0.2.0/', /from 0 to 32/, 'no length'],
    ['192.0.2.0/33', /from 0 to 32/, 'too many bits'],
    ['192.0.2.0/024', /from 0 to 32/, 'a length that could be octal'],
    ['2001:db8::/129', /from 0 to 128/, 'too many bits'],
    ['192.0.2.1/24', /is 192\.0\.2\.0\/24 meant/, 'a host in a network: sshd matches nobody'],
    ['127.0.0.1/8', /is 127\.0\.0\.0\/8 meant/, 'the same'],
    ['2001:db8:1::5/33', /is 2001:db8::\/33 meant/, 'the same'],
    ['::ffff:192.0.2.1/120', /is ::ffff:c000:200\/120 meant/, 'the same, of an address within an address'],
  ])('%s is refused, as %s', (text, message) => {
    expect(() => checkNetwork(text)).toThrow(message);
  });
});

describe('the registry', () => {
  let directory: string;
  let registry: TunnelRegistry;
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'cg-tunnels-'));
    registry = new TunnelRegistry(directory);
    registry.create({ directory, user: 'tunnel', address: '127.0.0.1', port: 2222 }, 'SHA256:x');
  });
  afterEach(() => rmSync(directory, { recursive: true, force: true }));

  it('gives every tenant a port of its own, and none that was ever another’s or that somebody listens on', () => {
    expect(registry.issue(wanted('a')).port).toBe(FIRST_PORT);
    expect(registry.issue(wanted('b')).port).toBe(FIRST_PORT + 1);
    registry.revoke('a');
    // Settings of the former tenant may still name its port.
    expect(registry.issue(wanted('c')).port).toBe(FIRST_PORT + 2);
    expect(registry.issue(wanted('a')).port).toBe(FIRST_PORT + 3);
    const inUse = new Set([FIRST_PORT + 4]);
    expect(registry.issue(wanted('d', { inUse })).port).toBe(FIRST_PORT + 5);
  });

  it('still reads lists of former versions, which kept revoked keys without their ports', () => {
    const { key } = wanted('a');
    registry.issue(wanted('a', { key }));
    registry.revoke('a');
    const path = join(directory, 'tunnels.json');
    const { revoked, ...rest } = JSON.parse(readFileSync(path, 'utf8')) as { revoked: { key: string }[] };
    writeFileSync(path, JSON.stringify({ ...rest, revoked: revoked.map((each) => each.key) }));
    expect(() => registry.issue(wanted('b', { key }))).toThrow(/was revoked/);
    expect(registry.issue(wanted('b')).port).toBe(FIRST_PORT);
    expect(readFileSync(join(directory, 'revoked_keys'), 'utf8')).toBe(`${key.text}\n`);
  });

  it('writes nothing that it could not read again', () => {
    const before = readFileSync(join(directory, 'tunnels.json'), 'utf8');
    expect(() => registry.issue(wanted('a', { from: ['fe80::1%eth0'] }))).toThrow(/nothing was changed/);
    expect(readFileSync(join(directory, 'tunnels.json'), 'utf8')).toBe(before);
    expect(registry.read().grants).toEqual([]);
  });

  it.each<[string, (first: NewGrant) => NewGrant, RegExp]>([
    ['a tenant that has a tunnel', () => wanted('a'), /has a tunnel already/],
    [
      'a key that is another tenant’s',
      (first) => wanted('b', { key: first.key }),
      /every tenant needs its own/,
    ],
    ['a port that is another tenant’s', () => wanted('b', { port: FIRST_PORT }), /is tenant "a"'s/],
    [
      'a port that somebody listens on',
      () => wanted('b', { port: 21_000, inUse: new Set([21_000]) }),
      /in use by another process/,
    ],
    ['a port of the system', () => wanted('b', { port: 22 }), /from 1024/],
    ['a port that is none', () => wanted('b', { port: Number.NaN }), /whole number/],
  ])('refuses %s and changes nothing', (_what, next, message) => {
    const first = wanted('a');
    registry.issue(first);
    const before = readFileSync(join(directory, 'authorized_keys'), 'utf8');
    expect(() => registry.issue(next(first))).toThrow(message);
    expect(readFileSync(join(directory, 'authorized_keys'), 'utf8')).toBe(before);
  });

  it('refuses a port by name that was a revoked tunnel’s', () => {
    registry.issue(wanted('a'));
    registry.revoke('a');
    expect(() => registry.issue(wanted('b', { port: FIRST_PORT }))).toThrow(/tunnel that is revoked/);
  });

  it('writes one line a tenant, each with its port and no other right', () => {
    registry.issue(wanted('a', { from: ['192.0.2.0/24', '2001:db8::1'] }));
    const lines = readFileSync(join(directory, 'authorized_keys'), 'utf8')
      .split('\n')
      .filter((line) => line !== '' && !line.startsWith('#'));
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatch(
      /^restrict,port-forwarding,permitlisten="127\.0\.0\.1:20000",command="\/bin\/false",from="192\.0\.2\.0\/24,2001:db8::1" ssh-ed25519 \S+ a$/,
    );
  });

  it.each([
    ['damaged', '{'],
    ['of another version', '{"version":2}'],
    ['changed by hand, so that two tenants have a port', undefined],
  ])('refuses a list that is %s instead of guessing', (_what, text) => {
    registry.issue(wanted('a'));
    registry.issue(wanted('b'));
    const path = join(directory, 'tunnels.json');
    writeFileSync(path, text ?? readFileSync(path, 'utf8').replace('20001', '20000'));
    expect(() => registry.read()).toThrow(/restore it from a backup/);
    expect(() => registry.issue(wanted('c'))).toThrow();
  });
});
