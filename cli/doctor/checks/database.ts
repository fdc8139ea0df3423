import { readFileSync } from 'node:fs';
import type { Connection } from 'mysql2/promise';
import { openBaseline } from '../../../audit-sql/fingerprint/index.ts';
import {
  accountSql,
  auditNames,
  GUARD_PROCEDURES,
  GUARD_TEXT_VIEW,
  INSTATEMENT_TABLE,
} from '../../../audit-sql/names.ts';
import type { CheckedDatabase, CheckerSettings } from '../../../contracts/settings.ts';
import { connect } from '../../../integrity-checker/database/connect.ts';
import { isLoopbackAddress } from '../processes.ts';
import { attemptSql, type Places, SQL_ATTEMPTS } from '../sql-attempts.ts';
import { type Check, type CheckName, type Outcome, outcomes, type Subject } from '../types.ts';

/** Milliseconds between the two clocks that are too many for a time stamp to be evidence. */
const CLOCK_FAILED_MS = 2000;
const CLOCK_WARN_MS = 500;

type Look = (
  connection: Connection,
  database: CheckedDatabase,
  subject: Subject,
  /** What is looked at, for the outcome. */
  about: string,
) => Promise<Outcome | readonly Outcome[]>;

/** One check of each database over a connection as the checker makes it: same account, same TLS. */
function perDatabase(check: CheckName, look: Look, what: 'database' | 'server' = 'database'): Check {
  const { failed, skipped } = outcomes(check);
  return async (subject) => {
    if (subject.checker === undefined) return [skipped('', "it takes the checker's settings")];
    const told: Outcome[] = [];
    for (const [database, about] of looked(subject.checker.settings.databases, what)) {
      let link: Awaited<ReturnType<typeof connect>> | undefined;
      try {
        link = await connect(database, () => {});
        told.push(...[await look(link.connection.promise(), database, subject, about)].flat());
      } catch (error) {
        const { code, message } = error as { code?: string; message?: string };
        // A driver's message may quote a statement; its code does not.
        const why = code ?? (error instanceof Error ? error.constructor.name : 'error');
        const tls = /certificate|self.signed|altname/i.test(message ?? '')
          ? " (the server's certificate is not the authority's)"
          : '';
        told.push(
          failed(
            database.id,
            `it cannot be asked: ${why}${tls}`,
            "check address, account, password and authority in the checker's settings",
          ),
        );
      } finally {
        link?.destroy();
      }
    }
    return told;
  };
}

/** Each database, or one of each server with the names of all that are on it. */
function looked(
  databases: readonly CheckedDatabase[],
  what: 'database' | 'server',
): readonly (readonly [CheckedDatabase, string])[] {
  if (what === 'database') return databases.map((database) => [database, database.id]);
  const servers = Map.groupBy(
    databases,
    ({ socketPath, host, port }) => socketPath ?? `${host} port ${port}`,
  );
  return [...servers].flatMap(([server, [first]]) => (first === undefined ? [] : [[first, server] as const]));
}

/** The account holds EXECUTE on the guard procedures, sees their texts and holds nothing else, as the server itself lists it. */
export const sqlGrants: Check = perDatabase('sql-grants', async (connection, database, subject) => {
  const { ok, failed } = outcomes('sql-grants');
  const schemas = databasesOf(subject).map(({ auditSchema }) => auditSchema);
  const [rows] = await connection.query({ sql: 'SHOW GRANTS', rowsAsArray: true });
  const grants = (rows as unknown as readonly (readonly unknown[])[]).map(([line]) => String(line));
  const extra = grants.filter((line) => !harmless(line, schemas));
  if (extra.length > 0) {
    const shown = extra.map((line) => line.replace(/ IDENTIFIED .*$/, '').replace(/ TO .*$/, ''));
    return failed(
      database.id,
      `it holds more than it needs: ${shown.join('; ')}`,
      'chartgate audit-sql protect … --checker-user … --apply',
    );
  }
  return ok(database.id, `EXECUTE on ${GUARD_PROCEDURES.join(', ')} and sight of their texts, nothing else`);
});

