import { type AuditEntry, type EncodedRow, keyAfter, rowText } from './entry.ts';
import { count, type Fold, gone, tableState, take } from './fold.ts';

/** One of several passes over the trail, each of which knows a part of the records. */
export interface Partition {
  readonly fold: Fold;
  readonly pass: number;
  readonly passes: number;
  /** Keys of this part under which a record of another part is at the moment: it was moved here. By table. */
  readonly guests: Map<string, Set<string>>;
}

/** FNV-1a: the same on every machine. Nobody is harmed by whoever chooses keys that fall together. */
function home(table: string, text: string, passes: number): number {
  if (passes === 1) return 0;
  let hash = 0x811c9dc5;
  for (const part of [table, text]) {
    for (let i = 0; i < part.length; i += 1) hash = Math.imul(hash ^ part.charCodeAt(i), 0x01000193);
  }
  return (hash >>> 0) % passes;
}

function guestsOf(partition: Partition, table: string): Set<string> {
  let guests = partition.guests.get(table);
  if (guests === undefined) {
    guests = new Set();
    partition.guests.set(table, guests);
  }
  return guests;
}

/**
 * Takes an audit row if it concerns a record of this part. A record belongs to the part of the key under
 * which it began, however its key changes; a key under which there is nothing belongs to its own part. So
 * each record's whole life is seen in one pass, and memory is bounded by the number of passes.
 */
export function takePart(partition: Partition, entry: AuditEntry): void {
  const { fold, passes } = partition;
  if (passes === 1) take(fold, entry, false);
  else if (entry.key === undefined) takeRows(partition, entry);
  else takeRecord(partition, entry, entry.key, rowText(entry.key));
}

function takeRows({ fold, pass, passes }: Partition, entry: AuditEntry): void {
  const state = tableState(fold, entry.table);
  const mine = (row: EncodedRow): boolean => home(entry.table, rowText(row), passes) === pass;
  if (entry.oldValues !== undefined && mine(entry.oldValues)) count(state, entry.oldValues, -1);
  if (entry.newValues !== undefined && mine(entry.newValues)) count(state, entry.newValues, 1);
  fold.entries += 1;
}

function takeRecord(partition: Partition, entry: AuditEntry, key: EncodedRow, text: string): void {
  const { fold, pass, passes } = partition;
  const state = tableState(fold, entry.table);
  const guests = guestsOf(partition, entry.table);
  const atHome = home(entry.table, text, passes) === pass;
  const after = keyAfter(entry) ?? key;
  const afterText = after === key ? text : rowText(after);
  const moves = afterText !== text;
  const ends = entry.changes === undefined && entry.newValues === undefined;
  const ours = state.records.get(text)?.present === true;
  if (ours || (atHome && !guests.has(text))) {
    take(fold, entry, false);
    // The empty key belongs to its own part again.
    if ((moves || ends) && !atHome) state.records.delete(text);
    return;
  }
  if (guests.has(text) && (moves || ends)) {
    guests.delete(text);
    if (atHome) {
      state.records.set(text, gone(key, entry));
    }
  }
  if (moves && home(entry.table, afterText, passes) === pass) {
    guests.add(afterText);
    state.records.delete(afterText);
  }
}
