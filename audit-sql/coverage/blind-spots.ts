import type { Dialect } from '../dialect.ts';
import type { Snapshot } from '../fingerprint/types.ts';
import type { SchemaModel } from '../model.ts';
import { DIRECT_ROW_TABLE, printable } from '../names.ts';
import { blindSpots as unrecorded } from '../writers/blind-spots.ts';
import { rowTableOf } from '../writers/store.ts';
import type { PowerfulAccount } from './accounts.ts';

/** Something that the triggers do not record, or not wholly; never left unsaid. */
export interface BlindSpot {
  /** Stable, for scripts. */
  readonly code: string;
  /** The table, column, routine or account it is about; undefined when it is about every schema. */
  readonly object: string | undefined;
  readonly sentence: string;
}

/** Bytes that a column of these types can hold at most. */
const CAPACITY: Readonly<Record<string, number>> = {
  blob: 65_535,
  mediumblob: 16_777_215,
  longblob: 4_294_967_295,
  geometry: 4_294_967_295,
  point: 25,
  linestring: 4_294_967_295,
  polygon: 4_294_967_295,
  multipoint: 4_294_967_295,
  multilinestring: 4_294_967_295,
  multipolygon: 4_294_967_295,
  geometrycollection: 4_294_967_295,
  geomcollection: 4_294_967_295,
};

function ofColumns(model: SchemaModel, maximumBinaryBytes: number): BlindSpot[] {
  return model.tables.flatMap((table) =>
    table.columns.flatMap((column): BlindSpot[] => {
      const object = `${table.name}.${column.name}`;
      if (column.generated) return [];
      if ((CAPACITY[column.dataType] ?? 0) > maximumBinaryBytes) {
        return [
          {
            code: 'binary-hashed',
            object,
            sentence: `Values over ${maximumBinaryBytes} bytes are recorded as SHA-256 and length: a change is seen, the old value cannot be brought back.`,
          },
        ];
      }
      return [];
    }),
  );
}

function ofKeys(model: SchemaModel): BlindSpot[] {
  return model.tables
    .filter((table) => table.key.length === 0)
    .map((table) => ({
      code: 'no-key',
      object: table.name,
      sentence:
        'No key names a row. Every change is recorded with the whole row, but equal rows cannot be told apart in its history.',
    }));
}

/** Tables whose engine undoes nothing. */
function ofEngines(model: SchemaModel): BlindSpot[] {
  return model.tables
    .filter((table) => rowTableOf(table) === DIRECT_ROW_TABLE)
    .map((table) => ({
      code: 'no-transactions',
      object: table.name,
      sentence:
        'Its storage engine undoes nothing: should the audit row fail to be written, or the server crash in between, the change may stay without it.',
    }));
}

/** Routines, events and views that run with the rights of somebody who could get around the audit. */
function ofDefiners(snapshot: Snapshot, accounts: readonly PowerfulAccount[]): BlindSpot[] {
  const powerful = new Set(accounts.map(({ account }) => account));
  const spots: BlindSpot[] = [];
  for (const routine of snapshot.routines) {
    if (routine.schema === snapshot.auditSchema || routine.security !== 'DEFINER') continue;
    if (!powerful.has(routine.definer)) continue;
    spots.push({
      code: 'routine-of-powerful',
      object: `${routine.schema}.${routine.name}`,
      sentence: `Whoever may call it acts as ${printable(routine.definer)}, who could get around the audit: read what it does.`,
    });
  }
  for (const event of snapshot.events) {
    if (!powerful.has(event.definer)) continue;
    spots.push({
      code: 'event-of-powerful',
      object: `${event.schema}.${event.name}`,
      sentence: `It runs by itself as ${printable(event.definer)}, who could get around the audit: read what it does.`,
    });
  }
  return spots;
}

/** True of every schema on both engines. */
const ALWAYS: readonly BlindSpot[] = [
  {
    code: 'reading',
    object: undefined,
    sentence: "Reading fires no trigger: who looked at a record stands in the gateway's activity log only.",
  },
  {
    code: 'table-statements',
    object: undefined,
    sentence:
      'TRUNCATE, DROP, ALTER, the dropping or exchange of a partition, and row events replayed with BINLOG fire no trigger. Only the accounts listed as able to bypass can run them.',
  },
  {
    code: 'temporary-tables',
    object: undefined,
    sentence:
      "Temporary tables are not recorded. One that hides a table of the EMR takes that session's changes with it, and they are gone when it ends.",
  },
  {
    code: 'replicated-rows',
    object: undefined,
    sentence:
      'Rows that this server receives by row-based replication fire no trigger here; their audit rows come along from the source.',
  },
  {
    code: 'files',
    object: undefined,
    sentence:
      "Whoever may write the server's files, or restores a backup, changes data without any statement.",
  },
];

/**
 * Everything known that is not, or not wholly, recorded. Pure.
 * @param snapshot undefined when the guard procedure is not there, so that definers cannot be judged
 */
export function blindSpots(
  model: SchemaModel,
  dialect: Dialect,
  snapshot: Snapshot | undefined,
  accounts: readonly PowerfulAccount[],
  maximumBinaryBytes: number,
): readonly BlindSpot[] {
  const spots = [
    ...unrecorded(model, dialect).map(({ reason, object, sentence }) => ({ code: reason, object, sentence })),
    ...ofColumns(model, maximumBinaryBytes),
    ...ofKeys(model),
    ...ofEngines(model),
  ];
  if (snapshot !== undefined) spots.push(...ofDefiners(snapshot, accounts));
  return [...spots, ...ALWAYS];
}
