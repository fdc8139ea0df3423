import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { folded, foldedAtOpenBracket } from '../../gateway/canonical/parameter-names.ts';
import { aliased } from '../../gateway/canonical/query-rules.ts';
import { readForm } from '../../gateway/content/form.ts';
import { CONTENT_LIMITS } from '../../gateway/content/limits.ts';
import type { PatientSource } from '../../policies/access.ts';
import { patientNamed } from '../../policies/patient.ts';

/**
 * The variable that PHP files a parameter under, written after what its manual says ("Variables From External Sources")
 * and what PHP 8 was seen to do, one character after the other.
 */
function php(name: string): string {
  let variable = '';
  const bare = name.replace(/^ +/, '');
  for (let at = 0; at < bare.length; at += 1) {
    const character = bare[at] ?? '';
    if (character === '[' && at > 0) {
      if (bare.indexOf(']', at) >= 0) return variable;
      return variable + bare.slice(at).replaceAll(/[ .[]/g, '_');
    }
    variable += character === ' ' || character === '.' || character === '[' ? '_' : character;
  }
  return variable;
}

const madeOf = (pieces: readonly string[], maxLength: number) =>
  fc
    .array(fc.constantFrom(...pieces), { minLength: 1, maxLength })
    .map((each) => each.join(''))
    .filter((text) => text.trim() !== '');
const name = madeOf(['a', 'b', 'A', '_', '.', ' ', '[', ']', '[]', '0', 'id', ':'], 7);
/** Of few pieces, so that many are one to PHP. */
const near = madeOf(['a', '_', '.', ' ', '[', ']'], 4);

const read = (form: string) => readForm(Buffer.from(form), CONTENT_LIMITS);
const PATIENT: PatientSource = { from: 'parameter', name: 'patient_id' };
const named = (query: string) => {
  const parameters = new Map<string, string[]>();
  for (const [key, value] of new URLSearchParams(query))
    parameters.set(key, [...(parameters.get(key) ?? []), value]);
  return patientNamed(PATIENT, { parameters }, { captures: [] });
};

describe('the name of a parameter', () => {
  it.each([
    ['site_id', 'site_id'],
    ['site[id]', 'site'],
    ['site[id', 'site_id'],
    ['site[', 'site_'],
    ['site[i.d', 'site_i_d'],
    ['site[a][b', 'site'],
    ['site[a[b]', 'site'],
    ['[site', '_site'],
    [' Site.ID', 'site_id'],
  ])('%j is %j', (written, form) => {
    expect(folded(written)).toBe(form);
  });

  it('is another one to Rack where nothing closes a bracket, and nowhere else', () => {
    expect(['a[b', 'a.b[', 'a[b]', 'a', '[a', 'a]['].map(foldedAtOpenBracket)).toEqual([
      'a',
      'a_b',
      undefined,
      undefined,
      undefined,
      'a_',
    ]);
  });

  it('is refused beside every name that PHP makes the same variable of', () => {
    fc.assert(
      fc.property(near, near, (one, other) => {
        fc.pre(one !== other && php(one) === php(other));
        const lists = [one, other].every(
          (each) =>
            each
              .trimStart()
              .slice(1)
              .match(/\[.*\]/) !== null,
        );
        // Two places of one list are two values to PHP too.
        if (!lists) expect(aliased([one, other], true)).toBe(true);
        expect(aliased([one, other], false)).toBe(true);
      }),
      { numRuns: 500, maxSkipsPerRun: 500 },
    );
  });

  it('takes one form with what PHP makes of it', () => {
    fc.assert(
      fc.property(name, (one) => {
        expect(folded(one)).toBe(php(one).replaceAll(']', '_').toLowerCase());
      }),
      { numRuns: 2000 },
    );
  });
});

describe('a name whose bracket nothing closes', () => {
  it.each([
    ['patient_id=1&patient%5Bid=2', 'PHP takes the second'],
    ['patient=1&patient%5Bid=2', 'Rack takes both as one'],
    ['patient%5B%5D=1&patient%5Bid=2', 'the same, beside a list'],
  ])('is refused in a form, %s: %s', (form) => {
    expect(read(form)).toMatchObject({ ok: false, rule: 'form-alias' });
  });

  it('alone is a name like others', () => {
    expect(read('patient%5Bid=2&other=1')).toMatchObject({ ok: true });
  });

  it.each([
    ['patient_id=1', '1'],
    ['patient_id=1&patient%5Bid%5D=2', '1'],
    ['patient_id=1&patient%5Bid=2', undefined],
    ['patient_id=1&Patient%5BID=2', undefined],
    ['patient_id=1&patient.id=2', undefined],
    ['patient_id=1&patient_id%5B=2', undefined],
    ['patient_id=1&patient_id%5Bx=2', undefined],
  ])('beside the parameter that names the patient leaves nobody named: %s', (query, patient) => {
    expect(named(query)).toBe(patient);
  });
});
