import type { Dialect } from '../dialect.ts';
import { type Account, accountSql, ident, printable, qualified } from '../names.ts';
import { type AccountPlan, type Difference, grantKey, type Scope } from '../privileges/types.ts';
import type { Statement } from './script.ts';

type Grant = Pick<Difference, 'scope' | 'object' | 'privilege'>;

/** From the widest on: while something narrower is taken, what is wanted holds already. */
const REVOKE_ORDER: readonly Scope[] = ['global', 'schema', 'table', 'column', 'routine'];

/** MariaDB's roles have no host. On MySQL an account can be without one, and is not the one with the host `%`. */
function grantee(account: Account, { engine }: Dialect): string {
  if (account.host !== '' || engine === 'mysql') return accountSql(account);
  return account.user === 'PUBLIC' ? 'PUBLIC' : ident(account.user);
}

/** What stands after ON. A schema's pattern is written as the server stores it. */
function target({ scope, object }: Grant): string {
  const [a = '', b = '', c = ''] = object;
  if (scope === 'global') return '*.*';
  if (scope === 'schema') return `${ident(a)}.*`;
  if (scope === 'routine') return `${b} ${qualified(a, c)}`;
  return qualified(a, b);
}

/** `SELECT (a, b), INSERT`: privileges of one target, those of columns with their columns. */
function privilegeList(grants: readonly Grant[]): string {
  const byPrivilege = new Map<string, string[] | undefined>();
  for (const grant of grants) {
    if (grant.scope !== 'column') {
      byPrivilege.set(grant.privilege, undefined);
      continue;
    }
    const key = `${grant.privilege} of columns`;
    const columns = byPrivilege.get(key) ?? [];
    columns.push(ident(grant.object[2] ?? ''));
    byPrivilege.set(key, columns);
  }
  return [...byPrivilege]
    .map(([name, columns]) =>
      columns === undefined ? name : `${name.replace(/ of columns$/, '')} (${columns.join(', ')})`,
    )
    .join(', ');
}

function byTarget<G extends Grant>(grants: readonly G[]): (readonly [string, G[]])[] {
  const groups = new Map<string, G[]>();
  for (const grant of grants) {
    const on = target(grant);
    const list = groups.get(on);
    if (list === undefined) groups.set(on, [grant]);
    else list.push(grant);
  }
  return [...groups];
}

/** One statement per thing. */
export function grantStatements(account: Account, grants: readonly Grant[], dialect: Dialect): Statement[] {
  const who = grantee(account, dialect);
  return byTarget(grants).map(([on, group]) => ({
    label: `grant on ${printable(on)} to ${who}`,
    sql: `GRANT ${privilegeList(group)} ON ${on} TO ${who}`,
  }));
}

/** Names in one REVOKE at most. */
const MOST_NAMES = 10;

/**
 * Never the whole list of global privileges in one statement: MySQL takes that for REVOKE ALL, which also
 * takes away every privilege on schemas. And MySQL's dynamic privileges, the names with `_`, before GRANT
 * OPTION: afterwards it leaves them. On MariaDB a privilege without a known name goes with all others.
 */
function revokeLists(group: readonly Grant[]): string[] {
  const option = group.filter((grant) => grant.privilege === 'GRANT OPTION');
  const rest = group.filter((grant) => grant.privilege !== 'GRANT OPTION');
  const last = option.length === 0 ? [] : ['GRANT OPTION'];
  if (rest.length === 0) return last;
  if (rest.some((grant) => /^BIT \d+$/.test(grant.privilege))) return ['ALL PRIVILEGES', ...last];
  if (rest[0]?.scope !== 'global') return [privilegeList(rest), ...last];
  const lists: string[] = [];
  for (const dynamic of [true, false]) {
    const part = rest.filter((grant) => grant.privilege.includes('_') === dynamic);
    for (let i = 0; i < part.length; i += MOST_NAMES) {
      lists.push(privilegeList(part.slice(i, i + MOST_NAMES)));
    }
  }
  return [...lists, ...last];
}

