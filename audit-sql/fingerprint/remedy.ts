import { accountSql, ident, literal, qualified, TRIGGER_PREFIX } from '../names.ts';
import { columnDefinition, defaultChange } from './column-sql.ts';
import type { FactDifference } from './differences.ts';
import { grantStatement, revokeStatement } from './grant-sql.ts';
import type { ForeignKeyFact, Snapshot } from './types.ts';

/** What must be known besides a difference to say how to undo it. */
export interface Surroundings {
  readonly expected: Snapshot;
  readonly found: Snapshot;
  /** `user@host` of the account that the audit's triggers run as. */
  readonly definers: ReadonlySet<string>;
  /** Tables of the baseline that are there under another name. */
  readonly renamed: ReadonlyMap<string, string>;
}

/** Loses rows or values for good; printed after the statement, where it stays SQL. */
const LOSSY = ' -- loses what is in it; or approve the change';
const APPROVED = ['baseline', 'approve'] as const;

type Command = 'start' | 'guard' | 'protect' | (typeof APPROVED)[number];

/** A command for the administrator, without the options that say which server. */
export function chartgateCommand(command: Command, { expected }: Surroundings): string {
  if (command === 'approve') return 'chartgate audit-sql approve NEW-BASELINE --private-key …';
  const quote = (name: string): string =>
    /^[A-Za-z0-9_.-]+$/.test(name) ? name : `'${name.replaceAll("'", "'\\''")}'`;
  const audit =
    expected.auditSchema === `${expected.emrSchema}_audit`
      ? ''
      : ` --audit-schema ${quote(expected.auditSchema)}`;
  const rest = command === 'baseline' ? '--private-key … --out NEW-BASELINE' : '--apply';
  return `chartgate audit-sql ${command} --schema ${quote(expected.emrSchema)}${audit} ${rest}`;
}

export function surroundingsOf(expected: Snapshot, found: Snapshot): Surroundings {
  const own = expected.triggers.filter((trigger) => trigger.name.startsWith(TRIGGER_PREFIX));
  return {
    expected,
    found,
    definers: new Set(own.map((trigger) => trigger.definer)),
    renamed: renamedTables(expected, found),
  };
}

const tableKey = (schema: string, name: string): string => JSON.stringify([schema, name]);

/** A missing table and a new one with the same columns, where there is just one such pair. */
function renamedTables(expected: Snapshot, found: Snapshot): ReadonlyMap<string, string> {
  const shapes = (snapshot: Snapshot, other: Snapshot): Map<string, string[]> => {
    const known = new Set(other.tables.map(({ schema, name }) => tableKey(schema, name)));
    const shape = new Map<string, string[]>();
    for (const column of snapshot.columns) {
      const key = tableKey(column.schema, column.table);
      if (known.has(key)) continue;
      const list = shape.get(key) ?? [];
      list.push(JSON.stringify([column.name, column.position, column.type]));
      shape.set(key, list);
    }
    const tables = new Map<string, string[]>();
    for (const [key, columns] of shape) {
      const text = columns.sort().join();
      tables.set(text, [...(tables.get(text) ?? []), key]);
    }
    return tables;
  };
  const added = shapes(found, expected);
  const renamed = new Map<string, string>();
  for (const [shape, missing] of shapes(expected, found)) {
    const [before, ...others] = missing;
    const now = added.get(shape);
    if (before !== undefined && others.length === 0 && now?.length === 1) renamed.set(before, now[0] ?? '');
  }
  return renamed;
}

/** The trigger is elsewhere only because its table was renamed; it comes back with it. */
function wentAlong(
  { expected, found }: FactDifference<'triggers'> & { readonly change: 'changed' },
  { renamed }: Surroundings,
): boolean {
  return (
    renamed.get(tableKey(expected.tableSchema, expected.table)) === tableKey(found.tableSchema, found.table)
  );
}

function isView(type: string): boolean {
  return /VIEW/.test(type);
}

