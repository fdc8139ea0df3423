import type { Dialect } from '../dialect.ts';
import type { ReferentialRule, SchemaModel, TableModel, Unaudited, UnauditedReason } from '../model.ts';
import { printable } from '../names.ts';
import { CASCADE_EVENTS, type Cascade, type CascadeEvent, cascadeOf } from './cascade-paths.ts';
import { refusalsUnnamed } from './refused.ts';

const changesChildren = (rule: ReferentialRule): boolean => rule !== 'restrict';

function spot(reason: UnauditedReason, object: string, sentence: string): Unaudited {
  return { reason, object, sentence };
}

/** Cascades that cross the border of the schema. */
function otherSchemas(model: SchemaModel): Unaudited[] {
  const into = model.foreignChildren
    .filter((key) => changesChildren(key.onDelete) || changesChildren(key.onUpdate))
    .map((key) => {
      const child = `${printable(key.schema)}.${printable(key.table)}`;
      return spot(
        'cascade-into-other-schema',
        key.referencedTable,
        `A change of ${printable(key.referencedTable)} cascades to ${child}, which is not audited here.`,
      );
    });
  const from = model.tables.flatMap((table) =>
    table.foreignKeys
      .filter((key) => changesChildren(key.onDelete) || changesChildren(key.onUpdate))
      .flatMap(({ referencedSchema, referencedTable }) =>
        referencedSchema === undefined
          ? []
          : [
              spot(
                'cascade-from-other-schema',
                table.name,
                `A change of ${printable(referencedSchema)}.${printable(referencedTable)} cascades to ${printable(table.name)} and is not recorded: the parent is in another schema.`,
              ),
            ],
      ),
  );
  return [...into, ...from];
}

/** Children whose foreign keys share a column: what the first does decides what the second finds. */
function ordered(cascade: Cascade): Unaudited[] {
  return [...cascade.targets].flatMap(([child, paths]) => {
    const last = paths.flatMap((path) => path.at(-1) ?? []);
    const clash = last.some((a, i) =>
      last
        .slice(i + 1)
        .some(
          (b) =>
            a.key.name !== b.key.name &&
            (a.effect === 'update' || b.effect === 'update') &&
            a.key.columns.some((column) => b.key.columns.includes(column)),
        ),
    );
    const what = `${cascade.event === 'delete' ? 'A deletion from' : 'A key change in'} ${printable(cascade.origin.name)}`;
    return clash
      ? [
          spot(
            'cascade-order',
            child,
            `${what} reaches ${printable(child)} by foreign keys that share a column; which one the engine follows first decides the outcome, and the record may differ from it.`,
          ),
        ]
      : [];
  });
}

/** True when another foreign key may refuse what some step of the cascade does. */
function isHeld({ origin, event, targets }: Cascade, model: SchemaModel): boolean {
  const steps = [...targets.values()].flat(2);
  const changed = (effect: CascadeEvent): ReadonlySet<string> =>
    new Set([
      ...(effect === event ? [origin.name] : []),
      ...steps.filter((step) => step.effect === effect).map(({ child }) => child.name),
    ]);
  const [deleted, updated] = [changed('delete'), changed('update')];
  const assigned = new Set(steps.flatMap((step) => [...step.assigned.keys()]));
  return model.tables.some(({ foreignKeys }) =>
    foreignKeys.some(
      (key) =>
        (deleted.has(key.referencedTable) && !changesChildren(key.onDelete)) ||
        (updated.has(key.referencedTable) &&
          !changesChildren(key.onUpdate) &&
          (event === 'update' || key.referencedColumns.some((column) => assigned.has(column)))),
    ),
  );
}

/**
 * Which of the faults of MySQL's own layer the foreign keys below a table can bring about; each was seen on
 * MySQL 9.7 without any audit (test/audit-sql/cascade-layer.test.ts).
 */
