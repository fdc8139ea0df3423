import {
  chownSync,
  closeSync,
  existsSync,
  fchmodSync,
  fsyncSync,
  linkSync,
  openSync,
  renameSync,
  rmSync,
  statSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { readGatewaySources, type Sources, type TenantFolder } from '../../../config/index.ts';
import { ChartgateError } from '../../../contracts/errors.ts';
import { parseTenantId, type TenantId } from '../../../contracts/identifiers.ts';
import type { GatewaySettings, TenantSettings } from '../../../contracts/settings.ts';
import { readSettings } from '../../../gateway/process/runtime.ts';

/** A gateway's settings as its files have them, sound, and the folder of its tenants. */
export interface Opened {
  readonly sources: Sources;
  readonly settings: GatewaySettings;
  readonly folder: TenantFolder;
}

/** @throws ConfigurationError for settings with faults, ChartgateError `usage` where they name no folder */
export function opened(file: string): Opened {
  const sources = readGatewaySources(file);
  const settings = readSettings(sources);
  if (sources.tenants === undefined) {
    throw new ChartgateError(
      'usage',
      `${file} names no folder for files of tenants: add "tenantsFolder: tenants.d", make the folder beside it (mode 0750, the gateway's group), and reload the gateway once.`,
    );
  }
  return { sources, settings, folder: sources.tenants };
}

export function tenantId(text: string): TenantId {
  const id = parseTenantId(text);
  if (id !== undefined) return id;
  throw new ChartgateError(
    'usage',
    'A tenant is lower-case letters, digits and hyphens, beginning with a letter.',
  );
}

export function fileOf(folder: TenantFolder, id: TenantId): string {
  return join(folder.folder, `${id}.yaml`);
}

/** The tenant as the files have it. @throws ChartgateError `usage` */
export function tenantIn({ settings }: Pick<Opened, 'settings'>, id: TenantId): TenantSettings {
  const tenant = settings.tenants.find((each) => each.id === id);
  if (tenant !== undefined) return tenant;
  throw new ChartgateError('usage', `There is no tenant "${id}" (see chartgate tenant list).`);
}

/** Its own file. @throws ChartgateError `usage` where it stands in the settings' main file */
export function ownFile(from: Opened, id: TenantId): string {
  tenantIn(from, id);
  const file = fileOf(from.folder, id);
  if (from.folder.files.has(file)) return file;
  throw new ChartgateError(
    'usage',
    `Tenant "${id}" stands in ${from.settings.file} itself: change it there and reload the gateway, or move it to ${file}.`,
  );
}

/**
 * Puts a file in its place whole or not at all, readable for its group as the folder is.
 * @param replace whether one that is there may be replaced
 * @throws ChartgateError `usage`
 */
export function putFile(folder: TenantFolder, id: TenantId, content: Uint8Array, replace: boolean): string {
  const path = fileOf(folder, id);
  const making = join(folder.folder, `.${id}.${process.pid}.making`);
  try {
    const mode = replace && existsSync(path) ? statSync(path).mode & 0o777 : 0o640;
    const descriptor = openSync(making, 'wx', mode);
    try {
      // Whatever the umask takes away: the gateway has to read it.
      fchmodSync(descriptor, mode);
      writeFileSync(descriptor, content);
      fsyncSync(descriptor);
    } finally {
      closeSync(descriptor);
    }
    giveLike(making, replace && existsSync(path) ? path : folder.folder);
    if (replace) renameSync(making, path);
    else {
      // Unlike a rename it fails for a name that somebody took meanwhile.
      linkSync(making, path);
      unlinkSync(making);
    }
    settle(folder.folder);
  } catch (error) {
    rmSync(making, { force: true });
    throw cannot(path, error);
  }
  return path;
}

/** Takes a tenant's file away and keeps it under a name that nobody reads. @returns that name */
export function putAway(folder: TenantFolder, id: TenantId): string {
  const path = fileOf(folder, id);
  const stamp = new Date().toISOString().replaceAll(/[-:]|\.\d+/g, '');
  const kept = `${path}.removed-${stamp}`;
  try {
    renameSync(path, kept);
    settle(folder.folder);
  } catch (error) {
    throw cannot(path, error);
  }
  return kept;
}

/** Undoes `putAway`. */
export function putBack(folder: TenantFolder, id: TenantId, kept: string): void {
  renameSync(kept, fileOf(folder, id));
  settle(folder.folder);
}

/** Root writes for the user and group whose folder it is. */
function giveLike(path: string, like: string): void {
  if (process.geteuid?.() !== 0) return;
  const { uid, gid } = statSync(like);
  chownSync(path, uid, gid);
}

/** Names in a folder are durable once the folder is. */
function settle(folder: string): void {
  const descriptor = openSync(folder, 'r');
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

function cannot(path: string, error: unknown): ChartgateError {
  if (error instanceof ChartgateError) return error;
  const { code } = error as NodeJS.ErrnoException;
  const why =
    code === 'EEXIST'
      ? 'it exists already; see --replace'
      : `${code ?? 'it failed'}; check the folder's mode and owner`;
  return new ChartgateError('usage', `${path} cannot be written: ${why}.`, { cause: error });
}
