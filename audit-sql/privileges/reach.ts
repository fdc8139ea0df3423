import { type Account, type AuditNames, printable } from '../names.ts';
import { accountKey, type Holding, type LivePrivileges } from './types.ts';

/** What a privilege is about. `test`: schemas that installers leave open to everybody. */
export const AREAS = ['global', 'emr', 'audit', 'system', 'test', 'other'] as const;
export type Area = (typeof AREAS)[number];

/**
 * Whether a schema pattern of GRANT covers a schema: `%` and `_` are wildcards and `\` escapes them, unless
 * the server takes them literally (MySQL's `partial_revokes`). Ignores case, since some servers do.
 */
export function covers(pattern: string, schema: string, literally: boolean): boolean {
  if (pattern.toLowerCase() === schema.toLowerCase()) return true;
  if (literally) return false;
  let source = '';
  for (let i = 0; i < pattern.length; i++) {
    const character = pattern[i] ?? '';
    if (character === '%') source += '.*';
    else if (character === '_') source += '.';
    else {
      const literal = character === '\\' && i + 1 < pattern.length ? (pattern[++i] ?? '') : character;
      source += literal.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&');
    }
  }
  return new RegExp(`^${source}$`, 'si').test(schema);
}

/** Which area a holding on schemas, tables or routines is in; the most important one it covers. */
export function areaOf(holding: Holding, names: AuditNames, literally: boolean): Area {
  if (holding.scope === 'global' || holding.scope === 'role' || holding.scope === 'proxy') return 'global';
  const pattern = holding.object[0] ?? '';
  const wide = holding.scope === 'schema';
  const on = (schema: string): boolean => covers(pattern, schema, literally || !wide);
  if (on(names.emrSchema)) return 'emr';
  if (on(names.auditSchema)) return 'audit';
  if (['mysql', 'sys', 'performance_schema'].some(on)) return 'system';
  return /^test($|\\?_)/i.test(pattern) ? 'test' : 'other';
}

/** The account itself, and every role it can use: granted, granted to a role, mandatory, PUBLIC. */
export function reachedFrom(account: Account, live: LivePrivileges): Account[] {
  const reached = new Map<string, Account>([[accountKey(account), account]]);
  const add = (role: Account): void => {
    if (!reached.has(accountKey(role))) reached.set(accountKey(role), role);
  };
  for (const role of live.mandatoryRoles) add(role);
  if (live.accounts.some((one) => one.isRole && one.account.user === 'PUBLIC'))
    add({ user: 'PUBLIC', host: '' });
  for (const one of reached.values()) {
    for (const holding of live.holdings) {
      if (holding.scope !== 'role' || accountKey(holding.account) !== accountKey(one)) continue;
      add({ user: holding.object[0] ?? '', host: holding.object[1] ?? '' });
    }
  }
  return [...reached.values()];
}

/** Shows the texts of routines, those of the guard among them, and allows nothing else (MySQL 8). */
export const TEXT_PRIVILEGE = 'SHOW_ROUTINE';

/** What a checker may hold on the whole server. It says nothing about which audit an account belongs to. */
export function showsTextsOnly({ scope, privilege }: Holding): boolean {
  return scope === 'global' && privilege === TEXT_PRIVILEGE;
}

/** What the account itself holds. */
export function heldBy(account: Account, live: LivePrivileges): Holding[] {
  const key = accountKey(account);
  return live.holdings.filter((holding) => accountKey(holding.account) === key);
}

/** Everything that the account can do, through roles too. */
export function reachableBy(account: Account, live: LivePrivileges): Holding[] {
  return reachedFrom(account, live).flatMap((one) => heldBy(one, live));
}

/** `pharmacist_ann@localhost`, for messages. */
export function accountText(account: Account): string {
  return printable(account.host === '' ? account.user : `${account.user}@${account.host}`).slice(1, -1);
}

/** `everything`, `emr.*`, `emr.patient`, `emr.patient (name)`, `PROCEDURE emr.p`, for messages. */
export function objectText({ scope, object }: Pick<Holding, 'scope' | 'object'>): string {
  const [a = '', b = '', c = ''] = object.map((part) => printable(part).slice(1, -1));
  switch (scope) {
    case 'global':
      return 'everything';
    case 'schema':
      return `${a}.*`;
    case 'table':
      return `${a}.${b}`;
    case 'column':
      return `${a}.${b} (${c})`;
    case 'routine':
      return `${b} ${a}.${c}`;
    default:
      if (a === '') return 'anybody';
      return b === '' ? a : `${a}@${b}`;
  }
}
