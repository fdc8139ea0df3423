import { BEFORE_FIRST_ID, SEALED_TABLES, type SealedTable } from '../../audit-sql/fingerprint/index.ts';
import { ChartgateError } from '../../contracts/errors.ts';
import { type NoteSigner, type NoteVerifier, openNote, signNote } from './note.ts';

/** From the first to the last id, both included. */
export type IdRange = readonly [first: number, last: number];

/** What a checkpoint says about one table. */
export interface TableState {
  /** The highest id that was sealed; the one before the first when there is none. */
  readonly head: number;
  /** The place of its leaf, from 0; undefined when there is none. */
  readonly at: number | undefined;
  /** Up to here all is known: a row that is not sealed must never appear. At most `head`. */
  readonly settled: number;
  /** From this leaf on are those of ids above `settled`; undefined when all is settled. */
  readonly open: number | undefined;
  /** Ids of this batch at or below the head that the checkpoint before had: their transactions ended late. */
  readonly late: readonly IdRange[];
}

/** C2SP tlog-checkpoint: origin, size and root, and as extension lines what makes it useful by itself. */
export interface Checkpoint {
  readonly origin: string;
  readonly size: number;
  /** 32 bytes, RFC 6962. */
  readonly root: Buffer;
  /** ISO 8601, UTC, milliseconds; by the checker's clock. */
  readonly time: string;
  readonly batch: {
    /** Leaves since the checkpoint before. */
    readonly count: number;
    /** SHA-256 of these leaves, 41 bytes each, by table and id. */
    readonly digest: Buffer;
  };
  readonly tables: Readonly<Record<SealedTable, TableState>>;
}

const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;
const NUMBER = /^(0|[1-9]\d{0,15})$/;

export const NO_TABLES: Readonly<Record<SealedTable, TableState>> = Object.freeze(
  perTable((table) => ({
    head: BEFORE_FIRST_ID[table],
    at: undefined,
    settled: BEFORE_FIRST_ID[table],
    open: undefined,
    late: [],
  })),
);

/** A record with an entry for each sealed table. */
export function perTable<Value>(make: (table: SealedTable) => Value): Record<SealedTable, Value> {
  return Object.fromEntries(SEALED_TABLES.map((table) => [table, make(table)])) as Record<SealedTable, Value>;
}

/** The origin of a database's log, which is also the name of its key. */
export function originOf(database: string): string {
  return `chartgate/${database}`;
}

function tableLine(table: SealedTable, { head, at, settled, open, late }: TableState): string {
  const ids = late.map(([first, last]) => (first === last ? `${first}` : `${first}-${last}`)).join(',');
  return [
    `${table} head=${head}`,
    ...(at === undefined ? [] : [`at=${at}`]),
    `settled=${settled}`,
    ...(open === undefined ? [] : [`open=${open}`]),
    ...(ids === '' ? [] : [`late=${ids}`]),
  ].join(' ');
}

export function checkpointText(checkpoint: Checkpoint): string {
  const { origin, size, root, time, batch, tables } = checkpoint;
  const lines = [
    origin,
    size,
    root.toString('base64'),
    `time ${time}`,
    `batch ${batch.count} ${batch.digest.toString('base64')}`,
    ...SEALED_TABLES.map((table) => tableLine(table, tables[table])),
  ];
  return `${lines.join('\n')}\n`;
}

function invalid(why: string): ChartgateError {
  return new ChartgateError('seal-broken', `Not a checkpoint of sealed audit rows: ${why}.`);
}

function whole(text: string | undefined): number {
  const number = NUMBER.test(text ?? '') ? Number(text) : Number.NaN;
  if (!Number.isSafeInteger(number)) throw invalid('a number is malformed');
  return number;
}

const TABLE_LINE = /^(\S+) head=(\d+)(?: at=(\d+))? settled=(\d+)(?: open=(\d+))?(?: late=([\d,-]+))?$/;

function tableOf(line: string | undefined, table: SealedTable): TableState {
  const [, name, head, at, settled, open, ids = ''] = TABLE_LINE.exec(line ?? '') ?? [];
  if (name !== table) throw invalid(`the line of ${table} is malformed`);
  const parts = ids === '' ? [] : ids.split(',');
  const late = parts.map((part): IdRange => {
    const [first, last = first] = part.split('-').map(whole);
    if (first === undefined || last === undefined || first > last) throw invalid('a range is malformed');
    return [first, last];
  });
  const state: TableState = {
    head: whole(head),
    at: at === undefined ? undefined : whole(at),
    settled: whole(settled),
    open: open === undefined ? undefined : whole(open),
    late,
  };
  if (state.settled > state.head) throw invalid('more is settled than sealed');
  if ((state.open === undefined) !== (state.settled === state.head))
    throw invalid('its table lines contradict');
  if ((state.at === undefined) !== (state.head === BEFORE_FIRST_ID[table]))
    throw invalid('a head has no place');
  return state;
}

/**
 * Only the one spelling of each content is taken.
 * @throws ChartgateError `seal-broken`
 */
export function parseCheckpoint(text: string): Checkpoint {
  const [origin = '', size, root, time, batch, ...tables] = text.slice(0, -1).split('\n');
  const [, count, digest = ''] = /^batch (\d+) (\S+)$/.exec(batch ?? '') ?? [];
  const checkpoint: Checkpoint = {
    origin,
    size: whole(size),
    root: Buffer.from(root ?? '', 'base64'),
    time: /^time (.*)$/.exec(time ?? '')?.[1] ?? '',
    batch: { count: whole(count), digest: Buffer.from(digest, 'base64') },
    tables: perTable((table) => tableOf(tables[SEALED_TABLES.indexOf(table)], table)),
  };
  if (checkpoint.root.length !== 32 || checkpoint.batch.digest.length !== 32)
    throw invalid('a hash is short');
  if (!TIME.test(checkpoint.time)) throw invalid('its time is malformed');
  if (checkpointText(checkpoint) !== text) throw invalid('it has another spelling than it must have');
  return Object.freeze(checkpoint);
}

/** The bytes of a signed checkpoint. */
export function signCheckpoint(checkpoint: Checkpoint, signer: NoteSigner): string {
  return signNote(checkpointText(checkpoint), signer);
}

/** @throws ChartgateError `seal-broken` for a wrong signature, form or origin */
export function openCheckpoint(note: string, verifier: NoteVerifier): Checkpoint {
  const checkpoint = parseCheckpoint(openNote(note, verifier));
  if (checkpoint.origin !== verifier.name) throw invalid('its origin is not the name of its key');
  return checkpoint;
}

/** What one file holds: checkpoints one after the other, each with its signatures, an empty line between them. */
export interface NoteStream {
  /** As text, each ready for `openCheckpoint`. */
  readonly notes: readonly string[];
  /** What follows the last complete one: an append that a crash cut off, else empty. */
  readonly rest: string;
}

/** Splits a file of checkpoints. A note ends with the empty line after its signatures. */
export function splitNotes(content: string): NoteStream {
  const notes: string[] = [];
  let from = 0;
  for (;;) {
    const body = content.indexOf('\n\n— ', from);
    const end = body < 0 ? -1 : content.indexOf('\n\n', body + 2);
    if (end < 0) break;
    notes.push(content.slice(from, end + 1));
    from = end + 2;
  }
  return { notes, rest: content.slice(from) };
}