function layerFaults(table: TableModel, cascades: readonly Cascade[], model: SchemaModel): string[] {
  const paths = cascades.flatMap(({ targets }) => [...targets.values()].flat());
  const continued = new Set(paths.flatMap((path) => path.slice(0, -1).map(({ child }) => child.name)));
  const twice = cascades.some(({ targets }) =>
    [...targets].some(([child, ways]) => ways.length > 1 && continued.has(child)),
  );
  const ring =
    paths.some((path) => path.some(({ child, parent }) => child.name === parent.name)) ||
    paths.some((path) => new Set([table.name, ...path.map(({ child }) => child.name)]).size <= path.length);
  const below = table.foreignKeys.some((key) => changesChildren(key.onDelete));
  return [
    ...(continued.size > 0
      ? [
          'of several rows that have children of their own it may follow only the first, ' +
            'and what keeps it from changing the others (a lock wait, a deadlock, a key that refuses) it does not report: the statement succeeds and is half done, or undone',
          'REPLACE fires the triggers of a deletion and cascades only in part',
        ]
      : []),
    ...(twice ? ['rows reached in several ways it may follow in the first only'] : []),
    ...(ring ? ['a ring of foreign keys it does not follow back to where it began'] : []),
    ...(cascades.some((cascade) => isHeld(cascade, model))
      ? ['with IGNORE it keeps a part of a cascade that a restricting key refused']
      : []),
    ...(below && cascades.some(({ event }) => event === 'delete')
      ? [
          'with enable_cascade_triggers = ON, a DELETE from it and a parent of it at once may fire no trigger for its children',
        ]
      : []),
  ];
}

function layerSentence(name: string, faults: readonly string[]): string {
  return (
    `While innodb_native_foreign_keys is OFF, MySQL's own layer does the cascades of ${name}, and not as the foreign keys demand: ${faults.join('; ')}. ` +
    'What they demand is recorded. With enable_cascade_triggers = ON the children record what happens, as far as that fires their triggers. ' +
    'Start the server with innodb_native_foreign_keys = ON.'
  );
}

function ofCascades(table: TableModel, model: SchemaModel, dialect: Dialect): Unaudited[] {
  const cascades = CASCADE_EVENTS.flatMap((event) => cascadeOf(model, table, event) ?? []);
  const name = printable(table.name);
  const spots = cascades.flatMap(ordered);
  const cut = cascades.find((cascade) => cascade.cutAfter !== undefined);
  if (cut !== undefined) {
    spots.push(
      spot(
        'cascade-depth',
        table.name,
        `The foreign keys below ${name} form rings with many branches: cascades are recorded to ${cut.cutAfter} steps, engines follow up to 15.`,
      ),
    );
  }
  if (cascades.length > 0) {
    spots.push(
      spot(
        'cascade-shadow',
        table.name,
        `A session that makes a temporary table called like a child of ${name} hides that child's cascades from the record; take CREATE TEMPORARY TABLES from whom does not need it.`,
      ),
    );
  }
  if (cascades.some(({ targets }) => [...targets.values()].flat().some((path) => path.length > 1))) {
    spots.push(
      spot(
        'cascade-isolation',
        table.name,
        `Cascades of ${name} go further than its own children. In a session at READ COMMITTED or READ UNCOMMITTED, a row that another session inserts below them, between the trigger and the cascade, is cascaded without a record.`,
      ),
    );
  }
  const faults = dialect.cascadesAboveInnodb ? layerFaults(table, cascades, model) : [];
  if (faults.length > 0) spots.push(spot('cascade-layer', table.name, layerSentence(name, faults)));
  return spots;
}

/** Rows that MariaDB's UPDATE IGNORE refused but fired the trigger for, and that nobody can name. */
function ignoredUpdate(table: TableModel, model: SchemaModel, dialect: Dialect): Unaudited[] {
  if (!refusalsUnnamed(table, model, dialect)) return [];
  const partly = table.uniqueColumns.length === 0 ? '' : ' where its unique key holds NULL';
  return [
    spot(
      'ignored-update',
      table.name,
      `No key names a row of ${printable(table.name)}${partly}: an update that UPDATE IGNORE passed over is recorded as if it had taken place.`,
    ),
  ];
}

/** Everything that stays unrecorded, or may be recorded otherwise than it happened, in order of object. Pure. */
export function blindSpots(model: SchemaModel, dialect: Dialect): readonly Unaudited[] {
  return [
    ...model.unaudited,
    ...otherSchemas(model),
    ...model.tables.flatMap((table) => [
      ...ofCascades(table, model, dialect),
      ...ignoredUpdate(table, model, dialect),
    ]),
  ];
}
