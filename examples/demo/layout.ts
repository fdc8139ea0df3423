import { generateKeyPairSync, type KeyObject, randomBytes } from 'node:crypto';
import { chmodSync, copyFileSync, mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { give, type Isolation, type OsAccount } from './isolation.ts';

/** The folders of a running demo. Each process's own is closed to the others. */
export interface Layout {
  readonly gateway: string;
  readonly checker: string;
  readonly issuer: string;
  readonly emr: string;
  readonly logs: string;
  /** Where the checker's socket is: the checker's, and enterable for the gateway alone. */
  readonly run: string;
  readonly socket: string;
  readonly activity: string;
}

/** Makes the folders, with the secret that gateway and checker share, each its own copy. */
export function makeLayout(directory: string, isolation: Isolation): Layout {
  // A Unix socket's path is limited to 107 bytes; a checkout may lie deeper than that.
  const short =
    join(directory, 'run', 'c.sock').length < 100 ? directory : mkdtempSync(join(tmpdir(), 'chartgate-'));
  chmodSync(short, 0o711);
  const folder = (
    name: string,
    owner: OsAccount | undefined,
    group: OsAccount | undefined,
    mode: number,
  ): string => {
    const path = join(name === 'run' ? short : directory, name);
    mkdirSync(path, { recursive: true });
    give(path, owner, group);
    chmodSync(path, mode);
    return path;
  };
  const { gateway, checker } = isolation;
  // Set-group-id: the socket the checker makes gets the gateway's group without a group they share.
  const run = folder('run', checker, gateway, 0o2750);
  const layout: Layout = {
    gateway: folder('gateway', gateway, gateway, 0o700),
    checker: folder('checker', checker, checker, 0o700),
    issuer: folder('issuer', undefined, undefined, 0o700),
    emr: folder('emr', undefined, undefined, 0o700),
    logs: folder('logs', undefined, undefined, 0o700),
    run,
    socket: join(run, 'c.sock'),
    activity: folder('gateway/activity', gateway, gateway, 0o700),
  };
  const secret = randomBytes(32).toString('base64url');
  writeSecret(join(layout.gateway, 'attestation.secret'), secret, gateway);
  writeSecret(join(layout.checker, 'attestation.secret'), secret, checker);
  const seal = generateKeyPairSync('ed25519');
  const pem = (key: KeyObject, type: 'pkcs8' | 'spki'): string => String(key.export({ type, format: 'pem' }));
  writeSecret(join(layout.checker, 'seal.pem'), pem(seal.privateKey, 'pkcs8'), checker);
  // An auditor's copy would lie elsewhere.
  writeFileSync(join(directory, 'seal.pub.pem'), pem(seal.publicKey, 'spki'));
  const policy = join(layout.gateway, 'policy.yaml');
  copyFileSync(join(dirname(fileURLToPath(import.meta.url)), 'policy.yaml'), policy);
  give(policy, gateway);
  return layout;
}

/** Writes a file that its owner alone can read. */
export function writeSecret(path: string, text: string, owner: OsAccount | undefined): void {
  writeFileSync(path, text, { mode: 0o600 });
  give(path, owner);
}
