import { dirname, resolve, sep } from 'node:path';
import {
  type FileAccess,
  loadCheckerSettings,
  loadGatewaySettings,
  loadIssuerSettings,
  realFiles,
} from '../../config/index.ts';
import { ConfigurationError } from '../../contracts/errors.ts';
import type { IssuerProcessSettings } from '../../contracts/issuer-settings.ts';
import type { CheckerSettings, GatewaySettings } from '../../contracts/settings.ts';

/** What one process must be able to reach; a path stands for everything below it when it ends in `/`. */
export interface Needs {
  readonly read: readonly string[];
  readonly write: readonly string[];
  /** The supervisor starts its own workers; nothing else starts anything. */
  readonly children: boolean;
  /** State in a SQLite file. `node:sqlite` is there then, and opens what the OS user may (docs/separation.md). */
  readonly sqlite?: boolean;
  /** Whether compiled code of a package is loaded: the engine that looks for injection is such. */
  readonly addons?: boolean;
}

/** What the runtime and the standard metrics of a process read about that process. */
const OWN_STATE = ['/proc/self/status', '/proc/self/limits', '/proc/self/fd'];

/** The gateway: supervisor and workers. Never throws for a faulty file; whoever starts then reports the faults. */
export function gatewayNeeds(file: string): Needs {
  const { settings, read } = recorded<GatewaySettings>((files) => loadGatewaySettings(file, { files }));
  const log = settings === undefined ? [] : [`${settings.activityLog.directory}/`];
  const state = settings?.state?.kind === 'sqlite' ? [`${dirname(settings.state.file)}/`] : [];
  const incidents = settings?.incidents === undefined ? [] : [`${settings.incidents.directory}/`];
  return {
    read: [...OWN_STATE, ...outside(own(file), read), ...log, ...state, ...incidents],
    write: [...log, ...state, ...incidents],
    children: true,
    sqlite: state.length > 0,
    addons: true,
  };
}

/** The checker. Its baselines are read again whenever they change, so they count although loading leaves them alone. */
export function checkerNeeds(file: string): Needs {
  const { settings, read } = recorded<CheckerSettings>((files) => loadCheckerSettings(file, { files }));
  const socket = settings === undefined ? [] : [settings.socket];
  const baselines = settings?.databases.map((database) => database.baseline) ?? [];
  const sealed = settings?.seal === undefined ? [] : [`${settings.seal.directory}/`];
  return {
    read: [...OWN_STATE, ...own(file), ...read, ...baselines, ...socket, ...sealed],
    write: [...socket, ...sealed],
    children: false,
  };
}

/** The embedded issuer: its settings, its state, its socket. */
export function issuerNeeds(file: string): Needs {
  const { settings, read } = recorded<IssuerProcessSettings>((files) => loadIssuerSettings(file, { files }));
  const socket = settings === undefined ? [] : [settings.socket];
  const state = settings?.state.kind === 'sqlite' ? [`${dirname(settings.state.file)}/`] : [];
  return {
    // Its threads, its session and the session's share of the cores: those that compute passwords stand back.
    read: [...OWN_STATE, '/proc/self/task/', '/proc/self/stat', ...own(file), ...read, ...socket, ...state],
    write: ['/proc/self/autogroup', ...socket, ...state],
    children: false,
    sqlite: state.length > 0,
  };
}

/**
 * Every file that loading looks at, in the way it will be looked at again: so that no list has to be kept
 * of which settings name files.
 */
function recorded<T>(load: (files: FileAccess) => T): { settings: T | undefined; read: readonly string[] } {
  const read: string[] = [];
  const files: FileAccess = {
    list(folder) {
      // A new file in it is taken while the process runs.
      read.push(`${folder}/`);
      return realFiles.list(folder);
    },
    read(path, limit) {
      read.push(path);
      return realFiles.read(path, limit);
    },
  };
  try {
    return { settings: load(files), read };
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error;
    return { settings: undefined, read };
  }
}

/** Folders, and of the files those that are in none of them: ten thousand tenants are no ten thousand flags. */
function outside(own: readonly string[], read: readonly string[]): readonly string[] {
  const paths = [...new Set([...own, ...read])];
  const folders = paths.filter((path) => path.endsWith('/'));
  return paths.filter((path) => !folders.some((folder) => folder !== path && path.startsWith(folder)));
}

/**
 * The folder of the settings, so that a reload may name new files beside them. Not one as wide as `/etc`:
 * there, only the files that the settings name.
 */
function own(file: string): readonly string[] {
  const path = resolve(file);
  const folder = dirname(path);
  return folder.split(sep).length > 2 ? [path, `${folder}/`] : [path];
}
