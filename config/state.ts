import type { Secret } from '../contracts/settings.ts';
import type { StateSettings } from '../contracts/state.ts';
import { isLoopback } from './addresses.ts';
import { authorityOf } from './authority.ts';
import { absolutePath, readSecret, type Surroundings, socketPath } from './references.ts';
import { sealingKeysOf } from './sealing-keys.ts';
import type { View } from './view.ts';

const DEFAULT_PORT = 3306;

export interface StateProper {
  readonly state: StateSettings;
  readonly keys: readonly Secret[];
}

/** The state of one process; undefined when the settings have none. */
export function stateOf(view: View, around: Surroundings): StateProper | undefined {
  if (!view.exists) return undefined;
  const keys = sealingKeysOf(view.at('keys'), around);
  const file = view.at('file');
  const server = view.at('server');
  if (file.exists === server.exists) {
    view.fault(
      file.exists
        ? 'has both "file" and "server"; give one of them'
        : 'needs "file" (SQLite) or "server" (MySQL or MariaDB)',
    );
  }
  const state: StateSettings = server.exists
    ? serverOf(server, around)
    : { kind: 'sqlite', file: absolutePath(file, around) };
  return { state, keys };
}

function serverOf(view: View, around: Surroundings): StateSettings {
  const host = view.at('host');
  const socket = view.at('socketPath');
  const authority = view.at('authority');
  if (socket.exists) {
    for (const key of ['host', 'port', 'authority']) {
      if (view.at(key).exists) view.at(key).fault('excludes "socketPath"; give one or the other', true);
    }
  } else if (!host.exists) {
    view.fault('needs "host" (and "port") or "socketPath", to reach the server');
  } else if (host.text !== undefined && !isLoopback(host.text) && !authority.exists) {
    authority.fault(
      'is missing: a server beyond loopback is reached with TLS only, and this is the authority of its certificate',
    );
  }
  return {
    kind: 'mysql',
    host: socket.exists ? undefined : host.text,
    port: socket.exists ? undefined : (view.at('port').integer ?? DEFAULT_PORT),
    socketPath: socket.exists ? socketPath(socket, around) : undefined,
    database: view.at('database').text ?? '',
    user: view.at('user').text ?? '',
    password: readSecret(view.at('password'), around),
    authority: socket.exists ? undefined : authorityOf(authority, around),
  };
}
