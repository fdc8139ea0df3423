import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formFieldsOf } from '../../../gateway/own-pages/form-fields.ts';
import { returnAddress } from '../../../gateway/own-pages/paths.ts';

const ORIGIN = 'https://clinic.example';

describe('the address that a browser goes on to', () => {
  it('is of the same host, whatever was asked for', () => {
    const hostile = fc.oneof(
      fc.string({ maxLength: 60 }),
      fc.string({ maxLength: 60 }).map((text) => `/${text}`),
      fc.webUrl(),
      fc
        .array(
          fc.constantFrom(
            '/',
            '\\',
            '%2f',
            '%5c',
            '.',
            '..',
            ':',
            '@',
            'evil.example',
            '\t',
            '\n',
            '%09',
            '?',
            '#',
            'http:',
            '//',
          ),
          { maxLength: 8 },
        )
        .map((parts) => parts.join('')),
    );
    fc.assert(
      fc.property(hostile, (text) => {
        const address = returnAddress(text);
        expect(address.startsWith('/')).toBe(true);
        expect(/^\/[/\\]/.test(address)).toBe(false);
        expect(new URL(address, ORIGIN).origin).toBe(ORIGIN);
      }),
      { numRuns: 2000 },
    );
  });

  it.each([
    ['/', '/'],
    ['/patients/7?tab=notes', '/patients/7?tab=notes'],
    ['/.chartgate/sessions', '/.chartgate/sessions'],
    ['/.chartgate/continue', '/.chartgate/continue'],
    ['/.chartgate/sign-out', '/'],
    ['/.chartgate/callback/x', '/'],
    ['/%2e%2e/x', '/'],
    ['//evil.example', '/'],
    ['/\\evil.example', '/'],
    ['https://clinic.example/x', '/'],
    ['x', '/'],
    ['', '/'],
  ])('%s → %s', (text, expected) => {
    expect(returnAddress(text)).toBe(expected);
  });
});

describe('the fields of a kept form', () => {
  /** What a browser makes of typed text when it sends it. */
  const typed = fc.string({ unit: 'binary', maxLength: 20 }).map((text) =>
    text
      .toWellFormed()
      .replaceAll('\0', '')
      .replaceAll('\ufeff', '')
      .replace(/\r\n|\r|\n/g, '\r\n'),
  );

  it('are sent again as they were, in order, repeated names and all', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(typed, typed), { minLength: 1, maxLength: 6 }), (fields) => {
        fc.pre(fields.every(([name]) => name !== '' && !/^(?:_charset_|isindex)$/i.test(name)));
        const body = new URLSearchParams(fields as [string, string][]).toString();
        expect(formFieldsOf(body)).toEqual({ fields, charset: undefined });
      }),
      { numRuns: 500 },
    );
  });

  it('reads what old pages send in their one-byte character set', () => {
    expect(formFieldsOf('name=M%FCller&note=5%80')).toEqual({
      fields: [
        ['name', 'Müller'],
        ['note', '5€'],
      ],
      charset: 'windows-1252',
    });
  });

  it.each([
    ['nothing', ''],
    ['a field that browsers fill in themselves', '_charset_=x&a=b'],
    ['a field without a name', '=b'],
    ['bytes that no form sends', 'a=\u00e9'],
    ['line breaks that a browser would change', 'a=x%0Ay'],
    ['NUL', 'a=%00'],
    ['more fields than a form has', 'a=b&'.repeat(2001)],
  ])('gives none for %s', (_, body) => {
    expect(formFieldsOf(body)).toBeUndefined();
  });
});
