/** Finds what a TypeScript file imports by reading its tokens, without a compiler. */

export interface FoundImport {
  /** Undefined for an `import()` of something that is not written out. */
  readonly specifier: string | undefined;
  /** 1-based. */
  readonly line: number;
  /** Gone at run time: `import type`, `export type`, `typeof import()`. */
  readonly typeOnly: boolean;
}

export interface FoundText {
  readonly text: string;
  readonly line: number;
}

export interface Scan {
  readonly imports: readonly FoundImport[];
  /** Every string and template piece of the file. */
  readonly texts: readonly FoundText[];
}

interface Token {
  readonly kind: 'word' | 'text' | 'template' | 'regex' | 'mark';
  readonly value: string;
  readonly line: number;
}

export function scanImports(source: string): Scan {
  const tokens = tokenize(source);
  const imports: FoundImport[] = [];
  tokens.forEach((token, at) => {
    const before = tokens[at - 1];
    if (token.kind !== 'word' || isMark(before, '.')) return;
    if (token.value === 'import') readImport(tokens, at, imports);
    else if (token.value === 'export') readExport(tokens, at, imports);
    else if (token.value === 'require' && isMark(tokens[at + 1], '(')) readCall(tokens, at, false, imports);
  });
  const texts = tokens.filter((token) => token.kind === 'text' || token.kind === 'template');
  return { imports, texts: texts.map(({ value, line }) => ({ text: value, line })) };
}

function isMark(token: Token | undefined, value: string): boolean {
  return token?.kind === 'mark' && token.value === value;
}

function isWord(token: Token | undefined, value: string): boolean {
  return token?.kind === 'word' && token.value === value;
}

function readImport(tokens: readonly Token[], at: number, imports: FoundImport[]): void {
  const next = tokens[at + 1];
  // A property or a method of that name, and `import.meta`.
  if (next === undefined || isMark(next, ':') || isMark(next, '.') || isMark(next, ',')) return;
  if (isMark(next, '(')) {
    readCall(tokens, at, isWord(tokens[at - 1], 'typeof'), imports);
    return;
  }
  if (next.kind === 'text') {
    imports.push({ specifier: next.value, line: next.line, typeOnly: false });
    return;
  }
  // `import type from './x.ts'` imports a default that is called `type`.
  const typeOnly =
    isWord(next, 'type') && !(isWord(tokens[at + 2], 'from') && tokens[at + 3]?.kind === 'text');
  readFrom(tokens, at + 1, typeOnly, imports);
}

function readExport(tokens: readonly Token[], at: number, imports: FoundImport[]): void {
  const typeOnly = isWord(tokens[at + 1], 'type');
  const start = typeOnly ? at + 2 : at + 1;
  if (isMark(tokens[start], '*')) readFrom(tokens, start, typeOnly, imports);
  if (!isMark(tokens[start], '{')) return;
  const end = tokens.findIndex((token, i) => i > start && isMark(token, '}'));
  const source = tokens[end + 2];
  if (end > 0 && isWord(tokens[end + 1], 'from') && source?.kind === 'text') {
    imports.push({ specifier: source.value, line: source.line, typeOnly });
  }
}

/** From the clause of an import to its `from '…'`. */
function readFrom(tokens: readonly Token[], start: number, typeOnly: boolean, imports: FoundImport[]): void {
  for (let i = start; i < tokens.length; i++) {
    const source = tokens[i + 1];
    if (isWord(tokens[i], 'from') && source?.kind === 'text') {
      imports.push({ specifier: source.value, line: source.line, typeOnly });
      return;
    }
    if (isMark(tokens[i], ';') || isMark(tokens[i], '(')) return;
  }
}

function readCall(tokens: readonly Token[], at: number, typeOnly: boolean, imports: FoundImport[]): void {
  const argument = tokens[at + 2];
  const after = tokens[at + 3];
  const literal =
    (argument?.kind === 'text' || argument?.kind === 'template') &&
    (isMark(after, ')') || isMark(after, ','));
  imports.push({
    specifier: literal ? argument.value : undefined,
    line: (argument ?? tokens[at])?.line ?? 0,
    typeOnly,
  });
}

