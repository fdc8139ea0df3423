import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { attributes, escapeHtml, type HtmlValue, html } from '../../console/html.ts';
import { fragmentUrl, mailUrl, pathUrl, pictureUrl, siteUrl, telephoneUrl } from '../../console/url.ts';

/** A template as if it stood in the source. */
function template(parts: readonly string[], ...values: readonly HtmlValue[]): string {
  return html(
    Object.assign([...parts], { raw: parts }) as unknown as TemplateStringsArray,
    ...values,
  ).toString();
}

const hostile = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.string({
    unit: fc.constantFrom('<', '>', '"', "'", '`', '&', '=', '/', '-', '!', ' ', '\0', '\n', 'a'),
  }),
  fc.constantFrom('</p>', '-->', '"><script>', "' onload='x", '&lt;', '&#0;', '\ud800', ']]>', '{{x}}'),
);

describe('a value cannot leave its place', () => {
  test('in text and in attributes: nothing that ends either is left, and nothing is lost', () => {
    fc.assert(
      fc.property(hostile, (value) => {
        const inText = template(['<p>', '</p>'], value).slice(3, -4);
        const inAttribute = template(['<p title="', '"></p>'], value).slice(10, -6);
        for (const written of [inText, inAttribute]) {
          expect(written).not.toMatch(/[<>"'`\0]|&(?!(?:amp|lt|gt|quot|#39|#96);)/);
          expect(unescaped(written)).toBe(cleaned(value));
        }
      }),
      { numRuns: 2_000 },
    );
  });

  test('is the same in a list, beside other values and in attributes()', () => {
    fc.assert(
      fc.property(hostile, hostile, (one, other) => {
        expect(template(['<p>', '</p>'], [one, other])).toBe(`<p>${escapeHtml(one)}${escapeHtml(other)}</p>`);
        expect(template(['<p ', '></p>'], attributes({ title: one, lang: other }))).toBe(
          `<p title="${escapeHtml(one)}" lang="${escapeHtml(other)}"></p>`,
        );
      }),
    );
  });

  test('mark-up of our own stays mark-up, once', () => {
    expect(template(['<div>', '</div>'], html`<b>${'<i>'}</b>`)).toBe('<div><b>&lt;i&gt;</b></div>');
    expect(template(['<p>', '', '', '</p>'], undefined, null, false)).toBe('<p></p>');
    expect(template(['<p>', '</p>'], 7)).toBe('<p>7</p>');
  });
});

/** Each row: why no escaping would do there, the template, a harmless value. */
const UNSAFE: readonly (readonly [string, readonly string[], HtmlValue])[] = [
  ['the name of a tag', ['<', '>'], 'b'],
  ['part of the name of a tag', ['<h', '>'], '1'],
  ['an attribute without quotes', ['<p title=', '>'], 'x'],
  ['an attribute in single quotes', ["<p title='", "'>"], 'x'],
  ['the name of an attribute', ['<p ', '="x">'], 'title'],
  ['text between attributes', ['<p ', '></p>'], 'hidden'],
  ['attributes glued to a name', ['<p', '></p>'], attributes({ title: 'x' })],
  ['a script', ['<script>', '</script>'], '1'],
  ['a style sheet', ['<style>', '</style>'], 'x'],
  ['a comment', ['<!-- ', ' -->'], 'x'],
  ['an event handler', ['<p onclick="', '"></p>'], 'x'],
  ['a style', ['<p style="', '"></p>'], 'color:red'],
  ['a document in an attribute', ['<iframe srcdoc="', '"></iframe>'], 'x'],
  ['a refresh', ['<meta content="', '">'], '0'],
  ['a URL that is only text', ['<a href="', '"></a>'], '/path'],
  ['a URL with something before it', ['<a href="/x', '"></a>'], pathUrl('/path')],
  ['a URL with something after it', ['<a href="', '/x"></a>'], pathUrl('/path')],
  ['a URL as text', ['<p>', '</p>'], pathUrl('/path')],
  ['mark-up in an attribute', ['<p title="', '"></p>'], html`<b></b>`],
  ['a list in an attribute', ['<p title="', '"></p>'], ['x']],
  ['a template that ends inside a tag', ['<p title="', '"'], 'x'],
  ['a template that ends inside a script', ['<p>', '</p><script>'], 'x'],
  ['capital letters, which we never write', ['<P TITLE="', '"></P>'], 'x'],
];

test.each(UNSAFE)('a template with %s is refused, whatever the value', (_why, parts, value) => {
  expect(() => template(parts, value)).toThrowError(expect.objectContaining({ code: 'internal' }));
});

test.each(['onclick', 'style', 'srcdoc', 'content', 'href', 'TITLE', 'a b', 'x="', ''])(
  'attributes() refuses the name %j with text',
  (name) => {
    expect(() => attributes({ [name]: 'x' })).toThrowError(expect.objectContaining({ code: 'internal' }));
  },
);

/** Each row: why it is no path of this host. */
const NOT_PATHS: readonly (readonly [string, string])[] = [
  ['another host', '//evil.example/'],
  ['another host, for browsers that turn the stroke', '/\\evil.example'],
  ['another host behind a tab, which browsers drop', '/\t/evil.example'],
  ['another host behind a line break', '/\n/evil.example'],
  ['a scheme', 'javascript:alert(1)'],
  ['a scheme in capitals', 'JaVaScRiPt:alert(1)'],
  ['a whole URL', 'https://evil.example/'],
  ['data', 'data:text/html,x'],
  ['a relative path', 'path'],
  ['nothing', ''],
  ['a fragment, which forms lose', '/x#y'],
  ['a quote', '/x"onclick="'],
  ['a tag', '/<script>'],
  ['a space', '/a b'],
  ['half a percent-encoding', '/%4'],
  ['letters beyond ASCII', '/ä'],
  ['a stroke to the left inside', '/a\\b'],
];

test.each(NOT_PATHS)('%s is no path', (_why, text) => {
  expect(() => pathUrl(text)).toThrowError(expect.objectContaining({ code: 'internal' }));
});

test('whatever is taken as a path leads to this host', () => {
  const pieces = fc.constantFrom(
    '/',
    '\\',
    '.',
    '..',
    '@',
    ':',
    '?',
    '%2f',
    'a',
    'evil.example',
    '\t',
    '//',
    '&',
  );
  fc.assert(
    fc.property(fc.array(pieces, { maxLength: 8 }), (parts) => {
      const text = `/${parts.join('')}`;
      let path: string;
      try {
        path = pathUrl(text).toString();
      } catch {
        return;
      }
      expect(new URL(path, 'https://clinic.example/a/b').origin).toBe('https://clinic.example');
    }),
    { numRuns: 3_000 },
  );
});

test('other URLs are taken only in their one form', () => {
  expect(siteUrl('https://clinic.example/help').toString()).toBe('https://clinic.example/help');
  expect(mailUrl('help@clinic.example').toString()).toBe('mailto:help@clinic.example');
  expect(telephoneUrl('+1 (555) 0100').toString()).toBe('tel:+15550100');
  expect(fragmentUrl('code').toString()).toBe('#code');
  const refused: readonly (() => unknown)[] = [
    () => siteUrl('http://clinic.example/'),
    () => siteUrl('javascript:alert(1)'),
    () => siteUrl('https://user:word@clinic.example/'),
    () => mailUrl('help@clinic.example?bcc=x@evil.example'),
    () => mailUrl('a@b.example,c@d.example'),
    () => telephoneUrl('javascript:1'),
    () => fragmentUrl('a"b'),
    () => pictureUrl('data:text/html;base64,PHNjcmlwdD4='),
    () => pictureUrl('https://evil.example/x.png'),
    () => pictureUrl('data:image/svg+xml,<svg onload=x>'),
  ];
  for (const make of refused) expect(make).toThrowError(expect.objectContaining({ code: 'internal' }));
});

function unescaped(text: string): string {
  const known: Readonly<Record<string, string>> = {
    '&amp;': '&',
    '&lt;': '<',
    '&gt;': '>',
    '&quot;': '"',
    '&#39;': "'",
    '&#96;': '`',
  };
  return text.replace(/&[a-z0-9#]+;/g, (found) => known[found] ?? found);
}

/** What HTML cannot carry is replaced, character by character, before anything is escaped. */
function cleaned(text: string): string {
  return [...text.toWellFormed()]
    .map((character) => {
      const code = character.codePointAt(0) ?? 0;
      const control = (code < 32 && ![9, 10, 13].includes(code)) || (code >= 127 && code <= 159);
      const never = (code >= 0xfdd0 && code <= 0xfdef) || code === 0xfffe || code === 0xffff;
      return control || never ? '\ufffd' : character;
    })
    .join('');
}
