import { type AuditNames, GUARD_PROCEDURES, SNAPSHOT_PROCEDURE } from '../names.ts';
import type { Assignment } from './assign.ts';
import { type Globs, matcher } from './policy/glob.ts';
import type { PolicyRole, Switch, TableRule } from './policy/types.ts';
import { areaOf, heldBy, reachableBy } from './reach.ts';
import type { GrantObjects, GrantTable, LivePrivileges, WantedGrant } from './types.ts';

/** What must be known of the server to say which grants a role means. */
export interface Surroundings {
  readonly names: AuditNames;
  /** The EMR's schema as a schema-level grant stores it. */
  readonly schemaPattern: string;
  readonly objects: GrantObjects;
  readonly live: LivePrivileges;
  /** Patterns of schemas have no wildcards on this server. */
  readonly literally: boolean;
}

type Unnamed = Omit<WantedGrant, 'account'>;

const COLUMN_PRIVILEGES = ['SELECT', 'INSERT', 'UPDATE'] as const;

/** The tables and views that a rule is about. */
export function tablesOf(rule: TableRule, objects: GrantObjects): GrantTable[] {
  const tables = rule.tables === undefined ? () => false : matcher(rule.tables);
  const views = rule.views === undefined ? () => false : matcher(rule.views);
  return objects.tables.filter((one) => (one.kind === 'view' ? views(one.name) : tables(one.name)));
}

function tableGrants(role: PolicyRole, around: Surroundings): Unnamed[] {
  const schema = around.names.emrSchema;
  return role.tables.flatMap((rule, index) => {
    const why = `the role "${role.name}", rule ${index + 1} of its tables`;
    return tablesOf(rule, around.objects).flatMap((table): Unnamed[] => {
      const whole: Unnamed[] = [];
      const grant = (privilege: string): void => {
        whole.push({ scope: 'table', object: [schema, table.name], privilege, why });
      };
      for (const privilege of COLUMN_PRIVILEGES) {
        const choice = rule.columns[privilege];
        if (choice === 'all') grant(privilege);
        else if (choice !== undefined) {
          const chosen = matcher(choice, { ignoreCase: true });
          for (const column of table.columns.filter(chosen)) {
            whole.push({ scope: 'column', object: [schema, table.name, column], privilege, why });
          }
        }
      }
      if (rule.delete) grant('DELETE');
      return whole;
    });
  });
}

/** A column privilege says nothing where the same privilege on the table is granted too. */
function withoutImplied(grants: readonly Unnamed[]): Unnamed[] {
  const key = (object: readonly string[], privilege: string): string =>
    JSON.stringify([object[0], object[1], privilege]);
  const whole = new Set(grants.filter((g) => g.scope === 'table').map((g) => key(g.object, g.privilege)));
  const seen = new Set<string>();
  return grants.filter((grant) => {
    if (grant.scope === 'column' && whole.has(key(grant.object, grant.privilege))) return false;
    const own = JSON.stringify([grant.scope, grant.object, grant.privilege]);
    if (seen.has(own)) return false;
    seen.add(own);
    return true;
  });
}

function routineGrants(role: PolicyRole, globs: Globs, around: Surroundings): Unnamed[] {
  const chosen = matcher(globs);
  return around.objects.routines
    .filter((routine) => chosen(routine.name))
    .map((routine) => ({
      scope: 'routine',
      object: [around.names.emrSchema, routine.kind, routine.name],
      privilege: 'EXECUTE',
      why: `the role "${role.name}", execute`,
    }));
}

/** EXECUTE on the guard procedures: of this audit, and of other audits that the account may call already. */
function guardGrants({ account, role }: Assignment, around: Surroundings): Unnamed[] {
  const elsewhere = heldBy(account, around.live).filter(
    (h) =>
      h.scope === 'routine' &&
      h.privilege === 'EXECUTE' &&
      h.object[1] === 'PROCEDURE' &&
      h.object[2] === SNAPSHOT_PROCEDURE &&
      h.object[0] !== around.names.auditSchema,
  );
  return [
    ...GUARD_PROCEDURES.map((procedure) => [around.names.auditSchema, 'PROCEDURE', procedure]),
    ...elsewhere.map((h) => h.object),
  ].map((object) => ({
    scope: 'routine',
    object,
    privilege: 'EXECUTE',
    why: `the role "${role.name}", guard`,
  }));
}

/** Which grants a managed account is to hold, in a fixed order. */
export function wantedGrants(assignment: Assignment, around: Surroundings): WantedGrant[] {
  const { account, role } = assignment;
  const onSchema = (privilege: string, why: string): Unnamed => ({
    scope: 'schema',
    object: [around.schemaPattern],
    privilege,
    why: `the role "${role.name}", ${why}`,
  });
  const reachable = reachableBy(account, around.live);
  const has = (privilege: string): boolean =>
    reachable.some(
      (h) =>
        h.privilege === privilege &&
        (h.scope === 'global' ||
          (h.scope === 'schema' && areaOf(h, around.names, around.literally) === 'emr')),
    );
  const decided = (choice: Switch, privilege: string): boolean =>
    choice === 'yes' || (choice === 'keep' && has(privilege));

  const grants: Unnamed[] = role.schema.map((privilege) => onSchema(privilege, 'schema'));
  if (role.execute === 'all' || (role.execute === 'keep' && has('EXECUTE'))) {
    grants.push(onSchema('EXECUTE', 'execute'));
  } else if (role.execute === 'keep') {
    grants.push(
      ...reachable
        .filter(
          (h) => h.scope === 'routine' && h.privilege === 'EXECUTE' && h.object[0] === around.names.emrSchema,
        )
        .map(({ scope, object, privilege }) => ({
          scope,
          object,
          privilege,
          why: `the role "${role.name}", execute`,
        })),
    );
  } else if (role.execute !== 'none') {
    grants.push(...routineGrants(role, role.execute, around));
  }
  if (decided(role.temporaryTables, 'CREATE TEMPORARY TABLES')) {
    grants.push(onSchema('CREATE TEMPORARY TABLES', 'temporaryTables'));
  }
  if (decided(role.lockTables, 'LOCK TABLES')) grants.push(onSchema('LOCK TABLES', 'lockTables'));
  grants.push(...tableGrants(role, around));
  if (role.guard) grants.push(...guardGrants(assignment, around));
  return withoutImplied(grants).map((grant) => ({ account, ...grant }));
}
