/**
 * Path patterns: parsing them, and comparing the sets of paths they stand for. Everything that the
 * compiler proves about two routes (the same, contained, overlapping) is proved here.
 */

export type Segment =
  | { readonly kind: 'literal'; readonly text: string }
  /** A capture with a `where`; the values are the segment's whole language. */
  | { readonly kind: 'oneOf'; readonly name: string; readonly values: ReadonlySet<string> }
  /** A capture of any one segment that is not empty. */
  | { readonly kind: 'any'; readonly name: string }
  /** Everything that is left: at least one segment, of which the last may be empty (a trailing slash). */
  | { readonly kind: 'rest'; readonly name: string };

export type Pattern = readonly Segment[];

const CAPTURE = /^\{([A-Za-z][A-Za-z0-9]{0,31})(\*?)\}$/;
/**
 * What a literal segment may be made of: `pchar` of RFC 3986 §3.3 without percent-encoding, without
 * `*` (a reader would take it for a wildcard) and without `;` (servers disagree on path parameters).
 * ASCII only, so that no lookalike hides in a rule.
 */
const LITERAL = /^[A-Za-z0-9\-._~!$&'()+,=:@]+$/;

/** Whether a text can be a whole segment of a canonical path, which never ends with a dot, as rules write it. */
export function isLiteralSegment(text: string): boolean {
  return LITERAL.test(text) && !text.endsWith('.');
}

export type ParsedPattern =
  | { readonly ok: true; readonly pattern: Pattern; readonly captures: readonly string[] }
  | { readonly ok: false; readonly messages: readonly string[] };

/** Parses `/fhir/{resourceType}/{id}`. Captures come out as `any`; `constrain` narrows them. */
export function parsePattern(source: string): ParsedPattern {
  if (!source.startsWith('/')) return { ok: false, messages: ['must start with "/"'] };
  const messages: string[] = [];
  const pattern: Segment[] = [];
  const captures: string[] = [];
  const texts = source === '/' ? [] : source.slice(1).split('/');
  texts.forEach((text, position) => {
    const last = position === texts.length - 1;
    if (text === '') {
      if (last) pattern.push({ kind: 'literal', text });
      else messages.push('must not contain an empty segment ("//"); canonical paths have none');
      return;
    }
    const capture = CAPTURE.exec(text);
    if (capture !== null) {
      const name = capture[1] ?? '';
      if (captures.includes(name))
        messages.push(`captures "${name}" twice; every capture needs its own name`);
      captures.push(name);
      if (capture[2] === '*') {
        if (!last) messages.push(`"{${name}*}" takes the rest of the path and must be the last segment`);
        pattern.push({ kind: 'rest', name });
      } else pattern.push({ kind: 'any', name });
      return;
    }
    if (!isLiteralSegment(text)) messages.push(literalFault(text));
    else pattern.push({ kind: 'literal', text });
  });
  return messages.length > 0 ? { ok: false, messages } : { ok: true, pattern, captures };
}

function literalFault(text: string): string {
  const shown = JSON.stringify(text);
  if (/[{}]/.test(text)) {
    return `segment ${shown}: a capture is a whole segment, "{name}" or "{name*}", its name 1–32 ASCII letters and digits starting with a letter`;
  }
  if (text === '.' || text === '..') return `segment ${shown}: dot segments never reach a route`;
  if (/^[^*;%]*\.$/.test(text))
    return `segment ${shown}: no canonical path has a segment that ends with a dot`;
  if (text.includes('*'))
    return `segment ${shown}: "*" is no wildcard here; write "{name}" or a last "{name*}"`;
  return `segment ${shown}: write it decoded, of A–Z a–z 0–9 - . _ ~ ! $ & ' ( ) + , = : @ only`;
}

/** The pattern with each named capture narrowed to the values given for it. */
export function constrain(pattern: Pattern, where: ReadonlyMap<string, ReadonlySet<string>>): Pattern {
  return pattern.map((segment) => {
    if (segment.kind !== 'any') return segment;
    const values = where.get(segment.name);
    return values === undefined ? segment : { kind: 'oneOf', name: segment.name, values };
  });
}

/** The values a segment stands for, or undefined when they cannot be listed. */
export function valuesOf(segment: Segment): ReadonlySet<string> | undefined {
  if (segment.kind === 'literal') return new Set([segment.text]);
  return segment.kind === 'oneOf' ? segment.values : undefined;
}

/** The one segment that stands for what both stand for; undefined when that is nothing. Neither is `rest`. */
function intersectSegments(a: Segment, b: Segment): Segment | undefined {
  const inA = valuesOf(a);
  const inB = valuesOf(b);
  if (inA === undefined && inB === undefined) return a;
  const listed = inA ?? inB ?? new Set<string>();
  // Where the other side is a free capture, it takes everything but the empty segment of a trailing slash.
  const other = inA === undefined ? undefined : inB;
  const values = new Set(
    [...listed].filter((value) => (other === undefined ? value !== '' : other.has(value))),
  );
  return values.size === 0 ? undefined : { kind: 'oneOf', name: '', values };
}

/** Whether some path matches both. As `intersect`, without making the pattern: every pair of routes is asked. */
export function overlap(a: Pattern, b: Pattern): boolean {
  for (let i = 0; ; i++) {
    const left = a[i];
    const right = b[i];
    if (left === undefined || right === undefined) return left === right;
    if (left.kind === 'rest' || right.kind === 'rest') return true;
    if (!segmentsOverlap(left, right)) return false;
  }
}

function segmentsOverlap(a: Segment, b: Segment): boolean {
  if (a.kind === 'literal') {
    if (b.kind === 'literal') return a.text === b.text;
    return b.kind === 'oneOf' ? b.values.has(a.text) : a.text !== '';
  }
  if (b.kind === 'literal') return segmentsOverlap(b, a);
  if (a.kind !== 'oneOf' || b.kind !== 'oneOf') return true;
  for (const value of a.values) if (b.values.has(value)) return true;
  return false;
}

/** The pattern of the paths that both match; undefined when there are none. */
export function intersect(a: Pattern, b: Pattern): Pattern | undefined {
  const result: Segment[] = [];
  for (let i = 0; ; i++) {
    const left = a[i];
    const right = b[i];
    if (left === undefined || right === undefined) return left === right ? result : undefined;
    if (left.kind === 'rest') return [...result, ...b.slice(i)];
    if (right.kind === 'rest') return [...result, ...a.slice(i)];
    const both = intersectSegments(left, right);
    if (both === undefined) return undefined;
    result.push(both);
  }
}

/** Whether `outer` matches every path that `inner` matches. */
export function subsumes(outer: Pattern, inner: Pattern): boolean {
  for (let i = 0; ; i++) {
    const left = outer[i];
    const right = inner[i];
    if (left === undefined || right === undefined) return left === right;
    if (left.kind === 'rest') return true;
    if (right.kind === 'rest') return false;
    const inRight = valuesOf(right);
    if (left.kind === 'any') {
      if (inRight?.has('') === true) return false;
      continue;
    }
    const inLeft = valuesOf(left);
    if (inLeft === undefined || inRight === undefined) return false;
    for (const value of inRight) if (!inLeft.has(value)) return false;
  }
}

/**
 * Whether the patterns of `parts` together match every path that `whole` matches. Exact where the
 * difference lies in listed values; it may answer false for a cover it cannot see, never true wrongly.
 */
export function covers(parts: readonly Pattern[], whole: Pattern): boolean {
  const overlapping = parts.filter((part) => overlap(part, whole));
  if (overlapping.length === 0) return false;
  if (overlapping.some((part) => subsumes(part, whole))) return true;
  const position = whole.findIndex((segment) => segment.kind === 'oneOf' && segment.values.size > 1);
  const split = whole[position];
  if (split === undefined || split.kind !== 'oneOf') return false;
  for (const value of split.values) {
    const narrowed = whole.with(position, { kind: 'oneOf', name: split.name, values: new Set([value]) });
    if (!covers(overlapping, narrowed)) return false;
  }
  return true;
}

/** Whether one path matches, tried segment by segment. */
export function matches(pattern: Pattern, segments: readonly string[]): boolean {
  for (const [i, segment] of pattern.entries()) {
    const given = segments[i];
    if (given === undefined) return false;
    if (segment.kind === 'rest') return true;
    if (segment.kind === 'literal' ? given !== segment.text : given === '') return false;
    if (segment.kind === 'oneOf' && !segment.values.has(given)) return false;
  }
  return segments.length === pattern.length;
}

/** Whether both are written alike, but for the names of captures. */
export function samePattern(a: Pattern, b: Pattern): boolean {
  return (
    a.length === b.length &&
    a.every((segment, i) => segment.kind === b[i]?.kind) &&
    subsumes(a, b) &&
    subsumes(b, a)
  );
}
