import { Busboy } from '@fastify/busboy';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readForm } from '../../../gateway/content/form.ts';
import { CONTENT_LIMITS } from '../../../gateway/content/limits.ts';
import { readMultipart } from '../../../gateway/content/multipart.ts';
import { readXml } from '../../../gateway/content/xml.ts';

describe('an encoded form has one meaning or none', () => {
  const REFUSED: readonly (readonly [text: string, fault: string, why: string])[] = [
    ['a=1;b=2', 'form-character', 'some back ends separate at the semicolon'],
    ['a=1\r\n&b=2', 'form-character', 'a line end'],
    ['a=%', 'form-character', 'no escape'],
    ['a=%zz', 'form-character', 'no hexadecimal digit'],
    ['a=%c0%af', 'form-encoding field:a', 'an overlong slash'],
    ['a=%ff', 'form-encoding field:a', 'no UTF-8'],
    ['%ff=a', 'form-encoding', 'no UTF-8 in a name'],
    ['a=x%00y', 'form-control field:a', 'NUL ends the value for some'],
    ['a%00b=1', 'form-name', 'NUL in a name'],
    ['=1', 'form-name', 'a value without a name'],
    ['%ef%bb%bfa=1', 'form-name', 'a mark of the byte order, which is sent too'],
    ['a=%ef%bb%bf1', 'form-control field:a', 'the same in a value'],
    ['a=é', 'form-character', 'not encoded'],
    ['a=1&'.repeat(1001), 'form-fields', 'PHP drops what is beyond a thousand'],
  ];
  it.each(REFUSED)('%j is %s: %s', (text, fault) => {
    const result = readForm(Buffer.from(text), CONTENT_LIMITS);
    expect(result.ok ? 'read' : `${result.rule} ${result.place}`.trim()).toBe(fault);
  });

  it.each<[why: string, text: () => string, read: string]>([
    ['separators and nothing between them', () => `a=1${'&'.repeat(4_000_000)}`, 'form-fields'],
    ['a name that no form has', () => `${'a'.repeat(513)}=1`, 'form-name'],
    ['brackets without end', () => `${'a['.repeat(2_000_000)}=1`, 'form-name'],
    ['an escape that is cut off after ten megabytes', () => `a=${'x'.repeat(10_000_000)}%`, 'form-character'],
    ['ten megabytes of one value', () => `a=${'x'.repeat(10_000_000)}`, 'read'],
    ['ten megabytes of spaces', () => `a=${'+'.repeat(10_000_000)}`, 'read'],
    ['ten megabytes of escapes', () => `a=${'%41'.repeat(3_300_000)}`, 'read'],
  ])('however long it is: %s', (_why, text, expected) => {
    const bytes = Buffer.from(text());
    const began = performance.now();
    const result = readForm(bytes, CONTENT_LIMITS);
    expect(result.ok ? 'read' : result.rule).toBe(expected);
    expect(performance.now() - began).toBeLessThan(5000);
  });

  it('keeps every value of a repeated name, and the line ends of a text area', () => {
    const result = readForm(Buffer.from('a=1&b=x%0D%0Ay+z&a=2&&c'), CONTENT_LIMITS);
    expect(result.ok && [...result.fields]).toEqual([
      ['a', ['1', '2']],
      ['b', ['x\r\ny z']],
      ['c', ['']],
    ]);
  });

  it('reads what browsers write as they meant it', () => {
    const value = fc
      .string({ unit: 'grapheme' })
      .filter((text) => text.isWellFormed() && !/[\p{C}\u2028\u2029]/u.test(text));
    fc.assert(
      fc.property(
        fc.array(
          fc.tuple(
            value.filter((name) => name !== '' && !/[\ufffc\ufffd]/.test(name)),
            value,
          ),
          { maxLength: 8 },
        ),
        (pairs) => {
          const body = new URLSearchParams(
            pairs.map(([name, text]): [string, string] => [name, text]),
          ).toString();
          const result = readForm(Buffer.from(body), CONTENT_LIMITS);
          expect(result.ok).toBe(true);
          if (!result.ok) return;
          const expected = new Map<string, string[]>();
          for (const [name, text] of pairs) expected.set(name, [...(expected.get(name) ?? []), text]);
          expect([...result.fields]).toEqual([...expected]);
        },
      ),
      { numRuns: 300 },
    );
  });
});

const TYPE = 'multipart/form-data; boundary=XyZ';
const FIELD = 'Content-Disposition: form-data; name="a"';

function multipart(body: string, type = TYPE): string {
  const result = readMultipart(Buffer.from(body, 'latin1'), type, CONTENT_LIMITS);
  return result.ok
    ? `read ${result.parts.map((part) => `${part.name}|${part.fileName ?? ''}|${part.bytes.toString('latin1')}`).join(' ')}`
    : `${result.rule} ${result.place}`.trim();
}

