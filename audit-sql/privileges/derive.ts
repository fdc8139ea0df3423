import { type ServerDescription, textsByView } from '../dialect.ts';
import {
  type AuditNames,
  GUARD_PROCEDURES,
  GUARD_TEXT_VIEW,
  INSTATEMENT_TABLE,
  PROBED_COLUMNS,
  sameAccount,
} from '../names.ts';
import type { Assignment } from './assign.ts';
import { type Globs, matcher } from './policy/glob.ts';
import type { PolicyRole, Switch, TableRule } from './policy/types.ts';
import { areaOf, heldBy, reachableBy, TEXT_PRIVILEGE } from './reach.ts';
import type { GrantObjects, GrantTable, Holding, LivePrivileges, WantedGrant } from './types.ts';

/** What must be known of the server to say which grants a role means. */
export interface Surroundings {
  readonly server: ServerDescription;
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

/** The privileges that show a guard's texts; see `textsByView`. */
const VIEW_PRIVILEGES = ['SELECT', 'SHOW VIEW'] as const;

function isGuardHolding({ scope, object, privilege }: Holding): boolean {
  if (scope === 'routine') {
    return (
      privilege === 'EXECUTE' &&
      object[1] === 'PROCEDURE' &&
      GUARD_PROCEDURES.some((procedure) => procedure === object[2])
    );
  }
  if (scope === 'column') return privilege === 'SELECT' && object[1] === INSTATEMENT_TABLE;
  return (
    scope === 'table' && object[1] === GUARD_TEXT_VIEW && VIEW_PRIVILEGES.some((name) => name === privilege)
  );
}

/**
 * EXECUTE on the guard procedures, and what shows their texts: of this audit, and of other audits that the
 * account may ask already.
 */
function guardGrants({ account, role }: Assignment, around: Surroundings): Unnamed[] {
  const { auditSchema } = around.names;
  const why = `the role "${role.name}", guard`;
  const elsewhere = heldBy(account, around.live).filter(
    (holding) => isGuardHolding(holding) && holding.object[0] !== auditSchema,
  );
  return [
    ...GUARD_PROCEDURES.map(
      (procedure): Unnamed => ({
        scope: 'routine',
        object: [auditSchema, 'PROCEDURE', procedure],
        privilege: 'EXECUTE',
        why,
      }),
    ),
    ...PROBED_COLUMNS.map(
      (column): Unnamed => ({
        scope: 'column',
        object: [auditSchema, INSTATEMENT_TABLE, column],
        privilege: 'SELECT',
        why,
      }),
    ),
    ...(textsByView(around.server)
      ? VIEW_PRIVILEGES.map(
          (privilege): Unnamed => ({
            scope: 'table',
            object: [auditSchema, GUARD_TEXT_VIEW],
            privilege,
            why,
          }),
        )
      : [{ scope: 'global', object: [], privilege: TEXT_PRIVILEGE, why } as const]),
    ...elsewhere.map(({ scope, object, privilege }): Unnamed => ({ scope, object, privilege, why })),
  ];
}

/** Whether a partial revoke keeps a global privilege from the EMR's schema. */
function isWithheld({ account, privilege }: Holding, { live, names }: Surroundings): boolean {
  return live.accounts.some(
    (one) =>
      sameAccount(one.account, account) &&
      one.restrictions.some(
        ({ schema, privileges }) => schema === names.emrSchema && privileges.includes(privilege),
      ),
  );
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
        ((h.scope === 'global' && !isWithheld(h, around)) ||
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
