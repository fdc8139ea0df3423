import { hash } from 'node:crypto';

/**
 * How a chain lies on disk. Each line of a file is one record, exactly
 *
 *   {"seq":N,"time":"T","entry":{…},"prev":"P","hash":"H"}\n
 *
 * `N` counts from 1 through all files of the chain, `T` is UTC to the millisecond, `P` is the `H` of
 * the record before (64 zeros for the first), and `H` is the SHA-256, in hex, of the line's bytes up
 * to and including the quote that closes `P`. So `head -c` and `sha256sum` are enough to check one.
 */
export const FORMAT = 1;

/** A line longer than this is neither written nor read, so that no reader needs more memory. */
export const MAX_LINE_BYTES = 65_536;

export const GENESIS = '0'.repeat(64);

const PREV_OPEN = ',"prev":"';
const HASH_OPEN = ',"hash":"';
const CLOSE = '"}';
/** Bytes of a line that its hash does not cover, the newline left out. */
const UNHASHED = HASH_OPEN.length + 64 + CLOSE.length;
/** Bytes after the entry, the newline left out. */
const TRAILER = PREV_OPEN.length + 64 + 1 + UNHASHED;
const HEAD = /^\{"seq":([1-9]\d{0,15}),"time":"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z)","entry":(?=\{)/;
const TAIL = /^,"prev":"([0-9a-f]{64})","hash":"([0-9a-f]{64})"\}$/;
/** Longest possible match of HEAD. */
const HEAD_BYTES = 80;

/** Records that the log writes about itself, among the gateway's entries. */
export type ChainEntry =
  | {
      readonly kind: 'chain';
      /** `begin` opens the first file, `continue` every later one. */
      readonly event: 'begin' | 'continue';
      readonly chain: string;
      /** 128 random bits, hex, chosen when the chain began: two chains of one name are told apart. */
      readonly id: string;
      readonly format: typeof FORMAT;
      readonly file: number;
    }
  | {
      readonly kind: 'chain';
      /** Bytes that were never acknowledged were cut off, at start or after a failure to write. */
      readonly event: 'recovered';
      /** `torn-tail`, `replaced`, `stalled` or the operating system's code (`ENOSPC`, `EIO`…). */
      readonly cause: string;
      readonly cutBytes: number;
      /** SHA-256 of the bytes cut off, hex; of nothing when `cutBytes` is 0. */
      readonly cutDigest: string;
    };

/** The last record of a chain as far as it is known. */
export interface ChainHead {
  readonly seq: number;
  readonly hash: string;
}

/** The part of a line that does not depend on its place in the chain. `entry` is JSON text. */
export function recordPart(time: string, entry: string): string {
  return `,"time":"${time}","entry":${entry}`;
}

/** An entry as JSON text, and when it was appended: milliseconds since the epoch. */
export interface TimedEntry {
  readonly at: number;
  readonly json: string;
}

/** UTF-16 units of the entries in one group; three bytes each at most, so that a line stays below its limit. */
const GROUP_UNITS = 20_000;

/**
 * What is written together is chained together: entries that wait for the same write become one record,
 * `{"kind":"group","entries":[…]}`, with one number, one time (the first one's) and one hash. Under load that
 * is a twentieth of the hashing and half of the bytes; alone, an entry is a record by itself.
 */
export function groupParts(entries: readonly TimedEntry[]): readonly string[] {
  const groups: string[] = [];
  let text = '';
  let count = 0;
  let units = 0;
  let at = 0;
  const close = (): void => {
    // Written out once for each record: a time costs as much as hashing a record.
    const time = new Date(at).toISOString();
    groups.push(recordPart(time, count === 1 ? text : `{"kind":"group","entries":[${text}]}`));
  };
  for (const entry of entries) {
    const { length } = entry.json;
    if (count > 0 && units + length > GROUP_UNITS) {
      close();
      text = '';
      count = 0;
      units = 0;
    }
    if (count === 0) ({ at } = entry);
    text = count === 0 ? entry.json : `${text},${entry.json}`;
    count += 1;
    units += length;
  }
  if (count > 0) close();
  return groups;
}

/** The entries of a record: those of a group, or the one that it is. What is no entry is left out. */
export function entriesIn(entry: ParsedLine['entry']): readonly ParsedLine['entry'][] {
  return entry.kind === 'group' && Array.isArray(entry.entries) ? entry.entries.filter(isEntry) : [entry];
}

function isEntry(value: unknown): value is ParsedLine['entry'] {
  return typeof value === 'object' && value !== null && 'kind' in value && typeof value.kind === 'string';
}

/** Makes a record part the successor of `previous`. Returns its line and its hash. */
export function chainLine(previous: ChainHead, part: string): { line: string; hash: string } {
  const covered = `{"seq":${previous.seq + 1}${part}${PREV_OPEN}${previous.hash}"`;
  const digest = hash('sha256', covered, 'hex');
  return { line: `${covered}${HASH_OPEN}${digest}${CLOSE}\n`, hash: digest };
}

/** One line taken apart. `computed` is what the hash ought to be, `hash` what the line says. */
export interface ParsedLine {
  readonly seq: number;
  readonly time: string;
  readonly entry: Readonly<Record<string, unknown>> & { readonly kind: string };
  readonly prev: string;
  readonly hash: string;
  readonly computed: string;
}

/** @param line without its newline. Returns undefined for anything that the writer cannot have written. */
export function parseLine(line: Buffer): ParsedLine | undefined {
  if (line.length > MAX_LINE_BYTES || line.length < TRAILER) return undefined;
  const head = HEAD.exec(line.toString('latin1', 0, HEAD_BYTES));
  const tail = TAIL.exec(line.toString('latin1', line.length - TRAILER));
  if (head?.[1] === undefined || head[2] === undefined || tail?.[1] === undefined || tail[2] === undefined) {
    return undefined;
  }
  const seq = Number(head[1]);
  const entry = parseEntry(line.toString('utf8', head[0].length, line.length - TRAILER));
  if (!Number.isSafeInteger(seq) || entry === undefined || Number.isNaN(Date.parse(head[2])))
    return undefined;
  const computed = hash('sha256', line.subarray(0, line.length - UNHASHED), 'hex');
  return { seq, time: head[2], entry, prev: tail[1], hash: tail[2], computed };
}

function parseEntry(text: string): ParsedLine['entry'] | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isEntry(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

const CHAIN_NAME = /^[a-z][a-z0-9-]{0,62}$/;
const FILE_NAME = /^([a-z][a-z0-9-]{0,62})\.(\d{8})\.jsonl$/;

export function isChainName(name: string): boolean {
  return CHAIN_NAME.test(name);
}

/** `worker-1.00000001.jsonl`: sorts by chain, then by age. */
export function fileName(chain: string, file: number): string {
  return `${chain}.${String(file).padStart(8, '0')}.jsonl`;
}

export function parseFileName(name: string): { chain: string; file: number } | undefined {
  const match = FILE_NAME.exec(name);
  if (match?.[1] === undefined || match[2] === undefined) return undefined;
  const file = Number(match[2]);
  return file > 0 ? { chain: match[1], file } : undefined;
}
