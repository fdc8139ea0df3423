import { type DatabaseId, parseDatabaseId } from '../contracts/identifiers.ts';
import type { BaselineTrust, CheckedDatabase, CheckerSettings, SealSettings } from '../contracts/settings.ts';
import { isLoopback } from './addresses.ts';
import { administratorKeysOf } from './administrator-keys.ts';
import { authorityOf } from './authority.ts';
import { ed25519PrivateKeyOf } from './pem.ts';
import {
  absolutePath,
  readPrivateKey,
  readSecret,
  SHORTEST_SHARED_SECRET,
  type Surroundings,
  socketPath,
} from './references.ts';
import { refuseRepeats } from './unique.ts';
import type { View } from './view.ts';

const DEFAULT_PORT = 3306;
/** Administrators who must have signed a baseline. */
const DEFAULT_SIGNATURES = 2;
/** Characters of a schema name (MySQL 8.4 manual, "Identifier Length Limits"). */
const SCHEMA_NAME_LIMIT = 64;

/** Builds the settings from a document that was judged by its schema; they count only without any fault. */
export function checkerOf(root: View, around: Surroundings): CheckerSettings {
  const list = root.at('databases');
  refuseRepeats(
    list.items.map((view) => view.at('id')),
    (line) => `is the id of another database already (line ${line})`,
  );
  return {
    file: around.file,
    socket: socketPath(root.at('socket'), around),
    secret: readSecret(root.at('secret'), around, SHORTEST_SHARED_SECRET),
    seal: sealOf(root, around),
    databases: list.items.map((view) => databaseOf(view, around)),
  };
}

/** Nothing said is not the permissive case: going without must be asked for by its full name. */
function sealOf(root: View, around: Surroundings): SealSettings | undefined {
  const view = root.at('seal');
  const without = root.at('auditRowsMayBeChangedUnnoticed');
  if (!view.exists) {
    if (without.flag !== true) {
      view.fault('is missing: a key and a folder for sealing audit rows, so that changed ones are noticed');
    }
    return undefined;
  }
  if (without.flag === true) without.fault('excludes "seal"; give one or the other', true);
  const place = view.at('key');
  const key = readPrivateKey(place, around);
  const judged = key === undefined ? undefined : ed25519PrivateKeyOf(key.reveal());
  if (judged?.ok === false) place.fault(judged.message);
  const directory = absolutePath(view.at('directory'), around);
  return key === undefined ? undefined : { key, directory };
}

function databaseOf(view: View, around: Surroundings): CheckedDatabase {
  const emrSchema = view.at('emrSchema').text ?? '';
  return {
    id: parseDatabaseId(view.at('id').text ?? '') ?? ('' as DatabaseId),
    ...connectionOf(view, around),
    user: view.at('user').text ?? '',
    password: readSecret(view.at('password'), around),
    emrSchema,
    auditSchema: auditSchemaOf(view, emrSchema),
    baseline: absolutePath(view.at('baseline'), around),
    baselineTrust: trustOf(view, around),
    fullCheckMs: view.at('fullCheck').milliseconds ?? 0,
    timeoutMs: view.at('timeout').milliseconds ?? 0,
    clockDifferenceMs: view.at('clockDifference').milliseconds ?? 0,
  };
}

/** Two administrators, unless the settings ask for the danger by its full name. */
function trustOf(view: View, around: Surroundings): BaselineTrust {
  const places = view.at('baselineKeys').items;
  const keys = administratorKeysOf(places, around);
  const single = view.at('singleAdministratorBaseline');
  const count = view.at('baselineSignatures');
  if (single.flag === true) {
    if (count.exists) count.fault('excludes "singleAdministratorBaseline"; give one or the other', true);
    return { keys, required: 1 };
  }
  const required = count.integer ?? DEFAULT_SIGNATURES;
  if (places.length > 0 && places.length < required) {
    view
      .at('baselineKeys')
      .fault(
        `${places.length === 1 ? 'is one key' : `are ${places.length} keys`}, and ${required} administrators must sign; list as many`,
      );
  }
  return { keys, required };
}

/** Exactly one way to the server; TLS with a known authority unless it does not leave the machine. */
function connectionOf(
  view: View,
  around: Surroundings,
): Pick<CheckedDatabase, 'host' | 'port' | 'socketPath' | 'authority'> {
  const host = view.at('host');
  const socket = view.at('socketPath');
  const authority = view.at('authority');
  if (socket.exists) {
    for (const key of ['host', 'port', 'authority']) {
      if (view.at(key).exists) view.at(key).fault('excludes "socketPath"; give one or the other', true);
    }
    return { host: undefined, port: undefined, socketPath: socketPath(socket, around), authority: undefined };
  }
  if (!host.exists) view.fault('needs "host" (and "port") or "socketPath", to reach the database server');
  if (host.text !== undefined && !isLoopback(host.text) && !authority.exists) {
    authority.fault(
      'is missing: a database server beyond loopback is reached with TLS only, and this is the authority of its certificate',
    );
  }
  return {
    host: host.text,
    port: view.at('port').integer ?? DEFAULT_PORT,
    socketPath: undefined,
    authority: authorityOf(authority, around),
  };
}

function auditSchemaOf(view: View, emrSchema: string): string {
  const place = view.at('auditSchema');
  if (!place.exists) {
    const name = `${emrSchema}_audit`;
    if ([...name].length > SCHEMA_NAME_LIMIT) {
      place.fault(
        `is missing, and "emrSchema" is too long for the usual name: with "_audit" it has over ${SCHEMA_NAME_LIMIT} characters`,
      );
    }
    return name;
  }
  // Compared without case: on some servers names that differ only in case are one schema.
  if (place.text !== undefined && place.text.toLowerCase() === emrSchema.toLowerCase()) {
    place.fault('must differ from "emrSchema": the EMR\'s SQL user must not reach the audit');
  }
  return place.text ?? '';
}
