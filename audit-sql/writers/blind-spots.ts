import type { Dialect } from '../dialect.ts';
import type { ReferentialRule, SchemaModel, TableModel, Unaudited, UnauditedReason } from '../model.ts';
import { printable } from '../names.ts';
import { CASCADE_EVENTS, type Cascade, cascadeOf } from './cascade-paths.ts';
import { tookPlace } from './refused.ts';

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
  if (cascades.length > 0 && dialect.cascadesFireTriggers !== undefined) {
    spots.push(
      spot(
        'cascade-layer',
        table.name,
        `MySQL's own layer does the cascades of ${name}, and in some shapes it leaves out rows or keeps part of a cascade whose statement was refused (IGNORE, REPLACE, several rows with children of their own). ` +
          'What is recorded is what the foreign keys demand. Set enable_cascade_triggers = ON, and the children record what happens; or innodb_native_foreign_keys = ON.',
      ),
    );
  }
  return spots;
}

/** Rows that MariaDB's UPDATE IGNORE refused but fired the trigger for, and that nobody can name. */
function ignoredUpdate(table: TableModel, model: SchemaModel, dialect: Dialect): Unaudited[] {
  const may = table.foreignKeys.length > 0 || table.partitioned || table.uniqueColumns.length > 0;
  if (dialect.engine !== 'mariadb' || table.key.length > 0 || !may) return [];
  const partly = tookPlace(table, model, dialect) === undefined ? '' : ' where its unique key holds NULL';
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
