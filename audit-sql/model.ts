import { createHash } from 'node:crypto';
import { canonicalJson } from './fingerprint/canonical.ts';

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
  /** Computed by the server, virtual or stored, row start and row end included. */
  readonly generated: boolean;
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
}

/** A trigger in the EMR schema that Chartgate made earlier. */
export interface OwnTrigger {
  readonly name: string;
  readonly table: string;
}

/** A schema as far as auditing needs it: base tables only, in order of name. */
export interface SchemaModel {
  readonly schema: string;
  readonly tables: readonly TableModel[];
  /** Triggers of ours that are there already, in order of name. */
  readonly ownTriggers: readonly OwnTrigger[];
}

/** Names a schema's shape: SHA-256 of its canonical form, hex. Same shape, same digest, on any server. */
export function schemaDigest(model: SchemaModel): string {
  return createHash('sha256').update(canonicalJson(model.tables)).digest('hex');
}
