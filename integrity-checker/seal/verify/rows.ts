import { SEALED_TABLES, type SealedTable } from '../../../audit-sql/fingerprint/index.ts';
import type { Checkpoint } from '../checkpoint.ts';
import type { HashedRow, RowReader } from '../rows.ts';
import type { Findings } from './findings.ts';
import type { LeafIndex, PlacedLeaf } from './leaf-index.ts';
import type { OnProgress, VerifyCode } from './report.ts';

const ROWS_AT_ONCE = 2_000;
/** Differences of one table that are looked at together for rows that changed places. */
const MOST_EVENTS = 100_000;

/** So many other rows at the end of a table are new ones that took the ids of those that were there. */
const MANY = 10;

type EventCode = 'row-edited' | 'row-deleted' | 'row-inserted';

/** A row that is not as it was sealed. */
interface Event {
  readonly code: EventCode | 'rows-exchanged';
  readonly id: number;
  /** Sealed. */
  readonly leaf: PlacedLeaf | undefined;
  /** Found. */
  readonly hash: Buffer | undefined;
  /** Rows that are as they were sealed, before this one in the table: runs of events have the same. */
  readonly matched: number;
}

const SENTENCES: Readonly<Record<Event['code'], string>> = {
  'row-edited': 'is not what was sealed: it was edited after that.',
  'row-deleted': 'was sealed and is not there any more: it was deleted.',
  'row-inserted': 'is there and was never sealed, although no transaction was left that could write it.',
  'rows-exchanged': 'has the content that was sealed under another id: rows were exchanged.',
};

export interface RowCounts {
  rows: number;
  unsealed: number;
}

/** Compares every row of the audit tables with its leaf. */
export async function compareRows(
  reader: Pick<RowReader, 'hashes'>,
  index: LeafIndex,
  last: Checkpoint,
  findings: Findings,
  onProgress: OnProgress | undefined,
): Promise<RowCounts> {
  const counts: RowCounts = { rows: 0, unsealed: 0 };
  for (const table of SEALED_TABLES) {
    const comparison = new TableComparison(table, last, counts);
    let from = 0;
    for (;;) {
      const rows = await reader.hashes(table, from, undefined, ROWS_AT_ONCE);
      const end = rows.length < ROWS_AT_ONCE ? Number.POSITIVE_INFINITY : (rows.at(-1)?.id ?? 0);
      comparison.merge(await index.within(table, from, end), rows);
      onProgress?.({ step: `rows of ${table}`, done: counts.rows, total: undefined });
      if (end === Number.POSITIVE_INFINITY) break;
      from = end + 1;
    }
    comparison.report(findings);
  }
  return counts;
}

class TableComparison {
  readonly #table: SealedTable;
  readonly #last: Checkpoint;
  readonly #counts: RowCounts;
  readonly #events: Event[] = [];
  #matched = 0;
  #dropped = 0;

  constructor(table: SealedTable, last: Checkpoint, counts: RowCounts) {
    this.#table = table;
    this.#last = last;
    this.#counts = counts;
  }

  /** Takes the leaves and the rows of the next stretch of ids, both ascending. */
  merge(leaves: readonly PlacedLeaf[], rows: readonly HashedRow[]): void {
    this.#counts.rows += rows.length;
    let at = 0;
    for (const leaf of leaves) {
      for (let row = rows[at]; row !== undefined && row.id < leaf.id; row = rows[at]) {
        this.#unsealed(row);
        at += 1;
      }
      const row = rows[at]?.id === leaf.id ? rows[at] : undefined;
      if (row !== undefined) at += 1;
      if (row?.hash.equals(leaf.hash) === true) this.#matched += 1;
      else this.#event(row === undefined ? 'row-deleted' : 'row-edited', leaf.id, leaf, row?.hash);
    }
    for (const row of rows.slice(at)) this.#unsealed(row);
  }

  #unsealed(row: HashedRow): void {
    if (row.id > this.#last.tables[this.#table].settled) this.#counts.unsealed += 1;
    else this.#event('row-inserted', row.id, undefined, row.hash);
  }

