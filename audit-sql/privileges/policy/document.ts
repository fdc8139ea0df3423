import { isUtf8 } from 'node:buffer';
import { isAlias, isMap, isScalar, isSeq, LineCounter, type Node, parseDocument, visit } from 'yaml';
import { ConfigurationError, type Fault } from '../../../contracts/errors.ts';

/** Bytes; a policy file larger than this is refused before it is parsed. */
const LIMIT = 1_048_576;

/** Collects every fault of one file. */
export class Faults {
  readonly #file: string;
  readonly #faults: Fault[] = [];

  constructor(file: string) {
    this.#file = file;
  }

  add(message: string, line = 0, column = 0, path = ''): void {
    this.#faults.push(Object.freeze({ file: this.#file, line, column, path, message }));
  }

  /** @throws ConfigurationError with all of them, in the order of the text, when there are any */
  refuse(): void {
    if (this.#faults.length === 0) return;
    throw new ConfigurationError(this.#faults.toSorted((a, b) => a.line - b.line || a.column - b.column));
  }
}

/** A place in the document: reads what is there, or records what is wrong and gives nothing. */
export class Place {
  readonly path: string;
  readonly #node: Node | null | undefined;
  readonly #lines: LineCounter;
  readonly #faults: Faults;

  constructor(node: Node | null | undefined, path: string, lines: LineCounter, faults: Faults) {
    this.#node = node;
    this.path = path;
    this.#lines = lines;
    this.#faults = faults;
  }

  fault(message: string, node: Node | null | undefined = this.#node): void {
    const { line, col } = this.#lines.linePos(node?.range?.[0] ?? 0);
    this.#faults.add(message, line, col, this.path);
  }

  /** The line, for messages that point here from elsewhere. */
  get line(): number {
    return this.#lines.linePos(this.#node?.range?.[0] ?? 0).line;
  }

  /** A mapping with some of these keys; the required ones must be there. */
  map<Key extends string>(
    keys: readonly Key[],
    required: readonly Key[] = [],
  ): Partial<Record<Key, Place>> | undefined {
    if (!isMap(this.#node)) {
      this.fault(`must be a mapping with the keys ${keys.join(', ')}`);
      return undefined;
    }
    const found: Partial<Record<Key, Place>> = {};
    for (const pair of this.#node.items) {
      const key = isScalar(pair.key) ? String(pair.key.value) : '';
      const below = this.path === '' ? key : `${this.path}.${key}`;
      const place = new Place(pair.value as Node | null, below, this.#lines, this.#faults);
      if (keys.includes(key as Key)) found[key as Key] = place;
      else place.fault(`unknown key; known here: ${keys.join(', ')}`, pair.key as Node);
    }
    for (const key of required) {
      if (found[key] === undefined) this.fault(`the key "${key}" is missing`);
    }
    return found;
  }

  list(): Place[] {
    if (!isSeq(this.#node)) {
      this.fault('must be a list');
      return [];
    }
    return this.#node.items.map(
      (item, index) => new Place(item as Node, `${this.path}[${index}]`, this.#lines, this.#faults),
    );
  }

  get isList(): boolean {
    return isSeq(this.#node);
  }

  /** What stands here when it is neither a mapping nor a list. */
  scalar(): unknown {
    return isScalar(this.#node) ? this.#node.value : undefined;
  }

  text(what = 'a text'): string | undefined {
    const value = this.scalar();
    if (typeof value === 'string' && value !== '') return value;
    this.fault(`must be ${what}${value === '' ? ', not an empty text' : ''}`);
    return undefined;
  }

  texts(what = 'a text'): string[] {
    return this.list().flatMap((place) => place.text(what) ?? []);
  }

  boolean(): boolean | undefined {
    const value = this.scalar();
    if (typeof value === 'boolean') return value;
    this.fault('must be true or false');
    return undefined;
  }
}

/**
 * The document of a policy file: YAML, or JSON as a part of it. Anchors, aliases, tags and further
 * documents are refused, so that the text says what it seems to say.
 * @returns undefined when there is nothing further faults could be looked for in
 */
export function readDocument(content: Uint8Array, faults: Faults): Place | undefined {
  if (content.length > LIMIT) {
    faults.add(`the file is larger than ${LIMIT} bytes, the most allowed`);
    return undefined;
  }
  if (!isUtf8(content)) {
    faults.add('the file is not valid UTF-8');
    return undefined;
  }
  const lines = new LineCounter();
  const document = parseDocument(Buffer.from(content).toString('utf8'), {
    lineCounter: lines,
    prettyErrors: false,
    stringKeys: true,
    version: '1.2',
    logLevel: 'error',
  });
  for (const error of document.errors) {
    const { line, col } = lines.linePos(error.pos[0]);
    faults.add(error.message, line, col);
  }
  if (document.errors.length > 0) return undefined;
  if (document.contents === null) {
    faults.add('the file is empty or holds only comments');
    return undefined;
  }
  let sound = true;
  visit(document, {
    Node: (_, node) => {
      const anchored = !isAlias(node) && node.anchor !== undefined;
      if (!isAlias(node) && !anchored && node.tag === undefined) return;
      const { line, col } = lines.linePos(node.range?.[0] ?? 0);
      faults.add('anchors, aliases and tags are not allowed', line, col);
      sound = false;
    },
  });
  return sound ? new Place(document.contents, '', lines, faults) : undefined;
}
