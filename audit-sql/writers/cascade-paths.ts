import { byCodeUnit } from '../catalogue/order.ts';
import type { ForeignKeyModel, SchemaModel, TableModel } from '../model.ts';

/** What starts a cascade: a row of the parent is deleted, or its referenced columns change. */
export const CASCADE_EVENTS = ['update', 'delete'] as const;
export type CascadeEvent = (typeof CASCADE_EVENTS)[number];

/** InnoDB and MySQL's own layer refuse cascades that go deeper. */
export const ENGINE_DEPTH = 15;

/** So that a trigger of a schema full of cycles stays one that a server can read. */
const MAXIMUM_PATHS = 96;

/** The value a cascade writes: NULL, or what the origin's column of this name becomes. */
export type Source = { readonly kind: 'null' } | { readonly kind: 'origin'; readonly column: string };

/** From a row to the rows of `child` that follow it. */
export interface Step {
  readonly parent: TableModel;
  readonly child: TableModel;
  readonly key: ForeignKeyModel;
  readonly effect: CascadeEvent;
  /** Of an update: what each column gets. Empty for a deletion. */
  readonly assigned: ReadonlyMap<string, Source>;
}

/** One way from the changed row down to rows of a table, which is the child of the last step. */
export type Path = readonly [Step, ...Step[]];

/** Every way in which changing a row of `origin` changes other rows. */
export interface Cascade {
  readonly origin: TableModel;
  readonly event: CascadeEvent;
  /** The tables reached, in order of name, with all the ways there, the shortest first. */
  readonly targets: ReadonlyMap<string, readonly [Path, ...Path[]]>;
  /** The number of steps that are followed completely; undefined when that is all an engine can go. */
  readonly cutAfter: number | undefined;
}

const NULL_SOURCE: Source = { kind: 'null' };

/** A row that changes, and how it was reached. */
interface Reached {
  readonly table: TableModel;
  readonly effect: CascadeEvent;
  readonly assigned: ReadonlyMap<string, Source>;
  readonly steps: readonly Step[];
}

type Children = ReadonlyMap<string, readonly { readonly child: TableModel; readonly key: ForeignKeyModel }[]>;

/** Foreign keys within the schema, by the table they reference. */
function childrenOf(model: SchemaModel): Children {
  const children = new Map<string, { child: TableModel; key: ForeignKeyModel }[]>();
  for (const child of model.tables) {
    for (const key of child.foreignKeys) {
      if (key.referencedSchema !== undefined) continue;
      const list = children.get(key.referencedTable);
      if (list === undefined) children.set(key.referencedTable, [{ child, key }]);
      else list.push({ child, key });
    }
  }
  return children;
}

/** What a foreign key does to a child when `parent` changes; undefined when nothing, or when it refuses. */
function follow(parent: Reached, child: TableModel, key: ForeignKeyModel): Step | undefined {
  const step = (effect: CascadeEvent, assigned: ReadonlyMap<string, Source>): Step => ({
    parent: parent.table,
    child,
    key,
    effect,
    assigned,
  });
  const nulls = new Map(key.columns.map((column) => [column, NULL_SOURCE]));
  if (parent.effect === 'delete') {
    if (key.onDelete === 'cascade') return step('delete', new Map());
    return key.onDelete === 'set-null' ? step('update', nulls) : undefined;
  }
  const assigned = new Map<string, Source>();
  for (const [index, column] of key.columns.entries()) {
    const source = parent.assigned.get(key.referencedColumns[index] ?? '');
    if (source !== undefined) assigned.set(column, source);
  }
  if (assigned.size === 0) return undefined;
  if (key.onUpdate === 'cascade') return step('update', assigned);
  return key.onUpdate === 'set-null' ? step('update', nulls) : undefined;
}

/** Engines refuse an update that comes back, through the cascade, to a table it updated already. */
function returns(origin: Reached, reached: Reached, child: TableModel): boolean {
  const updated = reached.steps.filter((step) => step.effect === 'update').map((step) => step.child.name);
  return (origin.effect === 'update' && origin.table.name === child.name) || updated.includes(child.name);
}

function next(origin: Reached, reached: Reached, children: Children): Reached[] {
  return (children.get(reached.table.name) ?? []).flatMap(({ child, key }) => {
    const step = follow(reached, child, key);
    if (step === undefined || (step.effect === 'update' && returns(origin, reached, child))) return [];
    return [{ table: child, effect: step.effect, assigned: step.assigned, steps: [...reached.steps, step] }];
  });
}

/** The cascade of one table and event; undefined when it changes no other row. Pure. */
export function cascadeOf(model: SchemaModel, origin: TableModel, event: CascadeEvent): Cascade | undefined {
  const children = childrenOf(model);
  const referenced = (children.get(origin.name) ?? []).flatMap(({ key }) => key.referencedColumns);
  const start: Reached = {
    table: origin,
    effect: event,
    assigned: new Map(
      event === 'update' ? referenced.map((column) => [column, { kind: 'origin', column }]) : [],
    ),
    steps: [],
  };
  const paths: Path[] = [];
  let level: readonly Reached[] = [start];
  let cutAfter: number | undefined;
  for (let depth = 1; depth <= ENGINE_DEPTH && level.length > 0; depth += 1) {
    level = level.flatMap((reached) => next(start, reached, children));
    if (paths.length > 0 && paths.length + level.length > MAXIMUM_PATHS) {
      cutAfter = depth - 1;
      break;
    }
    for (const { steps } of level) paths.push(steps as unknown as Path);
  }
  if (paths.length === 0) return undefined;
  const targets = new Map<string, [Path, ...Path[]]>();
  for (const path of paths) {
    const name = path.at(-1)?.child.name ?? '';
    const list = targets.get(name);
    if (list === undefined) targets.set(name, [path]);
    else list.push(path);
  }
  return {
    origin,
    event,
    targets: new Map([...targets].sort(([a], [b]) => byCodeUnit(a, b))),
    cutAfter,
  };
}
