import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { clinicalMatters, isUsual, mayMatter } from '../../../inspection/injection/prefilter.ts';
import { READINGS, type Reading } from '../../../inspection/injection/rule.ts';
import { RULES } from '../../../inspection/injection/rules/index.ts';
import { Screen } from '../../../inspection/injection/screen.ts';

// What the prefilter leaves out must be what no rule would have found.

const screen = new Screen();
afterAll(() => screen.close());

const LINES = readFileSync(join(import.meta.dirname, '../clinical-lines.txt'), 'utf8').split('\n');

/** Words, marks and pieces of the rules themselves: what is made of them comes closest to what rules find. */
const words = new Set<string>();
for (const rule of RULES)
  for (const expression of rule.expressions)
    for (const word of expression.match(/[A-Za-z_0-9]{2,24}/g) ?? []) words.add(word);
for (const line of LINES) for (const word of line.match(/[A-Za-z0-9]+/g) ?? []) words.add(word);
const WORDS = [...words];
const MARKS = [...' \t\n\'"`;:,.(){}[]<>/\\|&=!?#%$@*+-_~^0123456789'];
const PIECES = [
  '--',
  '/*',
  '*/',
  '||',
  '&&',
  '../',
  '..\\',
  '://',
  '<!',
  '<?',
  '${',
  '{{',
  '$(',
  '@@',
  '0x',
  '::',
  '%3c',
  '&lt;',
  '\\u003c',
  '＜',
  'é',
];

const token = fc.oneof(
  { weight: 5, arbitrary: fc.constantFrom(...WORDS) },
  { weight: 3, arbitrary: fc.constantFrom(...MARKS) },
  { weight: 1, arbitrary: fc.constantFrom(...PIECES) },
);
const text = fc.oneof(
  fc.array(token, { minLength: 1, maxLength: 8 }).map((tokens) => tokens.join('')),
  fc.array(token, { minLength: 1, maxLength: 8 }).map((tokens) => tokens.join(' ')),
  fc.array(fc.constantFrom(...WORDS), { minLength: 1, maxLength: 6 }).map((tokens) => tokens.join(' ')),
  fc.constantFrom(...LINES.filter((line) => line !== '')),
  fc.string({ maxLength: 24 }),
);

describe.each(['parameter', 'plain', 'clinical', 'narrative'] as const)('read as %s', (reading) => {
  it('nothing that a rule finds is left out', () => {
    fc.assert(
      fc.property(text, (value) => {
        if (value === '' || mayMatter(value, reading)) return;
        expect(screen.raw(reading, value), JSON.stringify(value)).toBeUndefined();
      }),
      { numRuns: 3000, seed: 8 },
    );
  });
});

describe('the short look at prose', () => {
  it('spares nothing in which the longer one would find something', () => {
    fc.assert(
      fc.property(text, (value) => {
        if (isUsual(value)) expect(clinicalMatters(value), JSON.stringify(value)).toBe(false);
      }),
      { numRuns: 20_000, seed: 9 },
    );
  });

  it('spares what most of a resource is', () => {
    for (const value of ['Ada', 'http://terminology.hl7.org/CodeSystem/v2-0131', '2019-03-01', 'next of kin'])
      expect(isUsual(value), value).toBe(true);
  });
});

describe('spares', () => {
  it.each([
    ['parameter', '17'],
    ['parameter', '2026-11-22'],
    ['parameter', '2026-11-22T10:00:00+01:00'],
    ['parameter', 'Ada Example'],
    ['parameter', 'ada@clinic.example'],
    ['parameter', '36.6'],
    ['clinical', 'Peter James'],
    ['clinical', 'http://hl7.org/fhir/sid/us-ssn'],
    ['clinical', 'pt c/o pain -- onset 2 d ago'],
    ['clinical', '<5 mg'],
    ['narrative', '<div xmlns="http://www.w3.org/1999/xhtml"><p><b>Ada</b> &amp; Otto</p></div>'],
  ] as [Reading, string][])('as %s: %s', (reading, value) => {
    expect(mayMatter(value, reading)).toBe(false);
  });
});

describe('every reading', () => {
  it('has rules', () => {
    for (const reading of READINGS) expect(RULES.some((rule) => rule.readings.includes(reading))).toBe(true);
  });
});
