import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { canonicalPath, MAX_PATH_BYTES } from '../../gateway/canonical/path.ts';

const REFUSED: readonly (readonly [path: string, reason: string])[] = [
  ['', 'no path at all'],
  ['fhir/Patient', 'does not start at the root'],
  ['//fhir/Patient/1', 'an empty segment: some servers merge slashes, others name a host'],
  ['/fhir//Patient/1', 'an empty segment in the middle'],
  ['/fhir/Patient/1//', 'an empty segment before the end'],
  ['/./fhir', 'dot segment'],
  ['/fhir/../admin', 'dot-dot segment'],
  ['/fhir/..', 'dot-dot at the end'],
  ['/fhir/%2e%2e/admin', 'encoded dot-dot'],
  ['/fhir/%2E./admin', 'half-encoded dot-dot'],
  ['/fhir/.%2e/admin', 'half-encoded dot-dot, the other half'],
  ['/fhir/%2e/admin', 'encoded dot'],
  ['/fhir%2fPatient/1', 'encoded slash: one segment here, two there (CVE-2021-29492)'],
  ['/fhir%2FPatient/1', 'encoded slash, upper case'],
  ['/fhir\\Patient', 'backslash: a separator on Windows'],
  ['/fhir%5cPatient', 'encoded backslash'],
  ['/fhir;v=1/Patient', 'path parameter: Java servers cut it off'],
  ['/fhir/..;/admin', 'path parameter hiding a dot segment'],
  ['/fhir%3b/Patient', 'encoded path parameter'],
  ['/fhir/%252e%252e/admin', 'double encoding'],
  ['/fhir/%25/x', 'an encoded percent sign: a second decoding may follow'],
  ['/fhir/%00', 'NUL: C programs stop reading'],
  ['/fhir/a%0d%0aX: 1', 'encoded line break'],
  ['/fhir/a%0ab', 'encoded line feed'],
  ['/fhir/a\tb', 'tab'],
  ['/fhir/a b', 'a bare space is not a URI character'],
  ['/fhir/a%7f', 'DEL'],
  ['/fhir/a%c2%85', 'NEL, a C1 control'],
  ['/fhir/a%c2%a0', 'no-break space'],
  ['/fhir/a%e2%80%8b', 'zero-width space'],
  ['/fhir/a%e2%80%ae', 'right-to-left override'],
  ['/fhir/a%ef%bb%bf', 'byte order mark'],
  ['/fhir/a%3fb', 'encoded question mark'],
  ['/fhir/a%23b', 'encoded fragment mark'],
  ['/fhir/a#b', 'fragment'],
  ['/fhir/%c0%af', 'overlong slash'],
  ['/fhir/%c0%ae%c0%ae/', 'overlong dots'],
  ['/fhir/%e0%80%af', 'overlong slash of three bytes'],
  ['/fhir/%ed%a0%80', 'a surrogate'],
  ['/fhir/%ff', 'not UTF-8'],
  ['/fhir/%c3', 'cut-off UTF-8'],
  ['/fhir/%', 'incomplete escape'],
  ['/fhir/%1', 'incomplete escape'],
  ['/fhir/%zz', 'no hexadecimal digits'],
  ['/fhir/%u0061', 'not an escape of RFC 3986'],
  ['/fhir/é', 'bare non-ASCII'],
  ['/fhir/a.', 'a trailing dot, which Windows drops'],
  ['/fhir/a%20', 'a trailing space, which Windows drops'],
  ['/fhir/%20a', 'a leading space'],
  ['/fhir/"a"', 'a quotation mark is not a path character'],
  ['/fhir/<a>', 'nor are angle brackets'],
  ['/fhir/{a}', 'nor braces'],
  ['/fhir/a|b', 'nor the bar'],
  ['/fhir/a`b', 'nor the backquote'],
  ['*', 'asterisk form'],
  [`/${'a'.repeat(MAX_PATH_BYTES)}`, 'longer than the limit'],
];

describe('a path with more than one reading', () => {
  it.each(REFUSED)('%j is refused: %s', (path) => {
    expect(canonicalPath(path)).toBeUndefined();
  });
});

describe('a path with one reading', () => {
  it.each([
    ['/', '/', []],
    ['/fhir/Patient/1', '/fhir/Patient/1', ['fhir', 'Patient', '1']],
    ['/fhir/Patient/', '/fhir/Patient/', ['fhir', 'Patient', '']],
    ['/fhir/Patient/1/$everything', '/fhir/Patient/1/$everything', ['fhir', 'Patient', '1', '$everything']],
    ['/f%68ir/%50atient/1', '/fhir/Patient/1', ['fhir', 'Patient', '1']],
    ['/files/a%20b.pdf', '/files/a%20b.pdf', ['files', 'a b.pdf']],
    ['/files/%C3%A9t%c3%a9', '/files/%C3%A9t%C3%A9', ['files', 'été']],
    ['/a/.well-known', '/a/.well-known', ['a', '.well-known']],
    ['/a/x..y', '/a/x..y', ['a', 'x..y']],
    ["/a/it's(1)*!", "/a/it's(1)*!", ['a', "it's(1)*!"]],
  ])('%j becomes %j', (raw, text, segments) => {
    const path = canonicalPath(raw);
    expect(path?.text).toBe(text);
    expect(path?.segments).toEqual(segments);
    expect(Object.isFrozen(path) && Object.isFrozen(path?.segments)).toBe(true);
  });

  it('is a fixed point: reading what is sent gives the same path', () => {
    const raw = fc.oneof(
      fc.webPath(),
      fc
        .array(
          fc.constantFrom(
            '/',
            '.',
            '..',
            '%2e',
            '%2f',
            'a',
            'Patient',
            '%41',
            ';',
            '%25',
            '$x',
            '%C3%A9',
            '\\',
            '+',
          ),
        )
        .map((p) => `/${p.join('')}`),
      fc.string().map((s) => `/${s}`),
    );
    fc.assert(
      fc.property(raw, (text) => {
        const path = canonicalPath(text);
        if (path === undefined) return;
        const again = canonicalPath(path.text);
        expect(again?.text).toBe(path.text);
        expect(again?.segments).toEqual(path.segments);
      }),
      { numRuns: 3000 },
    );
  });

  it('never lets a separator, dot segment or control character into a segment', () => {
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom(...'/.%25eEfFcC0aA;\\?# '.split('')), { maxLength: 14 }),
        (letters) => {
          const path = canonicalPath(`/${letters.join('')}`);
          for (const segment of path?.segments ?? []) {
            expect(segment).not.toMatch(/[/\\;?#%]/);
            expect(segment === '.' || segment === '..').toBe(false);
          }
        },
      ),
      { numRuns: 5000 },
    );
  });
});
