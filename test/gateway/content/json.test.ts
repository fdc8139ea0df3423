import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Json } from '../../../contracts/content.ts';
import { type JsonOptions, readJson } from '../../../gateway/content/json.ts';
import { writeJson } from '../../../gateway/content/json-write.ts';

const OPTIONS: JsonOptions = { depth: 64, values: 10_000, strict: true, spans: true };
const LAX: JsonOptions = { ...OPTIONS, strict: false };

function read(text: string | Buffer, options = OPTIONS) {
  return readJson(typeof text === 'string' ? Buffer.from(text) : text, options);
}

function faultOf(text: string | Buffer, options = OPTIONS): string {
  const result = read(text, options);
  return result.ok ? 'read' : `${result.rule} ${result.place}`.trim();
}

describe('a JSON body has one meaning or none', () => {
  const REFUSED: readonly (readonly [text: string | Buffer, fault: string, why: string])[] = [
    ['{"a":1,"a":2}', 'json-duplicate-name /a', 'readers take the first, the last, or both'],
    ['{"a":1,"\\u0061":2}', 'json-duplicate-name /a', 'the same name, escaped'],
    ['[{"x":{"id":1,"id":1}}]', 'json-duplicate-name /0/x/id', 'in the depth, even with the same value'],
    ['{"subject":1,"Subject":2}', 'json-duplicate-name /Subject', 'readers that do not look at case'],
    [
      `{${Array.from({ length: 20 }, (_, i) => `"n${i}":1`).join(',')},"N7":1}`,
      'json-duplicate-name /N7',
      'the same among many',
    ],
    ['{"__proto__":{"a":1}}', 'json-name /__proto__', 'changes what copies of the object inherit'],
    ['{"a":1}{"a":2}', 'json-trailing', 'a second document'],
    ['{"a":1} x', 'json-trailing', 'something after it'],
    ['', 'json-syntax', 'nothing'],
    ['{"a":1,}', 'json-syntax', 'a trailing comma'],
    ['[1,]', 'json-syntax /1', 'the same in an array'],
    ['{a:1}', 'json-syntax', 'a name without quotes'],
    ["{'a':1}", 'json-syntax', 'single quotes'],
    ['/* c */ {}', 'json-syntax', 'a comment'],
    ['{"a":NaN}', 'json-syntax /a', 'no number of JSON'],
    ['{"a":Infinity}', 'json-syntax /a', 'no number of JSON'],
    ['{"a":01}', 'json-syntax', 'octal to some'],
    ['{"a":+1}', 'json-syntax /a', 'a plus'],
    ['{"a":.5}', 'json-syntax /a', 'no whole part'],
    ['{"a":0x10}', 'json-syntax', 'hexadecimal'],
    ['{"a":1e999}', 'json-number-range /a', 'infinite to some, an error to others'],
    [`{"a":0.${'1'.repeat(500)}}`, 'json-number-range /a', 'digits to keep somebody busy'],
    ['{"a":"\\ud800"}', 'json-surrogate /a', 'half a character'],
    ['{"a":"\\udc00\\ud800"}', 'json-surrogate /a', 'two halves in the wrong order'],
    ['{"\\ud800":1}', 'json-surrogate', 'half a character in a name'],
    ['{"a":"x\\u0000y"}', 'json-nul /a', 'ends the text for readers in C'],
    ['{"a":"x\ny"}', 'json-control /a', 'a line end inside a text'],
    ['{"a":"\\x41"}', 'json-syntax /a', 'no escape of JSON'],
    ['{"a":"\\u00g0"}', 'json-syntax /a', 'no hexadecimal digit'],
    ['{"a":"x', 'json-syntax /a', 'cut off'],
    ['{"a"', 'json-syntax', 'cut off'],
    ['\u00a0{}', 'json-syntax', 'white space that is none of JSON’s'],
    [Buffer.from('\ufeff{}'), 'json-bom', 'some readers take the mark, some do not'],
    [Buffer.from([0x22, 0xc3, 0x28, 0x22]), 'json-utf8', 'invalid UTF-8'],
    [Buffer.from([0x22, 0xc0, 0xaf, 0x22]), 'json-utf8', 'an overlong slash'],
    [Buffer.from([0x22, 0xed, 0xa0, 0x80, 0x22]), 'json-utf8', 'a surrogate as bytes'],
    [Buffer.from('{"a":1}', 'utf16le'), 'json-syntax', 'another encoding'],
    ['['.repeat(65) + ']'.repeat(65), `json-depth ${'/0'.repeat(16)}`, 'deeper than readers’ stacks like'],
    [`[${'1,'.repeat(10_000)}1]`, 'json-values /9999', 'more values than allowed'],
  ];
  it.each(REFUSED)('%j is %s: %s', (text, fault) => {
    expect(faultOf(text)).toBe(fault);
  });

  it('never repeats in a place what is no plain name', () => {
    expect(faultOf('{"<script>\\r\\n":{"a":1,"a":1}}')).toBe('json-duplicate-name /_script___/a');
  });

  it('reads what is well-formed as everybody does', () => {
    fc.assert(
      fc.property(fc.json({ maxDepth: 8 }), (text) => {
        const parsed: unknown = JSON.parse(text);
        const result = read(text, LAX);
        // fast-check makes names that JSON.parse takes and we refuse.
        if (text.includes('__proto__')) return;
        expect(result.ok).toBe(true);
        if (result.ok) expect(result.value).toEqual(parsed);
      }),
      { numRuns: 1000 },
    );
  });

  it('reads nothing that JSON.parse does not, whatever the bytes', () => {
    const alphabet = [
      '{',
      '}',
      '[',
      ']',
      ',',
      ':',
      '"',
      '\\',
      'u0041',
      '1',
      '-',
      '.',
      'e',
      'true',
      'null',
      ' ',
      'a',
      '\n',
      'é',
    ];
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...alphabet), { maxLength: 24 }), (pieces) => {
        const text = pieces.join('');
        const result = read(text, LAX);
        if (!result.ok) return;
        expect(result.value).toEqual(JSON.parse(text));
      }),
      { numRuns: 5000 },
    );
  });

  it('finds every doubled member in any document', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 5 }), fc.nat(), (value, which) => {
        const twice = doubled(value, which);
        if (twice === undefined) return;
        expect(read(twice, LAX).ok).toBe(false);
      }),
      { numRuns: 500 },
    );
  });
});