describe('a multipart body has one meaning or none', () => {
  it('reads parts as they are', () => {
    expect(
      multipart(
        `--XyZ\r\n${FIELD}\r\n\r\n1\r\n--XyZ\r\nContent-Disposition: form-data; name="f"; filename="x.png"\r\nContent-Type: image/png\r\n\r\n\x89PNG\r\n\r\n\r\n--XyZ--\r\n`,
      ),
    ).toBe('read a||1 f|x.png|\x89PNG\r\n\r\n');
  });

  const REFUSED: readonly (readonly [body: string, fault: string, why: string, type?: string])[] = [
    [
      `x\r\n--XyZ\r\n${FIELD}\r\n\r\n1\r\n--XyZ--`,
      'multipart-preamble',
      'something before the first delimiter',
    ],
    [`--XyZ\r\n${FIELD}\r\n\r\n1\r\n--XyZ--\r\nx`, 'multipart-epilogue', 'something after the last'],
    [`--XyZ\r\n${FIELD}\r\n\r\n1\r\n--XyZ`, 'multipart-delimiter part:1', 'no last delimiter'],
    [`--XyZ\n${FIELD}\n\n1\n--XyZ--`, 'multipart-delimiter part:0', 'bare line feeds'],
    [
      `--XyZ\r\n${FIELD}\r\n\r\n1\n--XyZ\n${FIELD}\r\n\r\n2\r\n--XyZ--`,
      'multipart-delimiter part:0',
      'a delimiter to whoever takes a bare line feed',
    ],
    [
      `--XyZ \r\n${FIELD}\r\n\r\n1\r\n--XyZ--`,
      'multipart-delimiter part:0',
      'padding that not everybody allows',
    ],
    [`--XyZ\r\n${FIELD}\r\n\r\n1\r\n--XyZZ--`, 'multipart-delimiter part:1', 'a longer delimiter'],
    [
      `--XyZ\r\n${FIELD}\r\n${FIELD.replace('"a"', '"b"')}\r\n\r\n1\r\n--XyZ--`,
      'multipart-header part:0',
      'two dispositions',
    ],
    [`--XyZ\r\n${FIELD}; name="b"\r\n\r\n1\r\n--XyZ--`, 'multipart-disposition part:0', 'two names'],
    [
      `--XyZ\r\n${FIELD}; filename="a.txt"; filename="b.php"\r\n\r\n1\r\n--XyZ--`,
      'multipart-disposition part:0',
      'two file names',
    ],
    [
      `--XyZ\r\n${FIELD}; filename*=UTF-8''b.php\r\n\r\n1\r\n--XyZ--`,
      'multipart-disposition part:0',
      'RFC 7578 §4.2 forbids it',
    ],
    [
      `--XyZ\r\n${FIELD}; filename="a.txt"; filename*=UTF-8''b.php\r\n\r\n1\r\n--XyZ--`,
      'multipart-disposition part:0',
      'both',
    ],
    [
      '--XyZ\r\nContent-Disposition: form-data; name=a\r\n\r\n1\r\n--XyZ--',
      'multipart-disposition part:0',
      'not quoted',
    ],
    [
      '--XyZ\r\nContent-Disposition: form-data; name="a\\"b"\r\n\r\n1\r\n--XyZ--',
      'multipart-disposition part:0',
      'an escape that browsers do not write',
    ],
    [
      '--XyZ\r\nContent-Disposition: attachment; name="a"\r\n\r\n1\r\n--XyZ--',
      'multipart-disposition part:0',
      'no form data',
    ],
    [
      '--XyZ\r\nContent-Type: text/plain\r\n\r\n1\r\n--XyZ--',
      'multipart-disposition part:0',
      'no disposition',
    ],
    [
      `--XyZ\r\n${FIELD}\r\nContent-Transfer-Encoding: base64\r\n\r\nMQ==\r\n--XyZ--`,
      'multipart-header part:0',
      'decoded by some',
    ],
    [
      `--XyZ\r\nContent-Disposition: form-data;\r\n name="a"\r\n\r\n1\r\n--XyZ--`,
      'multipart-header part:0',
      'a folded line',
    ],
    [
      `--XyZ\r\nContent-Disposition : form-data; name="a"\r\n\r\n1\r\n--XyZ--`,
      'multipart-header part:0',
      'a space before the colon',
    ],
    [
      `--XyZ\r\nContent-Disposition: form-data; name="a%00"\r\n\r\n1\r\n--XyZ--`,
      'read a%00||1',
      'a percent sign is one',
    ],
    [
      `--XyZ\r\nContent-Disposition: form-data; name="a%0D"\r\n\r\n1\r\n--XyZ--`,
      'multipart-name part:0',
      'a line end in a name',
    ],
    [
      `--XyZ\r\nContent-Disposition: form-data; name="f"; filename="a\x00.php"\r\n\r\n1\r\n--XyZ--`,
      'multipart-file-name part:0',
      'NUL in a file name',
    ],
    [
      `--XyZ\r\nContent-Disposition: form-data; name="\xff"\r\n\r\n1\r\n--XyZ--`,
      'multipart-utf8 part:0',
      'no UTF-8',
    ],
    [
      `--XyZ\r\n${FIELD}\r\nContent-Type: text/plain; charset=utf-7\r\n\r\n1\r\n--XyZ--`,
      'multipart-type part:0',
      'another character set',
    ],
    [
      `--XyZ\r\n${FIELD}\r\nContent-Length: 5\r\n\r\n1\r\n--XyZ--`,
      'multipart-header part:0',
      'a length that is not true',
    ],
    [
      `--XyZ\r\n${FIELD}\r\n\r\n1\r\n--XyZ--`,
      'multipart-boundary',
      'two boundaries',
      `${TYPE}; boundary=abc`,
    ],
    [`--XyZ\r\n${FIELD}\r\n\r\n1\r\n--XyZ--`, 'multipart-boundary', 'no boundary', 'multipart/form-data'],
    [`--XyZ\r\nX: ${'x'.repeat(5000)}\r\n\r\n1\r\n--XyZ--`, 'multipart-header part:0', 'a header too large'],
    [`${`--XyZ\r\n${FIELD}\r\n\r\n1\r\n`.repeat(101)}--XyZ--`, 'multipart-parts', 'too many parts'],
  ];
  for (const [body, fault, why, type] of REFUSED)
    it(`${JSON.stringify(body.slice(0, 200))} is ${fault}: ${why}`, () => {
      expect(multipart(body, type)).toBe(fault);
    });

  it('understands nothing that a common reader understands differently', async () => {
    const piece = fc.constantFrom(
      '--XyZ',
      '--XyZ--',
      '\r\n',
      '\n',
      '\r',
      FIELD,
      'Content-Disposition: form-data; name="b"; filename="c"',
      'Content-Type: text/plain',
      ';',
      'x',
      ' ',
      '--',
      '"',
      'filename="d"',
    );
    await fc.assert(
      fc.asyncProperty(
        fc.array(piece, { maxLength: 8 }),
        fc.array(piece, { maxLength: 4 }),
        async (head, tail) => {
          const body = `--XyZ\r\n${FIELD}\r\n\r\n${head.join('')}\r\n--XyZ\r\n${FIELD.replace('"a"', '"z"')}${tail.join('')}\r\n\r\n2\r\n--XyZ--\r\n`;
          const ours = readMultipart(Buffer.from(body), TYPE, CONTENT_LIMITS);
          if (!ours.ok) return;
          expect(ours.parts.map((part) => [part.name, part.bytes.toString()])).toEqual(await busboy(body));
        },
      ),
      { numRuns: 500 },
    );
  });
});

