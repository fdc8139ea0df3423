import type { Connection, RowDataPacket } from 'mysql2/promise';
import type { ServerDescription } from './dialect.ts';
import { type AuditNames, accountSql, GUARD_TEXT_VIEW, ident, printable } from './names.ts';
import { type Held, parseGrants, type Target } from './preflight/held.ts';
import { makesTriggers, type Need, needsOf } from './preflight/needs.ts';
import { readSettings, settingChecks } from './preflight/settings.ts';
import type { Script } from './writers/script.ts';

export const PREFLIGHT_CODES = [
  'privilege-missing',
  'binary-log-trust',
  'statement-binary-log',
  'server-read-only',
  'innodb-read-only',
  'storage-engine-disabled',
  'table-locks-refused',
  'schema-name-case',
  'packet-small',
  'privileges-unchecked',
  'time-not-the-servers',
  'cascades-fire-triggers',
  'cascades-above-innodb',
  'audit-schema-in-use',
  'account-in-use',
] as const;
export type PreflightCode = (typeof PREFLIGHT_CODES)[number];

/** Something about the server or the administrator that matters before a script is applied. */
export interface PreflightFinding {
  readonly code: PreflightCode;
  /** `stop`: the script cannot succeed, or not fully. */
  readonly severity: 'stop' | 'warn';
  readonly sentence: string;
  readonly remedy: string;
}

/** Privileges on one target that go into one GRANT. */
interface Group {
  readonly target: Target;
  readonly grantable: boolean;
  readonly privileges: string[];
}

function groups(missing: readonly Need[]): Group[] {
  const byTarget = new Map<string, Group>();
  // What must be passed on is asked for once, so: what is needed both ways goes to the stronger form.
  const passedOn = new Set(
    missing.filter((need) => need.grantable).map((need) => JSON.stringify([need.anyOf[0], need.target])),
  );
  for (const need of missing) {
    const privilege = need.anyOf[0] ?? '';
    if (!need.grantable && passedOn.has(JSON.stringify([privilege, need.target]))) continue;
    const key = JSON.stringify([need.target, need.grantable]);
    const group = byTarget.get(key) ?? { target: need.target, grantable: need.grantable, privileges: [] };
    if (!group.privileges.includes(privilege)) group.privileges.push(privilege);
    byTarget.set(key, group);
  }
  return [...byTarget.values()];
}

function where({ schema, object }: Target): string {
  if (schema === undefined) return 'the server';
  return object === undefined ? printable(schema) : `${printable(schema)}.${printable(object)}`;
}

function grantSql(group: Group, account: string, server: ServerDescription): string {
  const { schema, object } = group.target;
  const escaped = (name: string): string =>
    server.partialRevokes ? ident(name) : ident(name.replace(/[_%]/g, (c) => `\\${c}`));
  const what =
    schema === undefined
      ? '*.*'
      : object === undefined
        ? `${escaped(schema)}.*`
        : `${ident(schema)}.${ident(object)}`;
  const kind = group.privileges.includes('EXECUTE') && object !== undefined ? 'PROCEDURE ' : '';
  return `GRANT ${group.privileges.join(', ')} ON ${kind}${what} TO ${account}${group.grantable ? ' WITH GRANT OPTION' : ''};`;
}

/**
 * A thing that the script itself makes cannot be granted on before it is there: for those the schema is
 * asked for, as it is for whatever the audit's own schema holds.
 */
function widened(need: Need, names: AuditNames): Need {
  return need.target.schema === names.auditSchema && need.target.object !== undefined
    ? { ...need, target: { schema: names.auditSchema } }
    : need;
}

function missingPrivileges(
  script: Script,
  held: Held,
  account: string,
  server: ServerDescription,
  names: AuditNames,
): PreflightFinding[] {
  const missing = needsOf(script, server)
    .filter((need) =>
      need.anyOf.every((privilege) =>
        need.grantable ? !held.mayGrant(privilege, need.target) : !held.has(privilege, need.target),
      ),
    )
    .map((need) => widened(need, names));
  if (missing.length === 0) return [];
  const asked = groups(missing);
  const listed = asked.map(
    (group) =>
      `${group.privileges.join(', ')} on ${where(group.target)}${group.grantable ? ' with GRANT OPTION' : ''}`,
  );
  return [
    {
      code: 'privilege-missing',
      severity: 'stop',
      sentence: `${account} lacks, for ${script.name}: ${listed.join('; ')}.`,
      remedy: `As an account that has them: ${asked.map((group) => grantSql(group, account, server)).join(' ')}`,
    },
  ];
}

