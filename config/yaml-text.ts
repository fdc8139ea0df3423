import { isUtf8 } from 'node:buffer';
import {
  type Document,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  type Pair,
  parseDocument,
  visit,
  type YAMLError,
} from 'yaml';
import { below, readable, type Steps } from './pointer.ts';
import { examine, type Remark } from './yaml-rules.ts';

/** Bytes; a YAML file larger than this is refused before it is parsed. */
export const YAML_LIMIT = 1_048_576;

export interface Position {
  /** 1-based. */
  readonly line: number;
  /** 1-based. */
  readonly column: number;
  /** `tenants[1].hosts[0]`; empty for the whole document. */
  readonly path: string;
}

/** A fault with its place in the text, before the file's name is known. */
export interface TextFault extends Position {
  /** RFC 6901 pointer of the place; empty for the whole document. */
  readonly pointer: string;
  readonly message: string;
}

/** A YAML text that has one meaning: plain JSON data, and where each part of it stands. */
export interface YamlText {
  readonly data: unknown;
  /**
   * Where a place of the data stands in the text. A place that is not there is found at its nearest
   * enclosing one.
   * @param key the place's own key is meant, not its value
   */
  position(steps: Steps, key?: boolean): Position;
}

export interface YamlResult {
  /** Undefined when the faults leave no document that further faults could be looked for in. */
  readonly text: YamlText | undefined;
  readonly faults: readonly TextFault[];
}

/**
 * Reads the strict part of YAML 1.2 that configuration needs: one document of mappings, lists, strings,
 * decimal integers and booleans. Pure; whatever the bytes are, it returns.
 */
export function readYaml(content: Uint8Array): YamlResult {
  if (content.length > YAML_LIMIT) {
    return refuse(0, 0, `the file is larger than ${YAML_LIMIT} bytes, the most allowed`);
  }
  if (!isUtf8(content)) return refuse(lineOfBadUtf8(content), 1, 'this line is not valid UTF-8');
  const source = Buffer.from(content.buffer, content.byteOffset, content.byteLength).toString('utf8');
  const hidden = hiddenCharacter(source);
  if (hidden !== undefined) return refuse(hidden.line, hidden.column, hidden.message);

  const lines = new LineCounter();
  let document: Document.Parsed;
  try {
    document = parseDocument(source, {
      lineCounter: lines,
      prettyErrors: false, // its messages quote the text, which may hold a misplaced secret
      stringKeys: true,
      uniqueKeys: false, // quadratic; `examine` does it
      version: '1.2',
      logLevel: 'error', // `silent` would also hide further documents
    });
  } catch {
    return refuse(0, 0, 'the file is not YAML, or is nested too deeply');
  }
  if (document.errors.length > 0) {
    return { text: undefined, faults: syntaxFaults(document, lines) };
  }
  const { remarks, structureIsSound } = examine(document);
  return {
    text: structureIsSound
      ? { data: document.toJS({ maxAliasCount: 0 }), position: locator(document, lines) }
      : undefined,
    faults: remarks.map((remark) => placed(remark, lines)),
  };
}

function refuse(line: number, column: number, message: string): YamlResult {
  return { text: undefined, faults: [{ line, column, path: '', pointer: '', message }] };
}

function placed(remark: Remark, lines: LineCounter): TextFault {
  const { line, col } = lines.linePos(remark.offset);
  const path = remark.steps.reduce(
    (text, { step, inList }) => text + readable(step, inList, text === ''),
    '',
  );
  const pointer = remark.steps.reduce((text, { step }) => below(text, step), '');
  return { line, column: col, path, pointer, message: remark.message };
}

/**
 * One fault per line, and without those that are nearly always a consequence of an earlier one: a
 * wrong indentation makes the rest of a mapping look like keys on one line.
 */
function syntaxFaults(document: Document.Parsed, lines: LineCounter): TextFault[] {
  const byLine = new Map<number, TextFault>();
  for (const error of document.errors) {
    if (byLine.size > 0 && CONSEQUENCES.has(error.code)) continue;
    const opening = error.code === 'MISSING_CHAR' ? openQuote(document, error.pos[0]) : undefined;
    const { line, col } = lines.linePos(opening ?? error.pos[0]);
    const message =
      opening === undefined
        ? SYNTAX[error.code]
        : 'a text in quotes begins here, and its closing quote is missing';
    // Where the parser gave up depends on how much stack it had.
    const column = error.code === 'RESOURCE_EXHAUSTION' ? 1 : col;
    if (!byLine.has(line)) byLine.set(line, { line, column, path: '', pointer: '', message });
  }
  return [...byLine.values()];
}

const CONSEQUENCES: ReadonlySet<YAMLError['code']> = new Set([
  'BLOCK_AS_IMPLICIT_KEY',
  'MULTILINE_IMPLICIT_KEY',
  'UNEXPECTED_TOKEN',
]);

/** Where the quoted text begins that runs on to `end`. */
function openQuote(document: Document.Parsed, end: number): number | undefined {
  let start: number | undefined;
  visit(document, {
    Scalar: (_, node) => {
      const quoted = node.type === 'QUOTE_SINGLE' || node.type === 'QUOTE_DOUBLE';
      if (quoted && node.range && node.range[0] < end && node.range[1] >= end) start = node.range[0];
    },
  });
  return start;
}