/** What would undo a difference, in order; empty where digests cannot tell. */
export function remedyOf(difference: FactDifference, around: Surroundings): readonly string[] {
  const command = (name: Command): string => chartgateCommand(name, around);
  const approval = APPROVED.map(command);
  const fact = difference.change === 'missing' ? difference.expected : difference.found;
  const added = difference.change === 'added';
  switch (difference.list) {
    case 'triggers': {
      const { schema, name } = fact as Snapshot['triggers'][number];
      const drop = `DROP TRIGGER ${qualified(schema, name)};`;
      if (added) return [drop];
      if (difference.change === 'changed' && wentAlong(difference, around)) return [];
      if (!name.startsWith(TRIGGER_PREFIX)) return [];
      const moved = difference.change === 'changed' && /^table/.test(difference.field);
      return [...(moved ? [drop] : []), command('start')];
    }
    case 'tables':
      return tableRemedy(difference as FactDifference<'tables'>, around, approval);
    case 'columns':
      return columnRemedy(difference as FactDifference<'columns'>, around, approval);
    case 'views': {
      const { schema, name } = fact as Snapshot['views'][number];
      if (added) return [`DROP VIEW ${qualified(schema, name)};`];
      return schema === around.expected.auditSchema ? [command('start'), command('guard')] : [];
    }
    case 'foreignKeys':
      return foreignKeyRemedy(difference as FactDifference<'foreignKeys'>, around);
    case 'routines': {
      const { schema, name, type } = fact as Snapshot['routines'][number];
      if (added) return [`DROP ${type} ${qualified(schema, name)};`];
      return schema === around.expected.auditSchema ? [command('guard')] : [];
    }
    case 'events': {
      const { schema, name } = fact as Snapshot['events'][number];
      return added ? [`DROP EVENT ${qualified(schema, name)};`] : [];
    }
    case 'guards': {
      const { name, kind } = fact as Snapshot['guards'][number];
      return added
        ? [`DROP ${kind} ${qualified(around.expected.auditSchema, name)};`]
        : [command('guard'), command('protect')];
    }
    case 'accounts': {
      const { user, host } = fact as Snapshot['accounts'][number];
      const remake = command(around.definers.has(`${user}@${host}`) ? 'start' : 'guard');
      const unlocked = difference.change === 'changed' && difference.field === 'locked';
      return unlocked ? [`ALTER USER ${accountSql({ user, host })} ACCOUNT LOCK;`] : [remake];
    }
    case 'privileges': {
      const privilege = fact as Snapshot['privileges'][number];
      return added ? revokeStatement(privilege) : grantStatement(privilege);
    }
    case 'settings':
      return settingRemedy(difference as FactDifference<'settings'>);
    case 'extensions': {
      const { kind, name, library } = fact as Snapshot['extensions'][number];
      if (kind === 'plugin')
        return added
          ? [`UNINSTALL PLUGIN ${ident(name)};`]
          : [`INSTALL PLUGIN ${ident(name)} SONAME ${literal(library)};`];
      if (kind === 'component') return [`${added ? 'UNINSTALL' : 'INSTALL'} COMPONENT ${literal(name)};`];
      return added ? [`DROP FUNCTION ${ident(name)};`] : [];
    }
  }
}

function tableRemedy(
  difference: FactDifference<'tables'>,
  around: Surroundings,
  approval: readonly string[],
): readonly string[] {
  const start = chartgateCommand('start', around);
  if (difference.change === 'added') {
    const { schema, name, type } = difference.found;
    if (isView(type)) return [];
    const [before] = [...around.renamed].find(([, now]) => now === tableKey(schema, name)) ?? [];
    if (before !== undefined) return [];
    // A table of the EMR is more likely to be wanted than not.
    return schema === around.expected.emrSchema
      ? [start, ...approval]
      : [`DROP TABLE ${qualified(schema, name)};${LOSSY}`];
  }
  const { schema, name, type } = difference.expected;
  if (isView(type)) return [];
  if (difference.change === 'missing') {
    const now = around.renamed.get(tableKey(schema, name));
    if (now === undefined) return [];
    const [nowSchema = '', nowName = ''] = JSON.parse(now) as string[];
    return [`RENAME TABLE ${qualified(nowSchema, nowName)} TO ${qualified(schema, name)};`, start];
  }
  if (difference.field === 'engine') {
    return [`ALTER TABLE ${qualified(schema, name)} ENGINE = ${difference.expected.engine};`];
  }
  return [];
}

function isTable(schema: string, name: string, { tables }: Snapshot): boolean {
  return tables.some((one) => one.schema === schema && one.name === name && !isView(one.type));
}

