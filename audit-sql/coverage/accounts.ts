import { type AuditNames, sameAccount } from '../names.ts';
import { type Area, areaOf, objectText, reachableBy } from '../privileges/reach.ts';
import type { Holding, LivePrivileges } from '../privileges/types.ts';

/** What an account could do to the audit, worst first. */
export const POWERS = ['administer', 'disable', 'falsify', 'impersonate', 'bypass'] as const;
export type Power = (typeof POWERS)[number];

export const POWER_WORDS: Readonly<Record<Power, string>> = {
  administer: 'may give itself any privilege',
  disable: 'may drop or replace the triggers',
  falsify: 'may write where the audit is kept, or put a temporary table in its place',
  impersonate: 'may act as another account',
  bypass:
    'may change or remove rows without a trigger (TRUNCATE, DROP, ALTER, partitions, files, replayed row events)',
};

/** An account that could disable or get around the audit, and with what. */
export interface PowerfulAccount {
  /** `user@host`. */
  readonly account: string;
  /** Nobody can log in as it now. */
  readonly locked: boolean;
  readonly powers: readonly Power[];
  /** `DROP on emr.*`, in order of name; what it has through roles included. */
  readonly privileges: readonly string[];
}

const EVERYWHERE: Readonly<Record<string, Power>> = {
  SUPER: 'administer',
  'CREATE USER': 'administer',
  'GRANT OPTION': 'administer',
  ROLE_ADMIN: 'administer',
  'SET USER': 'impersonate',
  SET_USER_ID: 'impersonate',
  SET_ANY_DEFINER: 'impersonate',
  PROXY: 'impersonate',
  TRIGGER: 'disable',
  DROP: 'bypass',
  ALTER: 'bypass',
  FILE: 'bypass',
  // Row events of a log, replayed with a BINLOG statement, fire no trigger.
  'BINLOG REPLAY': 'bypass',
  BINLOG_ADMIN: 'bypass',
  // A temporary table called audit_row takes the place of the real one, for its session.
  'CREATE TEMPORARY TABLES': 'falsify',
  // What they write may be the server's own tables of privileges.
  INSERT: 'administer',
  UPDATE: 'administer',
  DELETE: 'administer',
};

/** What a privilege on something in an area is good for; nothing when it is harmless to the audit. */
const BY_AREA: Readonly<Record<Area, Readonly<Record<string, Power>>>> = {
  global: EVERYWHERE,
  system: { INSERT: 'administer', UPDATE: 'administer', DELETE: 'administer' },
  emr: { TRIGGER: 'disable', DROP: 'bypass', ALTER: 'bypass' },
  audit: {
    TRIGGER: 'disable',
    DROP: 'falsify',
    'CREATE TEMPORARY TABLES': 'falsify',
    ALTER: 'falsify',
    INSERT: 'falsify',
    UPDATE: 'falsify',
    DELETE: 'falsify',
  },
  test: {},
  other: {},
};

/**
 * Every account that could disable, falsify or get around the audit, the administrator's among them. The
 * audit's own two accounts are left out: that they are locked is checked elsewhere. Pure.
 * @param literally MySQL's `partial_revokes`: wildcards of GRANT are plain characters
 */
export function powerfulAccounts(
  live: LivePrivileges,
  names: AuditNames,
  literally: boolean,
): PowerfulAccount[] {
  const found: PowerfulAccount[] = [];
  for (const { account, isRole, locked } of live.accounts) {
    if (isRole || sameAccount(account, names.definer) || sameAccount(account, names.guard)) continue;
    const powers = new Set<Power>();
    const privileges = new Set<string>();
    for (const holding of reachableBy(account, live)) {
      const power = powerOf(holding, names, literally);
      if (power === undefined) continue;
      powers.add(power);
      privileges.add(`${holding.privilege} on ${objectText(holding)}`);
    }
    if (powers.size === 0) continue;
    found.push({
      account: `${account.user}@${account.host}`,
      locked,
      powers: POWERS.filter((power) => powers.has(power)),
      privileges: [...privileges].sort(),
    });
  }
  return found;
}

function powerOf(holding: Holding, names: AuditNames, literally: boolean): Power | undefined {
  if (holding.scope === 'role') return undefined;
  return BY_AREA[areaOf(holding, names, literally)][holding.privilege];
}