function busboy(body: string): Promise<(readonly [string, string])[]> {
  return new Promise((resolve, reject) => {
    const reader = new Busboy({ headers: { 'content-type': TYPE } });
    const found: [string, string][] = [];
    reader.on('field', (name: string, value: string) => found.push([name, value]));
    reader.on('file', (name: string, stream: NodeJS.ReadableStream) => {
      const entry: [string, string] = [name, ''];
      found.push(entry);
      stream.on('data', (chunk: Buffer) => {
        entry[1] += chunk.toString();
      });
    });
    reader.on('finish', () => resolve(found));
    reader.on('error', reject);
    reader.end(Buffer.from(body));
  });
}

describe('an XML body is UTF-8 and brings no document type', () => {
  const CASES: readonly (readonly [text: string, verdict: string])[] = [
    ['<a/>', 'read'],
    ['<?xml version="1.0" encoding="UTF-8"?>\n<!-- c --><?pi x?><a/>', 'read'],
    ['<a><![CDATA[<!DOCTYPE x>]]></a>', 'read'],
    ['<!DOCTYPE a [<!ENTITY x "y">]><a>&x;</a>', 'xml-doctype'],
    ['<?xml version="1.0"?><!-- x --> <!DOCTYPE a SYSTEM "file:///etc/passwd"><a/>', 'xml-doctype'],
    ['<?xml version="1.0"?><?x y?><!doctype a><a/>', 'xml-doctype'],
    ['<?xml version="1.0" encoding="UTF-16"?><a/>', 'xml-declaration'],
    ['<?xml version="1.0" encoding="utf-7"?><a/>', 'xml-declaration'],
    ['<?xml version="1.1"?><a/>', 'xml-declaration'],
    ['<!-- never ends', 'xml-syntax'],
    ['text', 'xml-syntax'],
    ['', 'xml-syntax'],
    ['\ufeff<a/>', 'xml-bom'],
  ];
  it.each(CASES)('%j is %s', (text, verdict) => {
    const result = readXml(Buffer.from(text));
    expect(result.ok ? 'read' : result.rule).toBe(verdict);
  });
});
