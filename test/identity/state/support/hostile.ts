/** Ids that a store must take, each [what is special about it, the id]; all different. */
export const HOSTILE_IDS: readonly (readonly [string, string])[] = [
  ['small', 'abc'],
  ['large', 'ABC'],
  ['mixed', 'aBc'],
  ['with a space behind', 'abc '],
  ['with two', 'abc  '],
  ['with a space in front', ' abc'],
  ['a space', ' '],
  ['with a quote', "a'b"],
  ['SQL', "'; DROP TABLE document; --"],
  ['with double quotes', 'a"b'],
  ['with a backtick', 'a`b'],
  ['with a backslash', 'a\\b'],
  ['ending in a backslash', 'ab\\'],
  ['a wildcard', '%'],
  ['another wildcard', '_'],
  ['a place holder', '?'],
  ['a named place holder', ':id'],
  ['a number', '1'],
  ['the same number otherwise', '1.0'],
  ['a number with a zero', '01'],
  ['a word of SQL', 'NULL'],
  ['a name of every object', '__proto__'],
  ['a hash', 'LPJNul-wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ'],
  ['as long as may be', 'x'.repeat(191)],
  ['as long, and another', `${'x'.repeat(190)}X`],
];

export const REFUSED_IDS: readonly (readonly [string, string])[] = [
  ['empty', ''],
  ['too long', 'x'.repeat(192)],
  ['ended by a NUL', 'abc\0'],
  ['of two lines', 'a\nb'],
  ['ended by a line break', 'abc\n'],
  ['with a tab', 'a\tb'],
  ['with DEL', 'a\x7f'],
  ['not ASCII', 'ä'],
  ['of four bytes', '😀'],
  ['a lone surrogate', '\ud83d'],
  ['no text', 5 as unknown as string],
  ['nothing', undefined as unknown as string],
  ['a list', ['abc'] as unknown as string],
];

/** Values of indexes that a store must take and keep apart. */
export const HOSTILE_VALUES: readonly (readonly [string, string])[] = [
  ['empty', ''],
  ['a space', ' '],
  ['small', 'müller'],
  ['large', 'MÜLLER'],
  ['without dots', 'muller'],
  ['decomposed', 'mu\u0308ller'],
  ['with a space behind', 'müller '],
  ['with a NUL behind', 'müller\0'],
  ['with a NUL inside', 'mü\0ller'],
  ['a NUL', '\0'],
  ['of four bytes', '😀'],
  ['another of four bytes', '😁'],
  ['what replaces what cannot be said', '\ufffd'],
  ['with a quote', "o'neil"],
  ['SQL', "' OR '1'='1"],
  ['with a backslash', '\\'],
  ['a wildcard', '%'],
  ['with line breaks', 'a\r\nb'],
  ['sharp s', 'straße'],
  ['two s', 'strasse'],
  ['a dotless i', 'ı'],
  ['invisible', '\u200b'],
  ['the end of a range', '\uffff'],
  ['as long as may be', 'ä'.repeat(255)],
  ['as long, and another', `${'ä'.repeat(254)}Ä`],
  ['as long, of three bytes each', '\u20ac'.repeat(255)],
  ['a name of every object', '__proto__'],
];

export const REFUSED_VALUES: readonly (readonly [string, string])[] = [
  ['too long', 'x'.repeat(256)],
  ['a lone surrogate', 'a\ud83d'],
  ['no text', 7 as unknown as string],
  ['null', null as unknown as string],
];

const deep = (depth: number): unknown => (depth === 0 ? {} : { d: deep(depth - 1) });
const circle: Record<string, unknown> = {};
circle.again = circle;

/** JSON would bend these silently, or never end. */
export const REFUSED_BODIES: readonly (readonly [string, unknown])[] = [
  ['a text', 'text'],
  ['a list', [1]],
  ['null', null],
  ['not a number', { n: Number.NaN }],
  ['without end', { n: Number.POSITIVE_INFINITY }],
  ['a big integer', { n: 1n }],
  ['a date', { at: new Date(0) }],
  ['bytes', { bytes: Buffer.from('x') }],
  ['a map', { map: new Map() }],
  ['a function', { f: () => 1 }],
  ['a symbol', { s: Symbol('s') }],
  ['a list with a hole', { list: [1, undefined] }],
  ['something that says it is something else', { toJSON: () => ({}) }],
  ['nested without need', deep(70)],
  ['a circle', circle],
  ['too long', { text: 'x'.repeat(1_048_576) }],
];
