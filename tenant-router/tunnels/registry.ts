import { randomBytes } from 'node:crypto';
import {
  chownSync as chown,
  closeSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { ChartgateError } from '../../contracts/errors.ts';
import { parseTenantId, type TenantId } from '../../contracts/identifiers.ts';
import type { TunnelGrant } from '../../contracts/tunnel.ts';
import { authorizedKeys } from './authorized-keys.ts';
import { type PublicKey, parsePublicKey } from './public-key.ts';
import type { TunnelServer } from './server-configuration.ts';

/** Ports that tunnels get unless told otherwise: below those that the kernel gives to connections (32768). */
export const FIRST_PORT = 20_000;
export const LAST_PORT = 29_999;

/** What the folder of the server for tunnels holds besides its keys. */
interface Registry {
  readonly version: 1;
  readonly server: TunnelServer;
  /** Fingerprint of the host key that clinics were given. */
  readonly hostKey: string;
  readonly grants: readonly TunnelGrant[];
  /** Keys that were taken back, whole, so that they stay refused whatever else happens to the list. */
  readonly revoked: readonly string[];
}

export interface NewGrant {
  readonly tenant: TenantId;
  readonly key: PublicKey;
  readonly from: readonly string[];
  /** Undefined: the lowest that is free. */
  readonly port: number | undefined;
  readonly at: number;
}

const file = (directory: string): string => join(directory, 'tunnels.json');

/** The grants of one server. Changes are made whole or not at all, by one process at a time. */
export class TunnelRegistry {
  readonly directory: string;

  constructor(directory: string) {
    this.directory = directory;
  }

  /** @throws ChartgateError `usage` when there is a server already */
  create(server: TunnelServer, hostKey: string): void {
    this.#locked(() => {
      if (this.#exists()) {
        throw new ChartgateError('usage', `${this.directory}: there is a server for tunnels already.`);
      }
      this.#write({ version: 1, server, hostKey, grants: [], revoked: [] });
    });
  }

  /** @throws ChartgateError `configuration-invalid` */
  read(): Registry {
    let text: string;
    try {
      text = readFileSync(file(this.directory), 'utf8');
    } catch (error) {
      const code = (error as NodeJS.ErrnoException).code;
      throw new ChartgateError(
        'configuration-invalid',
        code === 'ENOENT'
          ? `${this.directory}: no server for tunnels here; make one with: chartgate tunnel init`
          : `${file(this.directory)}: cannot be read (${code}); run this as the user of the server for tunnels, or as root.`,
      );
    }
    return parseRegistry(text, file(this.directory));
  }

  /** @throws ChartgateError `usage` for a tenant that has one, a key that is known or a port that is taken */
  issue(wanted: NewGrant): TunnelGrant {
    return this.#locked(() => {
      const registry = this.read();
      const { grants } = registry;
      if (grants.some(({ tenant }) => tenant === wanted.tenant)) {
        throw new ChartgateError(
          'usage',
          `Tenant "${wanted.tenant}" has a tunnel already; "chartgate tunnel revoke ${wanted.tenant}" ends it.`,
        );
      }
      const owner = grants.find(({ publicKey }) => publicKey === wanted.key.text);
      if (owner !== undefined) {
        throw new ChartgateError(
          'usage',
          `That key is tenant "${owner.tenant}"'s; every tenant needs its own.`,
        );
      }
      if (registry.revoked.includes(wanted.key.text)) {
        throw new ChartgateError('usage', 'That key was revoked; make a new one.');
      }
      const grant: TunnelGrant = Object.freeze({
        tenant: wanted.tenant,
        port: portFor(wanted.port, grants),
        publicKey: wanted.key.text,
        fingerprint: wanted.key.fingerprint,
        from: Object.freeze([...wanted.from]),
        issuedAt: wanted.at,
      });
      this.#write({ ...registry, grants: [...grants, grant] });
      return grant;
    });
  }

  /** The grant is gone and its key refused for ever. @throws ChartgateError `usage` for a tenant without one */
  revoke(tenant: string): TunnelGrant {
    return this.#locked(() => {
      const registry = this.read();
      const grant = registry.grants.find((each) => each.tenant === tenant);
      if (grant === undefined) throw new ChartgateError('usage', `Tenant "${tenant}" has no tunnel.`);
      this.#write({
        ...registry,
        grants: registry.grants.filter((each) => each !== grant),
        revoked: [...registry.revoked, grant.publicKey],
      });
      return grant;
    });
  }

  #exists(): boolean {
    return statSync(file(this.directory), { throwIfNoEntry: false }) !== undefined;
  }

  /** The lists that sshd reads follow from this one; each is put in place whole. */
  #write(registry: Registry): void {
    this.#put('revoked_keys', registry.revoked.map((key) => `${key}\n`).join(''));
    this.#put('authorized_keys', authorizedKeys(registry.grants));
    this.#put('tunnels.json', `${JSON.stringify(registry, undefined, 2)}\n`);
  }

  #put(name: string, text: string): void {
    const path = join(this.directory, name);
    const beside = `${path}.${randomBytes(6).toString('hex')}`;
    const owner = statSync(this.directory);
    writeFileSync(beside, text, { mode: 0o600, flush: true });
    // Root writes for the user whose server it is.
    if (process.geteuid?.() === 0) chown(beside, owner.uid, owner.gid);
    renameSync(beside, path);
  }

  #locked<T>(work: () => T): T {
    const lock = join(this.directory, 'tunnels.lock');
    let descriptor: number;
    try {
      descriptor = openSync(lock, 'wx', 0o600);
    } catch (error) {
      const code = (error as NodeJS.ErrnoException).code;
      throw new ChartgateError(
        'usage',
        code === 'EEXIST'
          ? `${lock}: another command changes the tunnels; if none is running, remove this file.`
          : `${this.directory}: cannot be written (${code}); run this as the user of the server for tunnels, or as root.`,
      );
    }
    try {
      return work();
    } finally {
      closeSync(descriptor);
      rmSync(lock, { force: true });
    }
  }
}