function columnRemedy(
  difference: FactDifference<'columns'>,
  around: Surroundings,
  approval: readonly string[],
): readonly string[] {
  const start = chartgateCommand('start', around);
  if (difference.change === 'added') {
    const { schema, table, name } = difference.found;
    if (!isTable(schema, table, around.expected)) return [];
    return [`ALTER TABLE ${qualified(schema, table)} DROP COLUMN ${ident(name)};${LOSSY}`];
  }
  const { expected } = difference;
  const { schema, table, name } = expected;
  if (!isTable(schema, table, around.expected) || !isTable(schema, table, around.found)) return [];
  const alter = `ALTER TABLE ${qualified(schema, table)}`;
  if (difference.change === 'changed' && difference.field === 'default') {
    const change = defaultChange(expected, around.expected.engine);
    if (change !== undefined) return [`${alter} ALTER COLUMN ${ident(name)} ${change};`];
  }
  const definition = columnDefinition(expected, around.expected.engine);
  if (definition === undefined) return [];
  if (difference.change === 'missing') {
    const before = around.expected.columns.find(
      (one) => one.schema === schema && one.table === table && one.position === expected.position - 1,
    );
    const place = before === undefined ? 'FIRST' : `AFTER ${ident(before.name)}`;
    return [`${alter} ADD COLUMN ${ident(name)} ${definition} ${place};`, start];
  }
  if (difference.field === 'key') {
    const keys = around.expected.columns.filter(
      (one) => one.schema === schema && one.table === table && one.key === 'PRI',
    );
    // The order of the columns of a longer key is not among the facts.
    return keys.length === 1 && keys[0]?.name === name
      ? [`${alter} ADD PRIMARY KEY (${ident(name)});`]
      : approval;
  }
  return [`${alter} MODIFY COLUMN ${ident(name)} ${definition};`];
}

function foreignKeyRemedy(
  difference: FactDifference<'foreignKeys'>,
  around: Surroundings,
): readonly string[] {
  const { schema, table, name, position } =
    difference.change === 'added' ? difference.found : difference.expected;
  // Reported per column; one statement is about the whole key.
  if (position !== 1) return [];
  const alter = `ALTER TABLE ${qualified(schema, table)}`;
  const drop = `${alter} DROP FOREIGN KEY ${ident(name)};`;
  if (difference.change === 'added') return [drop];
  const parts = around.expected.foreignKeys
    .filter((one) => one.schema === schema && one.table === table && one.name === name)
    .sort((a, b) => a.position - b.position);
  const listed = (column: (part: ForeignKeyFact) => string): string =>
    parts.map((part) => ident(column(part))).join(', ');
  const { referencedSchema, referencedTable, onUpdate, onDelete } = difference.expected;
  const make =
    `${alter} ADD CONSTRAINT ${ident(name)} FOREIGN KEY (${listed((part) => part.column)}) ` +
    `REFERENCES ${qualified(referencedSchema, referencedTable)} (${listed((part) => part.referencedColumn)}) ` +
    `ON UPDATE ${onUpdate} ON DELETE ${onDelete};`;
  return difference.change === 'missing' ? [make] : [drop, make];
}

/** Settings that a running server takes. */
const DYNAMIC: ReadonlySet<string> = new Set([
  'mandatory_roles',
  'partial_revokes',
  'enable_cascade_triggers',
  'init_connect',
  'proxy_protocol_networks',
  'slave_run_triggers_for_rbr',
]);

function settingRemedy(difference: FactDifference<'settings'>): readonly string[] {
  if (difference.change === 'added') return [];
  const { name, value } = difference.expected;
  if (!DYNAMIC.has(name)) return [];
  // ON, OFF and the like are words; everything else is text.
  return [
    `SET GLOBAL ${name} = ${/^(ON|OFF|YES|NO|LOGGING|ENFORCE)$/.test(value) ? value : literal(value)};`,
  ];
}

/** What must come before what, by how a remedy begins; a name is free again before something takes it. */
const ORDER: readonly RegExp[] = [
  /^RENAME /,
  /^DROP TRIGGER /,
  /^(ALTER TABLE .* )?DROP /,
  /^(?!chartgate)/,
  /^chartgate audit-sql start /,
  /^chartgate audit-sql guard /,
  /^chartgate audit-sql protect /,
  /^chartgate audit-sql baseline /,
  /^/,
];

/** The remedies of several findings, each once, in an order in which they can be followed. */
export function remediesOf(findings: readonly { readonly remedy?: readonly string[] }[]): readonly string[] {
  const all = [...new Set(findings.flatMap(({ remedy }) => remedy ?? []))];
  const rank = (remedy: string): number => ORDER.findIndex((pattern) => pattern.test(remedy));
  return all
    .map((remedy) => ({ remedy, rank: rank(remedy) }))
    .sort((a, b) => a.rank - b.rank)
    .map(({ remedy }) => remedy);
}
