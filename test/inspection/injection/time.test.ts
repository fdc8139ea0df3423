import { expect, it } from 'vitest';
import { mayMatter } from '../../../inspection/injection/prefilter.ts';
import { READINGS } from '../../../inspection/injection/rule.ts';
import { variantsOf } from '../../../inspection/injection/variants.ts';
import { xmlSamples } from '../../../inspection/injection/xml.ts';

// Expressions of our own run in JavaScript, which goes back and tries again: none may do so more than a text is long.

const LENGTH = 100_000;
const PIECES = [
  "' ",
  'or ',
  '\n',
  '<',
  '< ',
  '; ',
  '&',
  '%41',
  '\\u0041',
  '{a,',
  '{',
  '$(',
  '/*',
  '*/',
  '+AA-',
  '<a ',
  '&#1;',
  "'",
  '"',
  '(',
  ') ',
  'script ',
  'on=',
  'onabc ',
  '$',
  '`',
  '|',
  '../',
  'pg_',
  '\r\n',
  '__',
  'a_',
  '\u200b',
];

it.each([
  ...PIECES.map((piece) => [JSON.stringify(piece), piece.repeat(Math.ceil(LENGTH / piece.length))] as const),
  ...["'", '<', 'or', ';', '\n', 'script', '<a', '{', 'data', '()'].map(
    (begin) => [`${JSON.stringify(begin)} and white space`, begin + ' '.repeat(LENGTH)] as const,
  ),
])('%s, again and again, is read in time that grows with it alone', (_, text) => {
  const from = performance.now();
  for (const reading of READINGS) {
    mayMatter(text, reading);
    variantsOf(text, reading);
  }
  xmlSamples(text, 'parameter', () => {});
  xmlSamples(`<a ${text}`, 'parameter', () => {});
  // A bound on hanging: what grows with the square takes minutes.
  expect(performance.now() - from).toBeLessThan(10_000);
});
