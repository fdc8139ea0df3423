import type { Connection } from 'mysql2/promise';
import { dialectOf, type ServerDescription } from '../dialect.ts';
import {
  type Account,
  AUDIT_ROW_TABLE,
  accountSql,
  DIRECT_ROW_TABLE,
  INSTATEMENT_TABLE,
  literal,
  TRIGGER_PREFIX,
} from '../names.ts';
import type { Script } from '../writers/script.ts';
import type { Report, VerifyContext } from './findings.ts';
import { textRows } from './rows.ts';

/** `GRANT a, b ON x TO y` as object and privileges; undefined for anything else. */
function grant(sql: string): { readonly object: string; readonly privileges: readonly string[] } | undefined {
  const parts = /^GRANT (.+?) ON (?:TABLE )?(.+?) TO /.exec(sql);
  if (parts === null) return undefined;
  const privileges = (parts[1] ?? '').split(/\s*,\s*/).filter((privilege) => privilege !== 'USAGE');
  return { object: parts[2] ?? '', privileges };
}

const OBJECT = /^`((?:[^`]|``)+)`\.(?:\*|`((?:[^`]|``)+)`)$/s;

/** Whether triggers of ours run as this account on tables of that schema. */
async function isAudited(connection: Connection, schema: string, definer: Account): Promise<boolean> {
  const [row] = await textRows(
    connection,
    `SELECT COUNT(*) FROM information_schema.TRIGGERS WHERE TRIGGER_SCHEMA = ${literal(schema)}
        AND DEFINER = ${literal(`${definer.user}@${definer.host}`)} AND LOCATE(${literal(TRIGGER_PREFIX)}, TRIGGER_NAME) = 1`,
    'the triggers',
  );
  return Number(row?.[0]) > 0;
}

async function holdsLog(connection: Connection, schema: string): Promise<boolean> {
  const [row] = await textRows(
    connection,
    `SELECT COUNT(*) FROM information_schema.TABLES
      WHERE TABLE_SCHEMA = ${literal(schema)} AND TABLE_NAME = ${literal(INSTATEMENT_TABLE)}`,
    'the tables',
  );
  return Number(row?.[0]) > 0;
}

/**
 * Whether a privilege is what the audit of another schema of the same server needs: every audit's triggers
 * run as this account, unless it was called otherwise. Taking it away would make that EMR's statements fail.
 */
async function ofAnotherAudit(
  connection: Connection,
  definer: Account,
  server: ServerDescription,
  object: string,
  privilege: string,
): Promise<boolean> {
  const [, quoted = '', table] = OBJECT.exec(object) ?? [];
  if (quoted === '') return false;
  const plain = quoted.replaceAll('``', '`');
  if (table !== undefined) {
    if (privilege !== 'INSERT' || (table !== AUDIT_ROW_TABLE && table !== DIRECT_ROW_TABLE)) return false;
    return (await holdsLog(connection, plain)) && isAudited(connection, plain, definer);
  }
  const schema = plain.replace(/\\([_%])/g, '$1');
  // A pattern that means more than one schema is no audit's.
  if (dialectOf(server).grantSchema(schema) !== `\`${quoted}\``) return false;
  if (privilege === 'TRIGGER' && (await isAudited(connection, schema, definer))) return true;
  // A stopped audit has left its triggers, and by default its own schema is called so.
  const stopped = `${schema}_audit`;
  return (
    (privilege === 'TRIGGER' || privilege === 'SELECT') &&
    !(await holdsLog(connection, schema)) &&
    ((await isAudited(connection, schema, definer)) ||
      ((await holdsLog(connection, stopped)) && isAudited(connection, stopped, definer)))
  );
}

/** The account as which the triggers run: there, locked, and with the privileges it needs and no other. */
export async function verifyDefiner(
  connection: Connection,
  { names, server }: VerifyContext,
  start: Script,
  report: Report,
): Promise<void> {
  const account = accountSql(names.definer);
  const say = (code: 'account-missing' | 'account-not-locked', sentence: string): void =>
    report({
      code,
      severity: 'finding',
      object: account,
      sentence,
      sql: start.statements
        .map((s) => s.sql)
        .filter(
          (sql) =>
            sql.startsWith(`ALTER USER ${account} `) ||
            sql.startsWith(`CREATE USER IF NOT EXISTS ${account} `),
        ),
    });
  let created: string;
  let grants: string[];
  try {
    created = (await textRows(connection, `SHOW CREATE USER ${account}`, 'the accounts'))[0]?.[0] ?? '';
    grants = (await textRows(connection, `SHOW GRANTS FOR ${account}`, 'the accounts')).map(
      (row) => row[0] ?? '',
    );
  } catch (error) {
    const cause = (error as { cause?: { code?: unknown } }).cause;
    if (
      cause?.code !== 'ER_NONEXISTING_GRANT' &&
      cause?.code !== 'ER_CANNOT_USER' &&
      cause?.code !== 'ER_NO_SUCH_USER'
    )
      throw error;
    say(
      'account-missing',
      `The account ${account}, as which the triggers run, is missing: every change of an audited table fails.`,
    );
    return;
  }
  if (!/ACCOUNT LOCK/.test(created))
    say('account-not-locked', `The account ${account}, as which the triggers run, is not locked.`);
  const key = (object: string, privilege: string): string => JSON.stringify([object, privilege]);
  const spread = (list: readonly string[]): Map<string, readonly [string, string]> =>
    new Map(
      list.flatMap((sql) => {
        const found = grant(sql);
        return (found?.privileges ?? []).map(
          (privilege) =>
            [key(found?.object ?? '', privilege), [found?.object ?? '', privilege] as const] as const,
        );
      }),
    );
  const expected = start.statements
    .map((s) => s.sql)
    .filter((sql) => sql.startsWith('GRANT ') && sql.endsWith(` TO ${account}`));
  const wanted = spread(expected);
  const held = spread(grants);
  for (const [id, [object, privilege]] of wanted) {
    if (held.has(id)) continue;
    report({
      code: 'account-privilege-missing',
      severity: 'finding',
      object: account,
      sentence: `The account ${account} lacks ${privilege} on ${object}.`,
      sql: [`GRANT ${privilege} ON ${object} TO ${account}`],
    });
  }
  for (const [id, [object, privilege]] of held) {
    if (wanted.has(id) || (await ofAnotherAudit(connection, names.definer, server, object, privilege)))
      continue;
    report({
      code: 'account-privilege-extra',
      severity: 'finding',
      object: account,
      sentence: `The account ${account} has ${privilege} on ${object}, which it does not need.`,
      sql: [`REVOKE ${privilege} ON ${object} FROM ${account}`],
    });
  }
}
