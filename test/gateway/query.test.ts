import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { canonicalQuery, MAX_PARAMETERS, MAX_QUERY_BYTES } from '../../gateway/canonical/query.ts';

describe('a query', () => {
  it.each([
    ['a=%', 'incomplete escape'],
    ['a=%zz', 'no hexadecimal digits'],
    ['a=%ff', 'not UTF-8'],
    ['a=%c0%80', 'overlong NUL'],
    ['a=%00', 'NUL'],
    ['a=%0d%0aSet-Cookie:x', 'line break'],
    ['%00=a', 'NUL in a name'],
    ['=a', 'no name'],
    ['a=é', 'bare non-ASCII'],
    ['a=b c', 'bare space'],
    ['a=b#c', 'fragment'],
    ['a=\\', 'backslash is not a URI character'],
    [`a=${'x'.repeat(MAX_QUERY_BYTES)}`, 'longer than the limit'],
    [Array.from({ length: MAX_PARAMETERS + 1 }, (_, i) => `p${i}=1`).join('&'), 'too many parameters'],
  ])('%j is refused: %s', (raw) => {
    expect(canonicalQuery(raw)).toBeUndefined();
  });

  it('keeps every value of a repeated name, in order', () => {
    const query = canonicalQuery('code=a&name=x&code=b');
    expect([...(query?.parameters ?? [])]).toEqual([
      ['code', ['a', 'b']],
      ['name', ['x']],
    ]);
    expect(query?.text).toBe('code=a&name=x&code=b');
  });

  it('sends a semicolon encoded, so that no back end takes it for a separator', () => {
    expect(canonicalQuery('a=1;b=2')?.text).toBe('a=1%3Bb%3D2');
    expect(canonicalQuery('a=1;b=2')?.parameters.get('a')).toEqual(['1;b=2']);
  });

  it('reads a plus as a space and sends it as %20', () => {
    expect(canonicalQuery('q=a+b')?.parameters.get('q')).toEqual(['a b']);
    expect(canonicalQuery('q=a+b')?.text).toBe('q=a%20b');
    expect(canonicalQuery('q=a%2Bb')?.text).toBe('q=a%2Bb');
  });

  it('keeps FHIR search syntax readable', () => {
    expect(canonicalQuery('code=http://loinc.org|8867-4&_sort=-date,status&name:exact=x')?.text).toBe(
      'code=http:%2F%2Floinc.org%7C8867-4&_sort=-date,status&name:exact=x',
    );
  });

  it('does not confuse names with what every object has', () => {
    const query = canonicalQuery('__proto__=1&constructor=2');
    expect(query?.parameters.get('__proto__')).toEqual(['1']);
    expect(query?.parameters.get('toString')).toBeUndefined();
  });

  it('is a fixed point, and round-trips any names and values without control characters', () => {
    const text = fc
      .string({ unit: 'grapheme', minLength: 1, maxLength: 8 })
      .filter((s) => !/[\p{C}\u2028\u2029\ufff0-\uffff]/u.test(s));
    fc.assert(
      fc.property(fc.array(fc.tuple(text, text), { maxLength: 6 }), (pairs) => {
        const raw = pairs.map(([n, v]) => `${encodeURIComponent(n)}=${encodeURIComponent(v)}`).join('&');
        const query = canonicalQuery(raw);
        expect(query).toBeDefined();
        const flat = [...(query?.parameters ?? [])].flatMap(([n, values]) => values.map((v) => [n, v]));
        expect(flat.sort()).toEqual(pairs.map(([n, v]) => [n, v]).sort());
        expect(canonicalQuery(query?.text ?? '')?.text).toBe(query?.text);
      }),
    );
  });
});