const WORD = /[\p{ID_Continue}$\u200c\u200d]+/uy;
const REGEX = /\/(?:[^\\/[\n]|\\.|\[(?:[^\]\\\n]|\\.)*\])+\/[a-z]*/y;
/** Words after which a slash begins a regular expression. */
const BEFORE_REGEX = /^(?:return|typeof|case|in|of|delete|void|throw|new|do|else|await|yield|instanceof)$/;

function tokenize(source: string): readonly Token[] {
  const tokens: Token[] = [];
  /** For each template that is being read: how many braces are open inside its substitution. */
  const templates: number[] = [];
  let line = 1;
  let at = 0;
  const push = (kind: Token['kind'], value: string, length: number) => {
    tokens.push({ kind, value, line });
    line += count(source.slice(at, at + length));
    at += length;
  };
  while (at < source.length) {
    const char = source[at] ?? '';
    const pair = source.slice(at, at + 2);
    if (char === '\n') line += 1;
    if (/\s/.test(char)) at += 1;
    else if (pair === '//' || (pair === '#!' && at === 0)) at = endOf(source, '\n', at);
    else if (pair === '/*') {
      const end = endOf(source, '*/', at + 2) + 2;
      line += count(source.slice(at, end));
      at = end;
    } else if (char === "'" || char === '"') {
      const length = textLength(source, at, char);
      push('text', unescaped(source.slice(at + 1, at + length - 1)), length);
    } else if (char === '`' || (char === '}' && templates.at(-1) === 0)) {
      if (char === '}') templates.pop();
      const { value, length, opens } = templatePiece(source, at);
      // Only a template without substitution is a whole text; its pieces are texts all the same.
      push('template', value, length);
      if (opens) templates.push(0);
    } else if (char === '/' && regexMayBegin(tokens.at(-1)) && matchAt(REGEX, source, at) !== undefined) {
      const regex = matchAt(REGEX, source, at) ?? '';
      push('regex', regex, regex.length);
    } else {
      const word = matchAt(WORD, source, at);
      if (word !== undefined) push('word', word, word.length);
      else {
        const open = templates.length - 1;
        if (open >= 0 && (char === '{' || char === '}')) {
          templates[open] = (templates[open] ?? 0) + (char === '{' ? 1 : -1);
        }
        push('mark', char, 1);
      }
    }
  }
  return tokens;
}

function count(text: string): number {
  return text.split('\n').length - 1;
}

function endOf(source: string, what: string, from: number): number {
  const end = source.indexOf(what, from);
  return end < 0 ? source.length : end;
}

function matchAt(pattern: RegExp, source: string, at: number): string | undefined {
  pattern.lastIndex = at;
  return pattern.exec(source)?.[0];
}

function regexMayBegin(before: Token | undefined): boolean {
  if (before === undefined) return true;
  if (before.kind === 'word') return BEFORE_REGEX.test(before.value);
  return before.kind === 'mark' && ![')', ']', '}'].includes(before.value);
}

/** Length of a quoted text with its quotes; it ends at the line's end when the quote is missing. */
function textLength(source: string, start: number, quote: string): number {
  let at = start + 1;
  while (at < source.length && source[at] !== quote && source[at] !== '\n') at += source[at] === '\\' ? 2 : 1;
  return Math.min(at + 1, source.length) - start;
}

/** A piece of a template: from a backquote or a closing brace to a backquote or `${`. */
function templatePiece(source: string, start: number): { value: string; length: number; opens: boolean } {
  let at = start + 1;
  while (at < source.length && source[at] !== '`' && source.slice(at, at + 2) !== '${') {
    at += source[at] === '\\' ? 2 : 1;
  }
  const opens = source.slice(at, at + 2) === '${';
  const end = Math.min(at + (opens ? 2 : 1), source.length);
  return { value: unescaped(source.slice(start + 1, at)), length: end - start, opens };
}

/** Escapes could hide a module's name from these rules. */
function unescaped(text: string): string {
  return text.replace(
    /\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|u\{([0-9a-fA-F]+)\}|(.))/gs,
    (_all, x, u, braces, other) => {
      const code = x ?? u ?? braces;
      return code === undefined ? String(other) : String.fromCodePoint(Number.parseInt(code, 16));
    },
  );
}
