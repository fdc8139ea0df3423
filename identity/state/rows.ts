import { randomInt } from 'node:crypto';
import { ChartgateError } from '../../contracts/errors.ts';
import {
  type JsonBody,
  type JsonValue,
  type NewDocument,
  STATE_KINDS,
  STATE_LIMITS,
  type StateKind,
  type StateOperation,
  type StoredDocument,
} from '../../contracts/state.ts';

/** Documents as tables hold them, the same for every engine. */

/** What `expires_at` says of a document that never expires: later than every time there is. */
export const NEVER = Number.MAX_SAFE_INTEGER;

/** How deep a body may be nested; what is read is frozen all the way down. */
const DEEPEST = 64;

/** The value of an index, for the table of entries or, when no two may share it, of claims. */
export interface IndexRow {
  readonly name: string;
  readonly value: string;
  readonly unique: boolean;
}

/** A document that was judged and may be written. */
export interface WritableRow {
  readonly body: string;
  /** All indexes as one JSON object, to be handed out with the document. */
  readonly indexes: string;
  readonly values: readonly IndexRow[];
  readonly expiresAt: number;
}

/** A document as a table gave it. */
export interface ReadRow {
  readonly id: string;
  readonly version: number;
  readonly body: string;
  readonly indexes: string;
  readonly createdAt: number;
  readonly expiresAt: number;
}

/** A page that was asked for, within the limits. */
export interface Page {
  readonly limit: number;
  /** Ids of the page are greater; the empty text comes before all. */
  readonly after: string;
}

function refuse(message: string): never {
  throw new ChartgateError('state-invalid', `State store: ${message}`);
}

const PRINTABLE = /^[\x20-\x7e]+$/;

/** @throws ChartgateError `state-invalid` */
export function judgeKind(kind: StateKind): void {
  if (!Object.hasOwn(STATE_KINDS, kind)) refuse('there is no such kind of document.');
}

/** @throws ChartgateError `state-invalid`, without the id: it may be a hash of something secret */
export function judgeKey(kind: StateKind, id: string): void {
  judgeKind(kind);
  if (typeof id !== 'string' || id.length > STATE_LIMITS.id || !PRINTABLE.test(id)) {
    refuse(`an id of kind "${kind}" is not 1 to ${STATE_LIMITS.id} characters of printable ASCII.`);
  }
}

/** @returns whether no two documents may share the value; @throws ChartgateError `state-invalid` */
export function judgeIndex(kind: StateKind, index: string, value: string): boolean {
  judgeKind(kind);
  const { indexes, unique }: { indexes: readonly string[]; unique: readonly string[] } = STATE_KINDS[kind];
  if (!indexes.includes(index)) refuse(`the kind "${kind}" has no such index.`);
  // A lone surrogate has no UTF-8 of its own: two different values would become one.
  if (typeof value !== 'string' || value.length > STATE_LIMITS.value || !value.isWellFormed()) {
    refuse(
      `a value of the index "${index}" of kind "${kind}" is not a text of at most ${STATE_LIMITS.value} characters.`,
    );
  }
  return unique.includes(index);
}

/** @throws ChartgateError `state-invalid` */
export function judgePage(options: { readonly limit?: number; readonly after?: string } = {}): Page {
  const { limit = STATE_LIMITS.page, after = '' } = options;
  if (!Number.isInteger(limit) || limit < 1 || limit > STATE_LIMITS.page) {
    refuse(`a page has 1 to ${STATE_LIMITS.page} documents.`);
  }
  if (typeof after !== 'string' || (after !== '' && !PRINTABLE.test(after)))
    refuse('a page begins after an id.');
  return { limit, after };
}

/** @throws ChartgateError `state-invalid` */
export function judgeVersion(version: number): void {
  if (!Number.isSafeInteger(version)) refuse('a version is the integer that was read with the document.');
}

