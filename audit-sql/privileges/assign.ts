import { type Account, type AuditNames, sameAccount } from '../names.ts';
import type { PolicyRole, PrivilegePolicy } from './policy/types.ts';
import { areaOf, heldBy, showsTextsOnly } from './reach.ts';
import type { LiveAccount, LivePrivileges } from './types.ts';

/** An account whose grants the policy decides. */
export interface Assignment {
  readonly account: Account;
  readonly role: PolicyRole;
}

/** What every account of the server is to this policy. Each is in exactly one list. */
export interface Classified {
  readonly managed: readonly Assignment[];
  /** Two hooks match: whoever wrote the policy or named the user must decide. */
  readonly ambiguous: readonly { readonly account: Account; readonly roles: readonly string[] }[];
  /** A hook matches, but all its privileges are on another schema: it may be another EMR's. */
  readonly elsewhere: readonly Assignment[];
  readonly administrators: readonly Account[];
  readonly accepted: readonly Account[];
  /** Users without a name: whoever has no account of his own. */
  readonly anonymous: readonly Account[];
  /** PUBLIC of MariaDB, which everybody has. */
  readonly everybody: readonly Account[];
  /** The server's own, the audit's own, and roles. */
  readonly left: readonly Account[];
  readonly unmatched: readonly Account[];
  /** Named in the policy, but not on this server. */
  readonly missing: readonly Assignment[];
}

const SERVERS_OWN: ReadonlySet<string> = new Set([
  'mysql.sys',
  'mysql.session',
  'mysql.infoschema',
  'mariadb.sys',
]);

function rolesOf(account: Account, policy: PrivilegePolicy): PolicyRole[] {
  return policy.roles.filter(
    (role) =>
      role.accounts.some((named) => sameAccount(named, account)) ||
      role.prefixes.some((prefix) => account.user.startsWith(prefix)),
  );
}

/** True when a hook alone matched and the account has to do with other schemas only. */
function isElsewhere(
  account: Account,
  role: PolicyRole,
  live: LivePrivileges,
  names: AuditNames,
  literally: boolean,
): boolean {
  if (role.accounts.some((named) => sameAccount(named, account))) return false;
  const areas = heldBy(account, live)
    .filter((holding) => !(role.guard && showsTextsOnly(holding)))
    .map((holding) => areaOf(holding, names, literally));
  return (
    areas.includes('other') && !areas.some((area) => area === 'emr' || area === 'audit' || area === 'global')
  );
}

/** Sorts the accounts of a server by what the policy says of them. Never guesses. */
export function classify(
  live: LivePrivileges,
  policy: PrivilegePolicy,
  names: AuditNames,
  literally: boolean,
): Classified {
  const managed: Assignment[] = [];
  const ambiguous: { account: Account; roles: string[] }[] = [];
  const elsewhere: Assignment[] = [];
  const administrators: Account[] = [];
  const accepted: Account[] = [];
  const anonymous: Account[] = [];
  const everybody: Account[] = [];
  const left: Account[] = [];
  const unmatched: Account[] = [];
  const named = (list: readonly Account[], account: Account): boolean =>
    list.some((one) => sameAccount(one, account));

  const place = ({ account, isRole }: LiveAccount): void => {
    if (isRole) (account.user === 'PUBLIC' ? everybody : left).push(account);
    else if (account.user === '') anonymous.push(account);
    else if (SERVERS_OWN.has(account.user) && account.host === 'localhost') left.push(account);
    else if (sameAccount(account, names.definer) || sameAccount(account, names.guard)) left.push(account);
    else if (named([...policy.administrators, live.current], account)) administrators.push(account);
    else if (named(policy.accepted, account)) accepted.push(account);
    else {
      const roles = rolesOf(account, policy);
      const [role] = roles;
      if (role === undefined) unmatched.push(account);
      else if (roles.length > 1) ambiguous.push({ account, roles: roles.map((one) => one.name) });
      else if (isElsewhere(account, role, live, names, literally)) elsewhere.push({ account, role });
      else managed.push({ account, role });
    }
  };
  for (const one of live.accounts) place(one);
  const missing = policy.roles.flatMap((role) =>
    role.accounts
      .filter((account) => !live.accounts.some((one) => sameAccount(one.account, account)))
      .map((account) => ({ account, role })),
  );
  return {
    managed,
    ambiguous,
    elsewhere,
    administrators,
    accepted,
    anonymous,
    everybody,
    left,
    unmatched,
    missing,
  };
}
