import { constants } from 'node:fs';
import { open, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { SEALED_TABLES, type SealedTable } from '../../audit-sql/fingerprint/index.ts';
import type { CheckFinding } from '../watch/types.ts';
import type { HashedRow } from './rows.ts';
import { unavailable } from './store-files.ts';

/** What the checker itself finds of sealed rows, and of sealing. Stable: they appear in logs and metrics. */
export const SEAL_FINDING_CODES = [
  'audit-row-edited',
  'audit-row-deleted',
  'audit-row-inserted',
  'seal-broken',
  'seal-stalled',
] as const;
type RowCode = 'audit-row-edited' | 'audit-row-deleted' | 'audit-row-inserted';

/** A row that is not as it was sealed. */
export interface Suspect {
  readonly table: SealedTable;
  readonly id: number;
  readonly code: RowCode;
  /** As sealed; undefined where there must be no row. */
  readonly hash: Buffer | undefined;
}

const SENTENCES: Readonly<Record<RowCode, string>> = {
  'audit-row-edited': 'The audit row is not the one that was sealed.',
  'audit-row-deleted': 'A sealed audit row is not there any more.',
  'audit-row-inserted': 'An audit row appeared where none could be written any more.',
};
/** More are of no use: what was done shows an audit. */
const MOST = 100;
const FILE = 'findings.jsonl';
const FLAGS =
  constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT | constants.O_NOFOLLOW | constants.O_DSYNC;

/** What is wrong with the row that has an id of which `sealed` is known. */
export function judgeRow(sealed: Buffer | undefined, found: HashedRow | undefined): RowCode | undefined {
  if (sealed === undefined) return found === undefined ? undefined : 'audit-row-inserted';
  if (found === undefined) return 'audit-row-deleted';
  return found.hash.equals(sealed) ? undefined : 'audit-row-edited';
}

export function findingOf({ code, table, id }: Suspect): CheckFinding {
  return Object.freeze({ code, object: `${table} ${id}`, sentence: SENTENCES[code] });
}

/**
 * Rows that were seen to differ from what was sealed, each until it is seen to be right again. They are kept in
 * the store too, so that a restart does not forget them.
 */
export class Suspects {
  readonly #file: string;
  readonly #byRow = new Map<string, Suspect>();

  private constructor(directory: string) {
    this.#file = join(directory, FILE);
  }

  /** @throws ChartgateError `seal-unavailable` */
  static async open(directory: string): Promise<Suspects> {
    const suspects = new Suspects(directory);
    let text = '';
    try {
      text = await readFile(suspects.#file, 'utf8');
    } catch (error) {
      if ((error as { code?: unknown }).code !== 'ENOENT') throw unavailable('read', error);
    }
    for (const line of text.split('\n')) suspects.#take(line);
    return suspects;
  }

  get all(): readonly Suspect[] {
    return [...this.#byRow.values()];
  }

  /** @returns whether this was not known */
  async set(suspect: Suspect): Promise<boolean> {
    const key = keyOf(suspect);
    if (this.#byRow.get(key)?.code === suspect.code || this.#byRow.size >= MOST) return false;
    this.#byRow.set(key, suspect);
    await this.#write('found', suspect);
    return true;
  }

  async clear(suspect: Suspect): Promise<void> {
    if (this.#byRow.delete(keyOf(suspect))) await this.#write('gone', suspect);
  }

  async #write(state: 'found' | 'gone', { code, table, id, hash }: Suspect): Promise<void> {
    const line = { time: new Date().toISOString(), state, code, table, id, hash: hash?.toString('hex') };
    try {
      const file = await open(this.#file, FLAGS, 0o600);
      await file.appendFile(`${JSON.stringify(line)}\n`).finally(() => file.close());
    } catch (error) {
      throw unavailable('written', error);
    }
  }

  /** A line that a crash cut off counts for nothing: what it said will be seen again. */
  #take(line: string): void {
    let entry: Record<string, unknown>;
    try {
      entry = JSON.parse(line) as Record<string, unknown>;
    } catch {
      return;
    }
    const table = SEALED_TABLES.find((each) => each === entry.table);
    const code = (Object.keys(SENTENCES) as RowCode[]).find((each) => each === entry.code);
    const { id, hash } = entry;
    if (table === undefined || code === undefined || typeof id !== 'number') return;
    const suspect = {
      table,
      id,
      code,
      hash: typeof hash === 'string' ? Buffer.from(hash, 'hex') : undefined,
    };
    if (entry.state === 'found') this.#byRow.set(keyOf(suspect), suspect);
    else this.#byRow.delete(keyOf(suspect));
  }
}

function keyOf({ table, id }: Pick<Suspect, 'table' | 'id'>): string {
  return `${table} ${id}`;
}