/** @throws ChartgateError `state-invalid` for the first operation that no store takes */
export function judgeOperations(operations: readonly StateOperation[]): readonly JudgedOperation[] {
  if (operations.length > STATE_LIMITS.operations) {
    refuse(`one commit has at most ${STATE_LIMITS.operations} operations.`);
  }
  return operations.map((operation): JudgedOperation => {
    judgeKey(operation.kind, operation.id);
    if (operation.do === 'insert') return { ...operation, row: writable(operation.kind, operation.document) };
    judgeVersion(operation.version);
    return operation.do === 'replace'
      ? { ...operation, row: writable(operation.kind, operation.document) }
      : operation;
  });
}

export type JudgedOperation =
  | { readonly do: 'insert'; readonly kind: StateKind; readonly id: string; readonly row: WritableRow }
  | {
      readonly do: 'replace';
      readonly kind: StateKind;
      readonly id: string;
      readonly version: number;
      readonly row: WritableRow;
    }
  | { readonly do: 'remove'; readonly kind: StateKind; readonly id: string; readonly version: number };

/** @throws ChartgateError `state-invalid` */
export function writable(kind: StateKind, document: NewDocument): WritableRow {
  judgeKind(kind);
  const { expiresAt } = document;
  if (expiresAt !== undefined && !(Number.isFinite(expiresAt) && Math.abs(expiresAt) < NEVER)) {
    refuse(`a document of kind "${kind}" expires at no time; give milliseconds, or nothing.`);
  }
  // In one order: two spellings of the same would look like a change, and locks are taken in it.
  const values = Object.entries(document.indexes ?? {})
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => ({ name, value, unique: judgeIndex(kind, name, value) }))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
  if (!isObject(document.body)) refuse(`the body of a document of kind "${kind}" is not an object.`);
  judgeValue(kind, document.body, 0);
  const body = JSON.stringify(document.body);
  if (body.length > STATE_LIMITS.body || Buffer.byteLength(body) > STATE_LIMITS.body) {
    refuse(`the body of a document of kind "${kind}" is over ${STATE_LIMITS.body} bytes.`);
  }
  return {
    body,
    indexes: JSON.stringify(Object.fromEntries(values.map(({ name, value }) => [name, value]))),
    values,
    expiresAt: expiresAt === undefined ? NEVER : Math.floor(expiresAt),
  };
}

function isObject(value: unknown): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null) return false;
  const prototype = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

/** JSON bends what it cannot say (`NaN` to null, a date to a text); here that is a mistake of ours, not data. */
function judgeValue(kind: StateKind, value: unknown, depth: number): void {
  if (depth > DEEPEST) refuse(`the body of a document of kind "${kind}" is nested over ${DEEPEST} deep.`);
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return;
  if (typeof value === 'number' && Number.isFinite(value)) return;
  if (Array.isArray(value)) {
    for (const item of value) judgeValue(kind, item, depth + 1);
    return;
  }
  if (isObject(value) && typeof value.toJSON !== 'function') {
    for (const item of Object.values(value)) if (item !== undefined) judgeValue(kind, item, depth + 1);
    return;
  }
  refuse(`the body of a document of kind "${kind}" holds something that is not JSON.`);
}

/** Where versions of a new document begin (contracts/state.ts, `StoredDocument.version`). */
export function firstVersion(): number {
  return randomInt(1, 2 ** 47);
}

/** @throws ChartgateError `state-unavailable` when the row was damaged or written by somebody else */
export function documentOf(row: ReadRow): StoredDocument {
  let body: JsonValue;
  let indexes: JsonValue;
  try {
    body = JSON.parse(row.body) as JsonValue;
    indexes = JSON.parse(row.indexes) as JsonValue;
  } catch {
    throw damaged();
  }
  if (!isObject(body) || !isObject(indexes)) throw damaged();
  return Object.freeze({
    id: row.id,
    version: row.version,
    body: frozen(body) as JsonBody,
    indexes: Object.freeze(indexes) as Readonly<Record<string, string>>,
    expiresAt: row.expiresAt === NEVER ? undefined : row.expiresAt,
    createdAt: row.createdAt,
  });
}

function damaged(): ChartgateError {
  return new ChartgateError('state-unavailable', 'State store: a document is damaged.');
}

function frozen(value: JsonValue): JsonValue {
  if (typeof value === 'object' && value !== null) {
    for (const item of Object.values(value)) frozen(item as JsonValue);
    Object.freeze(value);
  }
  return value;
}