  #event(code: EventCode, id: number, leaf: PlacedLeaf | undefined, hash: Buffer | undefined): void {
    if (this.#events.length < MOST_EVENTS)
      this.#events.push({ code, id, leaf, hash, matched: this.#matched });
    else this.#dropped += 1;
  }

  report(findings: Findings): void {
    const exchanged = markExchanged(this.#events);
    const tail = this.#dropped > 0 ? [] : exchanged.filter((event) => event.matched === this.#matched);
    const rewound = isRewound(tail, this.#last.tables[this.#table].head);
    const others = rewound ? exchanged.slice(0, exchanged.length - tail.length) : exchanged;
    for (const run of runsOf(others)) this.#add(findings, run);
    if (rewound) this.#addRewound(findings, tail);
    findings.further += this.#dropped;
  }

  #add(findings: Findings, run: readonly Event[]): void {
    const [first] = run;
    const last = run.at(-1);
    if (first === undefined || last === undefined) return;
    const rows = { table: this.#table, first: first.id, last: last.id, count: run.length };
    const subject = run.length === 1 ? 'The row' : 'Each of these rows';
    findings.add(
      { code: first.code satisfies VerifyCode, rows, sentence: `${subject} ${SENTENCES[first.code]}` },
      first.leaf === undefined
        ? { table: this.#table, settledId: last.id }
        : { leaf: Math.min(...run.map(({ leaf }) => leaf?.index ?? Number.POSITIVE_INFINITY)) },
    );
  }

  /** Everything from some id on is gone or another. */
  #addRewound(findings: Findings, tail: readonly Event[]): void {
    const sealed = tail.filter(({ leaf }) => leaf !== undefined);
    const first = sealed[0];
    const last = sealed.at(-1);
    if (first?.leaf === undefined || last === undefined) return;
    const others = sealed.filter(({ hash }) => hash !== undefined).length;
    const sentence =
      this.#matched === 0
        ? 'Nothing that was sealed of this table is there: it was emptied, or it is the table of another database.'
        : `From here on every sealed row is gone${others > 0 ? ' or another' : ''}: the table was cut, or the database is a copy from before these rows were written.`;
    findings.add(
      {
        code: 'table-rewound',
        rows: { table: this.#table, first: first.id, last: last.id, count: sealed.length },
        sentence,
      },
      { leaf: Math.min(...sealed.map(({ leaf }) => leaf?.index ?? Number.POSITIVE_INFINITY)) },
    );
  }
}

/** Edited rows whose content was sealed under the id of another edited or deleted one. */
function markExchanged(events: readonly Event[]): readonly Event[] {
  const sealedElsewhere = new Map<string, number>();
  for (const { leaf, id } of events) {
    if (leaf !== undefined) sealedElsewhere.set(leaf.hash.toString('latin1'), id);
  }
  return events.map((event) => {
    if (event.code !== 'row-edited' || event.hash === undefined) return event;
    const origin = sealedElsewhere.get(event.hash.toString('latin1'));
    return origin === undefined || origin === event.id ? event : { ...event, code: 'rows-exchanged' };
  });
}

/** Whether what follows the last right row looks like an older copy, with or without new rows of its own. */
function isRewound(tail: readonly Event[], head: number): boolean {
  const sealed = tail.filter(({ leaf }) => leaf !== undefined);
  if (tail.some(({ code }) => code === 'rows-exchanged')) return false;
  if (sealed.length < 2 || sealed.at(-1)?.id !== head) return false;
  return sealed.some(({ code }) => code === 'row-deleted') || sealed.length >= MANY;
}

/** Events of one kind with no right row between them. */
function runsOf(events: readonly Event[]): readonly (readonly Event[])[] {
  const runs: Event[][] = [];
  for (const event of events) {
    const run = runs.at(-1);
    const before = run?.at(-1);
    const joins =
      before !== undefined &&
      before.code === event.code &&
      before.matched === event.matched &&
      event.code !== 'rows-exchanged';
    if (joins) run?.push(event);
    else runs.push([event]);
  }
  return runs;
}
