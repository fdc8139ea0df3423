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
  readonly revoked: readonly Revoked[];
}

/** What was taken back stays refused, whatever else happens to the list. */
interface Revoked {
  readonly key: string;
  /** Nobody gets it again: settings of the former tenant may still name it. Undefined: not known any more. */
  readonly port?: number;
}

export interface NewGrant {
  readonly tenant: TenantId;
  readonly key: PublicKey;
  readonly from: readonly string[];
  /** Undefined: the lowest that is free. */
  readonly port: number | undefined;
  /** Ports that some process listens on. */
  readonly inUse: ReadonlySet<number>;
  readonly at: number;
}

const file = (directory: string): string => join(directory, 'tunnels.json');

/** The grants of one server. Changes are made whole or not at all, by one process at a time. */
export class TunnelRegistry {
  readonly directory: string;

  constructor(directory: string) {
    this.directory = directory;
  }

  /** Whether there is a server. */
  get exists(): boolean {
    return statSync(file(this.directory), { throwIfNoEntry: false }) !== undefined;
  }

  /** @throws ChartgateError `usage` when there is a server already */
  create(server: TunnelServer, hostKey: string): void {
    this.#locked(() => {
      if (this.exists) {
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
      if (registry.revoked.some(({ key }) => key === wanted.key.text)) {
        throw new ChartgateError('usage', 'That key was revoked; make a new one.');
      }
      const grant: TunnelGrant = Object.freeze({
        tenant: wanted.tenant,
        port: portFor(wanted, registry),
        publicKey: wanted.key.text,
        fingerprint: wanted.key.fingerprint,
        from: Object.freeze([...wanted.from]),
        issuedAt: wanted.at,
      });
      this.#write({ ...registry, grants: [...grants, grant] });
      return grant;
    });
  }

  /** The grant is gone, its key refused for ever, its port nobody's again. @throws ChartgateError `usage` for a tenant without one */
  revoke(tenant: string): TunnelGrant {
    return this.#locked(() => {
      const registry = this.read();
      const grant = registry.grants.find((each) => each.tenant === tenant);
      if (grant === undefined) throw new ChartgateError('usage', `Tenant "${tenant}" has no tunnel.`);
      this.#write({
        ...registry,
        grants: registry.grants.filter((each) => each !== grant),
        revoked: [...registry.revoked, { key: grant.publicKey, port: grant.port }],
      });
      return grant;
    });
  }

  /** The lists that sshd reads follow from this one; each is put in place whole. */
  #write(registry: Registry): void {
    const text = `${JSON.stringify(registry, undefined, 2)}\n`;
    try {
      checked(text);
    } catch {
      // What could not be read again would stop every other command too.
      throw new ChartgateError('internal', 'The list of tunnels would be damaged; nothing was changed.');
    }
    this.#put('revoked_keys', registry.revoked.map(({ key }) => `${key}\n`).join(''));
    this.#put('authorized_keys', authorizedKeys(registry.grants));
    this.#put('tunnels.json', text);
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

function portFor({ port: wanted, inUse }: NewGrant, { grants, revoked }: Registry): number {
  const taken = new Map(grants.map(({ port, tenant }) => [port, tenant]));
  const former = new Set(revoked.map(({ port }) => port));
  if (wanted !== undefined) {
    if (!Number.isInteger(wanted) || wanted < 1024 || wanted > 65_535) {
      throw new ChartgateError('usage', 'The port must be a whole number from 1024 to 65535.');
    }
    const owner = taken.get(wanted);
    if (owner !== undefined) throw new ChartgateError('usage', `Port ${wanted} is tenant "${owner}"'s.`);
    if (former.has(wanted)) {
      throw new ChartgateError(
        'usage',
        `Port ${wanted} was that of a tunnel that is revoked, and settings may still name it; choose another.`,
      );
    }
    if (inUse.has(wanted)) {
      throw new ChartgateError('usage', `Port ${wanted} is in use by another process; choose another.`);
    }
    return wanted;
  }
  for (let port = FIRST_PORT; port <= LAST_PORT; port += 1)
    if (!taken.has(port) && !former.has(port) && !inUse.has(port)) return port;
  throw new ChartgateError('usage', `Every port from ${FIRST_PORT} to ${LAST_PORT} is taken; name one.`);
}

/** What is in the file decides who gets a port: anything odd in it is refused whole. */
function parseRegistry(text: string, path: string): Registry {
  try {
    return checked(text);
  } catch {
    throw new ChartgateError(
      'configuration-invalid',
      `${path}: is not as "chartgate tunnel" wrote it; restore it from a backup.`,
    );
  }
}

/** @throws Error of any kind */
function checked(text: string): Registry {
  const found = JSON.parse(text) as Omit<Registry, 'revoked'> & { revoked: readonly (string | Revoked)[] };
  if (found.version !== 1 || typeof found.hostKey !== 'string') throw new Error('version');
  const ports = new Set<number>();
  for (const grant of found.grants) {
    if (parseTenantId(grant.tenant) === undefined) throw new Error('tenant');
    if (!Number.isInteger(grant.port) || ports.has(grant.port)) throw new Error('port');
    if (parsePublicKey(grant.publicKey).fingerprint !== grant.fingerprint) throw new Error('key');
    if (!grant.from.every((address) => /^[0-9A-Fa-f.:/]+$/.test(address))) throw new Error('from');
    ports.add(grant.port);
  }
  // Former versions kept the key alone.
  const revoked = found.revoked.map((each) => (typeof each === 'string' ? { key: each } : each));
  for (const { key, port } of revoked) {
    parsePublicKey(key);
    if (port !== undefined && (!Number.isInteger(port) || ports.has(port))) throw new Error('port');
  }
  return { ...found, revoked };
}