function harmless(line: string, schemas: readonly string[]): boolean {
  if (/ WITH GRANT OPTION/.test(line)) return false;
  // The second one shows routines, the guard procedures among them, and allows nothing.
  if (/^GRANT (USAGE|SHOW_ROUTINE) ON \*\.\* TO /.test(line)) return true;
  return schemas.some((schema) =>
    [
      ...GUARD_PROCEDURES.map((name) => ['EXECUTE ON PROCEDURE', name] as const),
      ['SELECT, SHOW VIEW ON', GUARD_TEXT_VIEW] as const,
      // Whether its last line says started; the servers name the columns in an order of their own.
      ['SELECT (`id`, `action`) ON', INSTATEMENT_TABLE] as const,
      ['SELECT (`action`, `id`) ON', INSTATEMENT_TABLE] as const,
    ].some(([what, name]) =>
      line
        .toLowerCase()
        .startsWith(`grant ${what} \`${schema.replaceAll('`', '``')}\`.\`${name}\` to `.toLowerCase()),
    ),
  );
}

/** The table of attempts, really made. */
export const sqlAttempts: Check = perDatabase('sql-attempts', async (connection, database, { options }) => {
  const { ok, failed, skipped } = outcomes('sql-attempts');
  if (!options.sqlAttempts) return skipped(database.id, 'left out as asked for');
  const places = placesOf(database);
  if (typeof places === 'string') return skipped(database.id, places);
  const done = await attemptSql(connection, places);
  const reached = done.filter(({ denied }) => !denied);
  return reached.length === 0
    ? ok(database.id, `all of ${SQL_ATTEMPTS.length} forbidden statements were refused`)
    : failed(
        database.id,
        `the account can ${reached.map(({ what }) => what).join('; ')}`,
        'chartgate audit-sql protect … --checker-user … --apply',
      );
});

/** Names to try things on, from the baseline; why there are none otherwise. */
function placesOf(database: CheckedDatabase): Places | string {
  try {
    const { snapshot } = openBaseline(readFileSync(database.baseline), database.baselineTrust);
    const emr = database.emrSchema;
    const trigger = snapshot.triggers.find(({ schema }) => schema === emr);
    if (trigger === undefined) return 'the baseline has no trigger';
    const { definer } = auditNames({ emrSchema: emr, auditSchema: database.auditSchema });
    return {
      emr,
      audit: database.auditSchema,
      table: trigger.table,
      trigger: trigger.name,
      locked: accountSql(definer),
    };
  } catch {
    return 'without a valid baseline there are no names to try it on';
  }
}

/** Encrypted and verified beyond this machine. That the authority decides is shown by another one being refused. */
export const databaseTls: Check = perDatabase('database-tls', async (connection, database) => {
  const { ok, failed, skipped } = outcomes('database-tls');
  if (database.socketPath !== undefined)
    return skipped(database.id, 'reached over a Unix socket of this machine');
  const [rows] = await connection.query({ sql: "SHOW SESSION STATUS LIKE 'Ssl_cipher'", rowsAsArray: true });
  const cipher = String((rows as unknown as readonly (readonly unknown[])[])[0]?.[1] ?? '');
  const local = isLoopbackAddress(database.host ?? '');
  if (cipher === '') {
    return local
      ? skipped(database.id, 'reached over loopback, without TLS')
      : failed(database.id, 'the connection is not encrypted', "set `authority` in the checker's settings");
  }
  return ok(database.id, `${cipher}; certificate and name verified against the configured authority`);
});

/** Time stamps of audit rows and of the activity log are compared by people; they must mean the same. */
export const clock: Check = perDatabase(
  'clock',
  async (connection, _database, { options }, about) => {
    const { ok, failed, warn } = outcomes('clock');
    const before = options.now();
    // SYSDATE: not the session's `timestamp` variable.
    const [rows] = await connection.query({ sql: 'SELECT UNIX_TIMESTAMP(SYSDATE(6))', rowsAsArray: true });
    const after = options.now();
    const there = Number((rows as unknown as readonly (readonly unknown[])[])[0]?.[0]) * 1000;
    // What the question took is in the server's favour.
    const difference = there < before ? there - before : there > after ? there - after : 0;
    const shown = `the database's clock is ${Math.abs(Math.round(difference))} ms ${difference < 0 ? 'behind' : 'ahead'}`;
    const remedy = 'let both follow the same time servers (chrony, systemd-timesyncd)';
    if (Math.abs(difference) > CLOCK_FAILED_MS) return failed(about, shown, remedy);
    if (Math.abs(difference) > CLOCK_WARN_MS) return warn(about, shown, remedy);
    return ok(about, difference === 0 ? 'in step' : shown);
  },
  'server',
);

interface Setting {
  readonly name: string;
  readonly fits: (value: string, others: ReadonlyMap<string, string>) => boolean;
  readonly why: string;
}

const on = (value: string | undefined): boolean => value === 'ON' || value === '1';

/** What the audit's promises lean on. A server may have reasons of its own, so these are warnings. */
const SETTINGS: readonly Setting[] = [
  {
    name: 'innodb_flush_log_at_trx_commit',
    fits: (value) => value === '1',
    why: 'a crash of the server may lose the last committed rows, audit rows among them; set it to 1',
  },
  {
    name: 'sync_binlog',
    fits: (value, all) => !on(all.get('log_bin')) || value === '1',
    why: 'a crash may lose the end of the binary log; set it to 1',
  },
  {
    name: 'local_infile',
    fits: (value) => !on(value),
    why: 'clients may be asked for their files; set it to OFF',
  },
  {
    name: 'secure_file_priv',
    fits: (value) => value !== '',
    why: 'accounts with FILE may read and write anywhere; set it to a folder or NULL',
  },
  {
    name: 'init_connect',
    fits: (value) => value === '',
    why: 'it runs in every session of ordinary accounts and could change how they write; leave it empty',
  },
  {
    name: 'init_file',
    fits: (value) => value === '',
    why: 'it runs with all rights at every start; leave it empty',
  },
  {
    name: 'foreign_key_checks',
    fits: (value) => on(value),
    why: 'foreign keys are not kept unless a session asks for it; set it to ON',
  },
  {
    name: 'read_only',
    fits: (value) => !on(value),
    why: 'the server takes no writes: is it a replica? Point the checker at the server that the EMR writes to',
  },
];

export const serverSettings: Check = perDatabase(
  'server-settings',
  async (connection, database, _subject, about) => {
    const { ok, warn } = outcomes('server-settings');
    const [rows] = await connection.query({ sql: 'SHOW GLOBAL VARIABLES', rowsAsArray: true });
    const values = new Map(
      (rows as unknown as readonly (readonly unknown[])[]).map(([name, value]) => [
        String(name),
        String(value),
      ]),
    );
    const odd = SETTINGS.filter(({ name, fits }) => {
      const value = values.get(name);
      return value !== undefined && !fits(value, values);
    });
    const remote = database.socketPath === undefined && !isLoopbackAddress(database.host ?? '');
    const plain =
      remote && values.has('require_secure_transport') && !on(values.get('require_secure_transport'));
    const told = odd.map(({ name, why }) =>
      warn(`${about}: ${name}`, `it is ${JSON.stringify(values.get(name))}`, why),
    );
    if (plain)
      told.push(
        warn(
          `${about}: require_secure_transport`,
          'it is OFF',
          "accounts may send passwords and patients' data unencrypted; set it to ON",
        ),
      );
    return told.length > 0 ? told : ok(about, `${SETTINGS.length} settings are as they should be`);
  },
  'server',
);

function databasesOf({
  checker,
}: {
  checker: { settings: CheckerSettings } | undefined;
}): readonly CheckedDatabase[] {
  return checker?.settings.databases ?? [];
}
