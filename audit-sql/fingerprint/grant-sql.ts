import { accountSql, ident, qualified } from '../names.ts';
import type { PrivilegeFact } from './types.ts';

/** An account as GRANT and REVOKE name it; roles of MariaDB have no host, and PUBLIC is a word. */
function grantee({ user, host }: { readonly user: string; readonly host: string }): string {
  if (host !== '') return accountSql({ user, host });
  return user === 'PUBLIC' ? 'PUBLIC' : ident(user);
}

/** Privileges whose name in the server's tables is not the one in GRANT. */
const SPELT: Readonly<Record<string, string>> = { 'DELETE VERSIONING ROWS': 'DELETE HISTORY' };

/** What stands between GRANT or REVOKE and the account; undefined for what has no name in SQL. */
function what({ scope, object, privilege }: PrivilegeFact): string | undefined {
  const [a = '', b = '', c = ''] = object;
  if (/^BIT \d+$/.test(privilege)) return undefined;
  const name = SPELT[privilege] ?? privilege;
  switch (scope) {
    case 'global':
      return `${name} ON *.*`;
    case 'schema':
      // Written as it is stored, escapes and all.
      return `${name} ON ${ident(a)}.*`;
    case 'table':
      return `${name} ON ${qualified(a, b)}`;
    case 'column':
      return `${name} (${ident(c)}) ON ${qualified(a, b)}`;
    case 'routine':
      return /^(PROCEDURE|FUNCTION)$/.test(c) ? `${name} ON ${c} ${qualified(a, b)}` : undefined;
    case 'role':
      return grantee({ user: a, host: b });
    case 'proxy':
      return `PROXY ON ${accountSql({ user: a, host: b })}`;
  }
}

/** The statement that takes a privilege away again. */
export function revokeStatement(fact: PrivilegeFact): readonly string[] {
  const on = what(fact);
  return on === undefined ? [] : [`REVOKE ${on} FROM ${grantee(fact)};`];
}

/** The statement that gives a privilege back. */
export function grantStatement(fact: PrivilegeFact): readonly string[] {
  const on = what(fact);
  return on === undefined ? [] : [`GRANT ${on} TO ${grantee(fact)};`];
}