/** A value, as its text, and whether some object in it has two names that differ in nothing or in case only. */
interface Written {
  readonly text: string;
  readonly twins: boolean;
}
const NAMES = [
  'id',
  'Id',
  'name',
  'naMe',
  'value',
  'a',
  'b',
  'c',
  'with space',
  '\u00e9',
  '0',
  'x'.repeat(40),
];
const written = fc.letrec<{ value: Written }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.constantFrom('1', '"b"', 'null', '{}', '[]').map((text) => ({ text, twins: false })),
    fc.array(tie('value'), { maxLength: 4 }).map((items) => ({
      text: `[ ${items.map(({ text }) => text).join(' ,')}]`,
      twins: items.some(({ twins }) => twins),
    })),
    fc
      .array(fc.tuple(fc.constantFrom(...NAMES, ...'defghijklmnop'), tie('value')), { maxLength: 16 })
      .map((members) => ({
        text: `{${members.map(([name, { text }]) => `"${name}" : ${text}`).join(', ')}}`,
        twins:
          members.some(([, { twins }]) => twins) ||
          new Set(members.map(([name]) => name.toLowerCase())).size < members.length,
      })),
  ),
})).value;

describe('objects in objects', () => {
  it('are refused for names of their own and for no others', () => {
    fc.assert(
      fc.property(written, ({ text, twins }) => {
        const read = readJson(Buffer.from(text), { depth: 100, values: 100_000, strict: true });
        if (twins) expect(read).toMatchObject({ ok: false, rule: 'json-duplicate-name' });
        else expect(read).toMatchObject({ ok: true, value: JSON.parse(text) });
      }),
      { numRuns: 1500, seed: 11 },
    );
  });
});

describe('what is kept of a document is written as it was', () => {
  it('keeps the digits of decimals in what was not touched', () => {
    const text = '{"resourceType":"Bundle","entry":[{"v":1.50},{"v":2.00, "s":"\\u00e9"}],"total":2}';
    const result = read(text);
    if (!result.ok) throw new Error(result.rule);
    const bundle = result.value as { entry: Json[] };
    const kept = { ...bundle, entry: [bundle.entry[1] as Json], total: 1 } as unknown as Json;
    expect(writeJson(kept, result).toString()).toBe(
      '{"resourceType":"Bundle","entry":[{"v":2.00, "s":"\\u00e9"}],"total":1}',
    );
  });

  it('says the same as JSON.stringify for everything', () => {
    fc.assert(
      fc.property(fc.json({ maxDepth: 6 }), (text) => {
        const result = read(text, LAX);
        if (!result.ok) return;
        expect(JSON.parse(writeJson(result.value, result).toString())).toEqual(result.value);
        expect(writeJson(result.value).toString()).toBe(JSON.stringify(result.value));
      }),
      { numRuns: 300 },
    );
  });
});

/** The document with one of its members written twice; undefined when it has none. */
function doubled(value: unknown, which: number): string | undefined {
  let members = 0;
  const write = (each: unknown, chosen: number): string => {
    if (Array.isArray(each)) return `[${each.map((item) => write(item, chosen)).join(',')}]`;
    if (typeof each !== 'object' || each === null) return JSON.stringify(each);
    const written = Object.entries(each).map(([name, member]) => {
      const text = `${JSON.stringify(name)}:${write(member, chosen)}`;
      members += 1;
      return members === chosen ? `${text},${JSON.stringify(name)}:0` : text;
    });
    return `{${written.join(',')}}`;
  };
  write(value, -1);
  if (members === 0) return undefined;
  const chosen = 1 + (which % members);
  members = 0;
  return write(value, chosen);
}
