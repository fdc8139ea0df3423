import type { Connection } from 'mysql2/promise';
import { accountSql } from '../names.ts';
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

/** The account as which the triggers run: there, locked, and with the privileges it needs and no other. */
export async function verifyDefiner(
  connection: Connection,
  { names }: VerifyContext,
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
    if (wanted.has(id)) continue;
    report({
      code: 'account-privilege-extra',
      severity: 'finding',
      object: account,
      sentence: `The account ${account} has ${privilege} on ${object}, which it does not need.`,
      sql: [`REVOKE ${privilege} ON ${object} FROM ${account}`],
    });
  }
}
