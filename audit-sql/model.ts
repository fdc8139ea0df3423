import { createHash } from 'node:crypto';
import { canonicalJson } from './fingerprint/canonical.ts';

/** How a column that the server computes comes about; `none` for a column that statements write. */
export const GENERATION_KINDS = ['none', 'virtual', 'stored', 'row-start', 'row-end'] as const;
export type GenerationKind = (typeof GENERATION_KINDS)[number];

/** A column as `information_schema` describes it. */
export interface ColumnModel {
  readonly name: string;
  /** Lower case, without length: `varchar`, `timestamp`… */
  readonly dataType: string;
  /** As written: `int(10) unsigned zerofill`. */
  readonly columnType: string;
  /** Undefined for columns that hold no characters. */
  readonly characterSet: string | undefined;
  readonly nullable: boolean;
  /** Computed by the server, virtual or stored, row start and row end included: `generation` is not `none`. */
  readonly generated: boolean;
  readonly generation: GenerationKind;
  /** `SELECT *` leaves it out. */
  readonly invisible: boolean;
  /** False for a column that MariaDB's system versioning passes over. True in tables without versioning. */
  readonly versioned: boolean;
  /** `ON UPDATE CURRENT_TIMESTAMP`: changes although no statement says so. */
  readonly touched: boolean;
}

export const REFERENTIAL_RULES = ['restrict', 'cascade', 'set-null', 'set-default'] as const;
/** `NO ACTION` is `restrict`: neither engine defers the check. */
export type ReferentialRule = (typeof REFERENTIAL_RULES)[number];

/** A foreign key of a table, the child. Column names are those of the tables, whatever case the key was written in. */
export interface ForeignKeyModel {
  readonly name: string;
  readonly columns: readonly string[];
  /** Undefined: the same schema. */
  readonly referencedSchema: string | undefined;
  readonly referencedTable: string;
  /** In the order of `columns`. */
  readonly referencedColumns: readonly string[];
  readonly onUpdate: ReferentialRule;
  readonly onDelete: ReferentialRule;
}

export interface TableModel {
  readonly name: string;
  readonly engine: string;
  readonly columns: readonly ColumnModel[];
  /**
   * Columns that name one row: the primary key, else the first unique key whose columns are all NOT
   * NULL. Empty when there is neither.
   */
  readonly key: readonly string[];
  /** Columns of any unique key, the primary key included, in the order of the table. */
  readonly uniqueColumns: readonly string[];
  /** In order of name. */
  readonly foreignKeys: readonly ForeignKeyModel[];
  /** MariaDB keeps the earlier rows itself. */
  readonly systemVersioned: boolean;
  readonly partitioned: boolean;
}

/** A trigger in the EMR schema that Chartgate made earlier. */
export interface OwnTrigger {
  readonly name: string;
  readonly table: string;
  readonly timing: TriggerTiming;
  readonly event: TriggerEvent;
  /** Position among the triggers of the same table, timing and event, from 1. */
  readonly order: number;
}

export type TriggerTiming = 'before' | 'after';
export type TriggerEvent = 'insert' | 'update' | 'delete';

/** A trigger of the EMR's own. */
export type EmrTrigger = OwnTrigger;

/** A foreign key of another schema's table that references a table of this one. */
export interface ForeignChild {
  readonly schema: string;
  readonly table: string;
  readonly name: string;
  readonly referencedTable: string;
  readonly onUpdate: ReferentialRule;
  readonly onDelete: ReferentialRule;
}

export const UNAUDITED_REASONS = [
  'view',
  'sequence',
  'remote-rows',
  'merged-rows',
  'no-rows',
  'cascade-into-other-schema',
  'cascade-from-other-schema',
  'cascade-depth',
  'cascade-order',
  'cascade-layer',
  'cascade-isolation',
  'cascade-shadow',
  'ignored-update',
] as const;
export type UnauditedReason = (typeof UNAUDITED_REASONS)[number];

/** Something in the schema whose changes the triggers do not record, or not all of them. */
export interface Unaudited {
  readonly reason: UnauditedReason;
  /** The table, view, sequence or foreign key it is about. */
  readonly object: string;
  /** For a person: what is not recorded, and why. */
  readonly sentence: string;
}

/** A schema as far as auditing needs it, in order of name throughout. */
export interface SchemaModel {
  readonly schema: string;
  /** Base tables only: what can have triggers. */
  readonly tables: readonly TableModel[];
  /** Triggers of ours that are there already. */
  readonly ownTriggers: readonly OwnTrigger[];
  /** In order of table, event, timing and place. */
  readonly emrTriggers: readonly EmrTrigger[];
  readonly foreignChildren: readonly ForeignChild[];
  /** What the catalogue shows; `blindSpots` adds what cascades leave open. */
  readonly unaudited: readonly Unaudited[];
}

/** The canonical text of a schema's shape: JSON of its tables. Same shape, same text, on any server. */
export function schemaShape(model: SchemaModel): string {
  return canonicalJson(model.tables);
}

/** Names a schema's shape: SHA-256 of its canonical form, hex. Same shape, same digest, on any server. */
export function schemaDigest(model: SchemaModel): string {
  return createHash('sha256').update(schemaShape(model)).digest('hex');
}
