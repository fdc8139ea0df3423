import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { filesIn } from '../../../gateway/own-pages/form-files.ts';
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

describe('how many files are in a kept form', () => {
  const multipart = (...heads: string[]): Buffer =>
    Buffer.from(
      heads
        .map((head) => `--b\r\n${head}\r\n\r\nx\r\n`)
        .join('')
        .concat('--b--\r\n'),
    );
  const TYPE = 'multipart/form-data; boundary=b';

  it.each([
    ['a field', TYPE, multipart('Content-Disposition: form-data; name="a"'), 0],
    ['a file', TYPE, multipart('Content-Disposition: form-data; name="a"; filename="x.pdf"'), 1],
    ['a file of another spelling', TYPE, multipart('content-disposition:form-data;name=a;filename=x'), 1],
    ['no file chosen', TYPE, multipart('Content-Disposition: form-data; name="a"; filename=""'), 0],
    [
      'two and a field',
      TYPE,
      multipart(
        'Content-Disposition: form-data; name="a"; filename="x.pdf"',
        'Content-Disposition: form-data; name="filename=b"',
        'Content-Disposition: form-data; name="c"; filename="Zoë.png"',
      ),
      2,
    ],
    ['another kind of form', 'application/x-www-form-urlencoded', Buffer.from('filename=x'), 0],
  ])('%s', (_, type, body, expected) => {
    expect(filesIn(type, body)).toBe(expected);
  });
});
