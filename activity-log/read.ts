import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { errorCode, listChains, unavailable } from './directory.ts';
import { entriesIn, fileName, parseLine } from './format.ts';
import { type Line, readLines } from './lines.ts';

/** An entry as it is shown; those of a group share its number and time. `entry` is an `ActivityEntry` or a `ChainEntry`, as it was written. */
export interface ShownRecord {
  readonly chain: string;
  readonly seq: number;
  /** UTC, ISO 8601, milliseconds. */
  readonly time: string;
  readonly entry: Readonly<Record<string, unknown>> & { readonly kind: string };
}

export interface ReadOptions {
  /** Only entries of this request. */
  readonly request?: string;
  /** Only entries of this instant and later, milliseconds since the epoch. */
  readonly since?: number;
  /** Told of each line that is no record. It is left out. */
  readonly onMalformed?: (file: string, line: number) => void;
}

/**
 * The records of all chains, merged by time. Reads a piece at a time and checks nothing: for that there
 * is `verifyActivityLog`.
 * @throws ChartgateError activity-log-unavailable
 */
export async function* readActivityLog(
  directory: string,
  options: ReadOptions = {},
): AsyncGenerator<ShownRecord, void, undefined> {
  const chains = await listChains(directory);
  if (chains.size === 0) throw unavailable(directory, 'there is no chain in it');
  const heads: { record: ShownRecord; rest: AsyncGenerator<ShownRecord, void, undefined> }[] = [];
  for (const [chain, files] of chains) {
    const rest = chainRecords(directory, chain, files, options);
    const first = await rest.next();
    if (!first.done) heads.push({ record: first.value, rest });
  }
  for (;;) {
    const earliest = heads.reduce<(typeof heads)[number] | undefined>(
      (best, head) => (best === undefined || head.record.time < best.record.time ? head : best),
      undefined,
    );
    if (earliest === undefined) return;
    yield earliest.record;
    const next = await earliest.rest.next();
    if (next.done) heads.splice(heads.indexOf(earliest), 1);
    else earliest.record = next.value;
  }
}

async function* chainRecords(
  directory: string,
  chain: string,
  files: readonly number[],
  options: ReadOptions,
): AsyncGenerator<ShownRecord, void, undefined> {
  const since = options.since === undefined ? '' : new Date(options.since).toISOString();
  for (const file of files) {
    const name = fileName(chain, file);
    const path = join(directory, name);
    try {
      // A file that was last written before then has nothing of it.
      if (options.since !== undefined && (await stat(path)).mtimeMs < options.since) continue;
      for await (const lines of readLines(path)) {
        for (const line of lines) {
          for (const record of shown(chain, name, line, options)) if (record.time >= since) yield record;
        }
      }
    } catch (error) {
      throw unavailable(path, errorCode(error), error);
    }
  }
}

function shown(chain: string, file: string, line: Line, options: ReadOptions): ShownRecord[] {
  if (!line.complete) return [];
  // Looking for the bytes is far cheaper than parsing what does not have them.
  if (options.request !== undefined && !line.overlong && !line.bytes.includes(options.request)) return [];
  const parsed = parseLine(line.bytes);
  if (parsed === undefined) {
    options.onMalformed?.(file, line.number);
    return [];
  }
  const { seq, time } = parsed;
  return entriesIn(parsed.entry)
    .filter((entry) => options.request === undefined || entry.request === options.request)
    .map((entry) => ({ chain, seq, time, entry }));
}