function portFor(wanted: number | undefined, grants: readonly TunnelGrant[]): number {
  const taken = new Map(grants.map(({ port, tenant }) => [port, tenant]));
  if (wanted !== undefined) {
    if (!Number.isInteger(wanted) || wanted < 1024 || wanted > 65_535) {
      throw new ChartgateError('usage', 'The port must be a whole number from 1024 to 65535.');
    }
    const owner = taken.get(wanted);
    if (owner !== undefined) throw new ChartgateError('usage', `Port ${wanted} is tenant "${owner}"'s.`);
    return wanted;
  }
  for (let port = FIRST_PORT; port <= LAST_PORT; port += 1) if (!taken.has(port)) return port;
  throw new ChartgateError('usage', `Every port from ${FIRST_PORT} to ${LAST_PORT} is taken.`);
}

/** What is in the file decides who gets a port: anything odd in it is refused whole. */
function parseRegistry(text: string, path: string): Registry {
  try {
    const found = JSON.parse(text) as Registry;
    if (found.version !== 1 || typeof found.hostKey !== 'string') throw new Error('version');
    const ports = new Set<number>();
    for (const grant of found.grants) {
      if (parseTenantId(grant.tenant) === undefined) throw new Error('tenant');
      if (!Number.isInteger(grant.port) || ports.has(grant.port)) throw new Error('port');
      if (parsePublicKey(grant.publicKey).fingerprint !== grant.fingerprint) throw new Error('key');
      if (!grant.from.every((address) => /^[0-9A-Fa-f.:/]+$/.test(address))) throw new Error('from');
      ports.add(grant.port);
    }
    for (const key of found.revoked) parsePublicKey(key);
    return found;
  } catch {
    throw new ChartgateError(
      'configuration-invalid',
      `${path}: is not as "chartgate tunnel" wrote it; restore it from a backup.`,
    );
  }
}
