import { ChartgateError } from '../../contracts/errors.ts';
import type { PrivilegeFact, PrivilegeScope } from './types.ts';

/** A row of the snapshot's `grants` result set. */
export interface GrantRow {
  readonly scope: string;
  readonly user: string;
  readonly host: string;
  /** Which schemas that matter it covers: `of_emr`, `of_audit`, `of_system` (`mysql`). */
  readonly touches: readonly string[];
  readonly object: readonly string[];
  /** Separated by commas; for `global-bits` MariaDB's number. */
  readonly privileges: string;
}

/** `member` holds `role`. The host of a MariaDB role is empty. */
export interface RoleRow {
  readonly user: string;
  readonly host: string;
  readonly role: string;
  readonly roleHost: string;
}

/**
 * What can neither disable nor falsify the audit. Everything else counts, privileges of later versions
 * included. Writing the EMR's tables is harmless here: it is what the audit records.
 *
 * CREATE TEMPORARY TABLES is not: a session's own `audit_row` takes its audit rows, its own child of a table
 * hides cascades, and a temporary table of MERGE writes MyISAM tables past their triggers.
 */
const HARMLESS: Readonly<Record<string, ReadonlySet<string>>> = {
  global: new Set([
    'USAGE',
    'SELECT',
    'EXECUTE',
    'PROCESS',
    'SHOW DATABASES',
    'SHOW VIEW',
    'REPLICATION CLIENT',
    'BINLOG MONITOR',
    'SLAVE MONITOR',
    'SHOW CREATE ROUTINE',
    'SHOW_ROUTINE',
  ]),
  of_emr: new Set([
    'SELECT',
    'INSERT',
    'UPDATE',
    'DELETE',
    'EXECUTE',
    'SHOW VIEW',
    'LOCK TABLES',
    'REFERENCES',
  ]),
  of_audit: new Set(['SELECT', 'EXECUTE', 'SHOW VIEW']),
  of_system: new Set(['SELECT', 'EXECUTE', 'SHOW VIEW']),
};

/** Names of the bits of `access` in MariaDB's `mysql.global_priv`, from bit 0. */
const MARIADB_BITS = [
  'SELECT',
  'INSERT',
  'UPDATE',
  'DELETE',
  'CREATE',
  'DROP',
  'RELOAD',
  'SHUTDOWN',
  'PROCESS',
  'FILE',
  'GRANT OPTION',
  'REFERENCES',
  'INDEX',
  'ALTER',
  'SHOW DATABASES',
  'SUPER',
  'CREATE TEMPORARY TABLES',
  'LOCK TABLES',
  'EXECUTE',
  'REPLICATION SLAVE',
  'BINLOG MONITOR',
  'CREATE VIEW',
  'SHOW VIEW',
  'CREATE ROUTINE',
  'ALTER ROUTINE',
  'CREATE USER',
  'EVENT',
  'TRIGGER',
  'CREATE TABLESPACE',
  'DELETE HISTORY',
  'SET USER',
  'FEDERATED ADMIN',
  'CONNECTION ADMIN',
  'READ_ONLY ADMIN',
  'REPLICATION SLAVE ADMIN',
  'REPLICATION MASTER ADMIN',
  'BINLOG ADMIN',
  'BINLOG REPLAY',
  'SLAVE MONITOR',
  'SHOW CREATE ROUTINE',
] as const;

/** The privileges that a number in MariaDB's `mysql.global_priv` stands for; `BIT n` for unknown ones. */
export function bitNames(text: string): string[] {
  if (!/^\d{1,20}$/.test(text))
    throw new ChartgateError('database-unsupported', 'An account has unreadable privileges.');
  const names: string[] = [];
  let rest = BigInt(text);
  for (let bit = 0; rest > 0n; bit++, rest >>= 1n) {
    if ((rest & 1n) === 1n) names.push(MARIADB_BITS[bit] ?? `BIT ${bit}`);
  }
  return names;
}

/** `tables_priv` says `Show view`, `Grant`; `GRANT` says `SHOW VIEW`, `GRANT OPTION`. */
function privilegeName(text: string): string {
  const name = text.trim().toUpperCase();
  return name === 'GRANT' ? 'GRANT OPTION' : name;
}

function dangerous(row: GrantRow, privilege: string): boolean {
  if (row.scope === 'proxy') return true;
  if (row.scope === 'global') return HARMLESS.global?.has(privilege) !== true;
  return row.touches.some((schema) => HARMLESS[schema]?.has(privilege) !== true);
}

/** Keeps, of all grants of a server, those that could disable or falsify the audit, with the ways to them through roles. */
export function dangerousPrivileges(grants: readonly GrantRow[], roles: readonly RoleRow[]): PrivilegeFact[] {
  const facts: PrivilegeFact[] = [];
  for (const grant of grants) {
    const bits = grant.scope === 'global-bits';
    const row = bits ? { ...grant, scope: 'global' } : grant;
    const names = bits ? bitNames(grant.privileges) : grant.privileges.split(',').map(privilegeName);
    for (const privilege of names) {
      if (privilege === '' || !dangerous(row, privilege)) continue;
      facts.push({
        user: row.user,
        host: row.host,
        scope: row.scope as PrivilegeScope,
        object: row.object.filter((part) => part !== ''),
        privilege,
      });
    }
  }
  facts.push(...roleFacts(facts, roles));
  return facts;
}

function roleFacts(direct: readonly PrivilegeFact[], roles: readonly RoleRow[]): PrivilegeFact[] {
  const key = (user: string, host: string): string => JSON.stringify([user, host]);
  const holders = new Set(direct.map((fact) => key(fact.user, fact.host)));
  const counted = new Set<RoleRow>();
  // A role may hold a role: repeat until nothing is added.
  for (let before = -1; before !== counted.size; ) {
    before = counted.size;
    for (const row of roles) {
      if (counted.has(row) || !holders.has(key(row.role, row.roleHost))) continue;
      counted.add(row);
      holders.add(key(row.user, row.host));
    }
  }
  return [...counted].map((row) => ({
    user: row.user,
    host: row.host,
    scope: 'role' as const,
    object: row.roleHost === '' ? [row.role] : [row.role, row.roleHost],
    privilege: 'MEMBER',
  }));
}