function revokeStatements(account: Account, revokes: readonly Grant[], dialect: Dialect): Statement[] {
  const who = grantee(account, dialect);
  const statements: Statement[] = [];
  const of = (scope: Scope): Grant[] => revokes.filter((grant) => grant.scope === scope);
  const roles = of('role');
  if (roles.some((grant) => grant.privilege === 'DEFAULT')) {
    statements.push({
      label: `no default role for ${who}`,
      sql:
        dialect.engine === 'mariadb'
          ? `SET DEFAULT ROLE NONE FOR ${who}`
          : `ALTER USER ${who} DEFAULT ROLE NONE`,
    });
  }
  for (const { object } of roles.filter((grant) => grant.privilege === 'MEMBER')) {
    const [user = '', host = ''] = object;
    const role = grantee({ user, host }, dialect);
    statements.push({ label: `revoke role ${role} from ${who}`, sql: `REVOKE ${role} FROM ${who}` });
  }
  for (const { object } of of('proxy')) {
    const proxied = accountSql({ user: object[0] ?? '', host: object[1] ?? '' });
    statements.push({ label: `revoke proxy from ${who}`, sql: `REVOKE PROXY ON ${proxied} FROM ${who}` });
  }
  for (const scope of REVOKE_ORDER) {
    for (const [on, group] of byTarget(of(scope))) {
      for (const list of revokeLists(group)) {
        statements.push({
          label: `revoke on ${printable(on)} from ${who}`,
          sql: `REVOKE ${list} ON ${on} FROM ${who}`,
        });
      }
    }
  }
  return statements;
}

/**
 * Statements after which an account holds exactly what is wanted. First what it lacks is granted, then what
 * it has too much is revoked, so that a running EMR never misses what it keeps.
 *
 * One case has a gap of one statement: where a privilege on a whole table shrinks to columns of it, both
 * engines take the columns along with the table, so they are granted after the revoke.
 */
export function accountStatements(plan: AccountPlan, dialect: Dialect): Statement[] {
  const { account, differences, wanted } = plan;
  const key = (grant: Grant): string => JSON.stringify([grant.object[0], grant.object[1], grant.privilege]);
  const revokes = differences.filter((one) => one.change === 'revoke');
  const tables = new Set(revokes.filter((one) => one.scope === 'table').map(key));
  const isShrunk = (grant: Grant): boolean => grant.scope === 'column' && tables.has(key(grant));
  const shrunk = wanted.filter(isShrunk);
  const shrinking = new Set(shrunk.map(key));
  const grants = differences.filter((one) => one.change === 'grant' && !isShrunk(one));
  const ahead = grantStatements(account, grants, dialect);
  const who = grantee(account, dialect);
  return [
    ...differences
      .filter((one) => one.change === 'create')
      .map(() => ({
        label: `account ${who}`,
        sql: `CREATE USER IF NOT EXISTS ${who} ${dialect.unusableAuthentication} ACCOUNT LOCK`,
      })),
    ...ahead,
    // The first such grant only lifts a partial revoke; the second one grants.
    ...(plan.restricted
      ? grantStatements(
          account,
          grants.filter((one) => one.scope === 'schema'),
          dialect,
        )
      : []),
    ...byTarget(revokes.filter((one) => one.scope === 'table' && shrinking.has(key(one)))).flatMap(
      ([on, group]) => [
        {
          label: `shrink ${printable(on)} of ${who}`,
          sql: `REVOKE ${privilegeList(group)} ON ${on} FROM ${who}`,
        },
        ...grantStatements(
          account,
          shrunk.filter((grant) => target(grant) === on && group.some((one) => key(one) === key(grant))),
          dialect,
        ),
      ],
    ),
    ...revokeStatements(
      account,
      revokes.filter((one) =>
        one.scope === 'table' ? !shrinking.has(key(one)) : !(one.scope === 'column' && tables.has(key(one))),
      ),
      dialect,
    ),
    // What was taken only because it came with a grant option.
    ...grantStatements(
      account,
      wanted.filter((grant) => revokes.some((one) => grantKey(one) === grantKey(grant))),
      dialect,
    ),
  ];
}

/** Statements that take rights from PUBLIC and from users without a name. */
export function everybodyStatements(differences: readonly Difference[], dialect: Dialect): Statement[] {
  const accounts = new Map<string, Account>();
  for (const { account } of differences) accounts.set(JSON.stringify(account), account);
  return [...accounts.values()].flatMap((account) =>
    revokeStatements(
      account,
      differences.filter((one) => one.account.user === account.user && one.account.host === account.host),
      dialect,
    ),
  );
}