/** Accounts that the scripts will lock: is one of them somebody's already? */
async function accountChecks(
  connection: Connection,
  names: AuditNames,
  script: Script,
): Promise<PreflightFinding[]> {
  if (script.name !== 'start' && script.name !== 'guard') return [];
  const account = script.name === 'start' ? names.definer : names.guard;
  // SHOW CREATE USER is refused where there is no such account, and to who may not make any.
  const rows = await connection
    .query<RowDataPacket[]>(`SHOW CREATE USER ${accountSql(account)}`)
    .then(([found]) => found)
    .catch(() => [] as RowDataPacket[]);
  const made = rows.map((row) => String(Object.values(row)[0])).join('\n');
  if (made === '' || /\bACCOUNT LOCK\b/.test(made)) return [];
  return [
    {
      code: 'account-in-use',
      severity: 'warn',
      sentence: `The account ${printable(`${account.user}@${account.host}`)} is there and not locked; ${script.name} takes its password and locks it.`,
      remedy: 'If somebody uses it, give the audit accounts of other names first.',
    },
  ];
}

/** The audit's schema, when it holds what is not the audit's. */
async function schemaChecks(
  connection: Connection,
  names: AuditNames,
  script: Script,
): Promise<PreflightFinding[]> {
  if (script.name !== 'start') return [];
  const [tables] = await connection.query<(RowDataPacket & { name: string })[]>(
    'SELECT TABLE_NAME AS name FROM information_schema.TABLES WHERE TABLE_SCHEMA = ? ORDER BY BINARY TABLE_NAME',
    [names.auditSchema],
  );
  const strange = tables
    .map(({ name }) => name)
    .filter((name) => !name.startsWith('audit_') && name !== GUARD_TEXT_VIEW);
  if (strange.length === 0) return [];
  return [
    {
      code: 'audit-schema-in-use',
      severity: 'warn',
      sentence: `The schema ${printable(names.auditSchema)} holds ${strange.length} tables that are not the audit's, such as ${printable(strange[0] ?? '')}.`,
      remedy: 'Give the audit a schema of its own with --audit-schema, or move those tables.',
    },
  ];
}

/**
 * What would keep a script from doing its work, or make it mean something else, on this server with this
 * session's privileges and active roles. Reads only.
 * @throws the driver's error when the connection fails
 */
export async function preflight(
  connection: Connection,
  options: {
    readonly server: ServerDescription;
    readonly names: AuditNames;
    readonly script: Script;
    /** Makes a warning of `cascades-above-innodb`, which otherwise stops. */
    readonly acceptCascadesAboveInnodb?: boolean;
  },
): Promise<readonly PreflightFinding[]> {
  const { server, names, script } = options;
  const [grants] = await connection.query<RowDataPacket[]>('SHOW GRANTS');
  const held = parseGrants(
    grants.map((row) => String(Object.values(row)[0])),
    server.partialRevokes,
  );
  const [[me]] = await connection.query<(RowDataPacket & { account: string })[]>(
    'SELECT CURRENT_USER() AS account',
  );
  const at = String(me?.account ?? '').lastIndexOf('@');
  const user = String(me?.account ?? '');
  const account = accountSql({ user: user.slice(0, at), host: user.slice(at + 1) });
  const settings = await readSettings(connection);
  return [
    ...missingPrivileges(script, held, account, server, names),
    ...settingChecks(settings, {
      server,
      names,
      held,
      makesTriggers: makesTriggers(script),
      script: script.name,
      cascades: script.statements.some(({ label }) => label.startsWith('cascade ')),
      acceptCascadesAboveInnodb: options.acceptCascadesAboveInnodb === true,
    }),
    ...(await accountChecks(connection, names, script)),
    ...(await schemaChecks(connection, names, script)),
  ];
}