/** The parser's messages may quote the text; these never do. */
const SYNTAX: Readonly<Record<YAMLError['code'], string>> = {
  ALIAS_PROPS: 'aliases (*name) are not allowed',
  BAD_ALIAS: 'aliases (*name) and anchors (&name) are not allowed; quote a text that begins with * or &',
  BAD_COLLECTION_TYPE: 'tags (!name) are not allowed',
  BAD_DIRECTIVE: 'directives (%YAML, %TAG) are not allowed',
  BAD_DQ_ESCAPE: 'unknown escape in a double-quoted text; write \\\\ for a backslash, or use single quotes',
  BAD_INDENT: 'the indentation is wrong here, or a list or mapping above is not closed',
  BAD_PROP_ORDER: 'anchors (&name) and tags (!name) are not allowed',
  BAD_SCALAR_START: 'a plain text cannot begin with this character; put it in quotes',
  BLOCK_AS_IMPLICIT_KEY: 'a second "key:" on one line; put it on its own line, or the text in quotes',
  BLOCK_IN_FLOW: 'an indented block inside [ ] or { } is not allowed',
  DUPLICATE_KEY: 'this key is written twice',
  IMPOSSIBLE: 'this cannot be read as YAML',
  KEY_OVER_1024_CHARS: 'this key is far too long',
  MISSING_CHAR: 'a quote, bracket, comma or space is missing here',
  MULTILINE_IMPLICIT_KEY: 'a key must stand on one line and be followed by ": "',
  MULTIPLE_ANCHORS: 'anchors (&name) are not allowed',
  MULTIPLE_DOCS: 'a second document begins here ("---"); one file holds exactly one',
  MULTIPLE_TAGS: 'tags (!name) are not allowed',
  NON_STRING_KEY: 'a key must be a plain text',
  RESOURCE_EXHAUSTION: 'nested too deeply',
  TAB_AS_INDENT: 'a tab is used for indentation; use spaces',
  TAG_RESOLVE_FAILED: 'tags (!name) are not allowed',
  UNEXPECTED_TOKEN: 'this does not belong here; check indentation, quotes and colons around it',
};

function lineOfBadUtf8(content: Uint8Array): number {
  let line = 1;
  for (let start = 0; start <= content.length; line++) {
    const end = content.indexOf(0x0a, start);
    if (!isUtf8(content.subarray(start, end === -1 ? undefined : end))) return line;
    if (end === -1) break;
    start = end + 1;
  }
  return 0;
}

/**
 * Control characters have no place in a configuration, and those that reorder text for the eye
 * (Unicode Technical Report 36, "bidirectional text spoofing") would let a file read differently from
 * what it says.
 */
function hiddenCharacter(source: string): { line: number; column: number; message: string } | undefined {
  const found = /(?![\t\n\r])\p{Cc}|[\u200e\u200f\u202a-\u202e\u2066-\u2069]/u.exec(source);
  if (found === null) return undefined;
  const before = source.slice(0, found.index).split('\n');
  const code = found[0].codePointAt(0)?.toString(16).toUpperCase().padStart(4, '0');
  return {
    line: before.length,
    column: (before.at(-1) ?? '').length + 1,
    message: `an invisible character (U+${code}) is not allowed`,
  };
}

function locator(document: Document.Parsed, lines: LineCounter): YamlText['position'] {
  const indexes = new WeakMap<object, Map<string, Pair>>();
  const pairIn = (map: { items: Pair[] }, step: string): Pair | undefined => {
    let index = indexes.get(map);
    if (index === undefined) {
      index = new Map(
        map.items.map((pair) => [String(isScalar(pair.key) ? pair.key.value : pair.key), pair]),
      );
      indexes.set(map, index);
    }
    return index.get(step);
  };
  const startOf = (node: unknown): number | undefined => (node as Node | null)?.range?.[0];

  return (steps, key = false) => {
    let node: unknown = document.contents;
    let offset = startOf(node) ?? 0;
    let path = '';
    let found = true;
    for (const [depth, step] of steps.entries()) {
      const inList = found ? isSeq(node) : /^\d+$/.test(step);
      path += readable(step, inList, path === '');
      if (!found) continue;
      if (isSeq(node)) {
        const item: unknown = node.items[Number(step)];
        found = item !== undefined;
        if (found) [node, offset] = [item, startOf(item) ?? offset];
      } else if (isMap(node)) {
        const pair = pairIn(node, step);
        found = pair !== undefined;
        if (pair === undefined) continue;
        // The eye looks for a key; only a plain value has a better place, its own.
        const plain = isScalar(pair.value) && pair.value.value !== null;
        const wantsKey = key && depth === steps.length - 1;
        offset = (plain && !wantsKey ? startOf(pair.value) : startOf(pair.key)) ?? offset;
        node = pair.value;
      } else {
        found = false;
      }
    }
    const { line, col } = lines.linePos(offset);
    return { line, column: col, path };
  };
}
