import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ReleasedPatients } from '../../../gateway/guard/released.ts';

function found(...chunks: readonly (string | Buffer)[]): string[] {
  const ids = new Set<string>();
  const released = new ReleasedPatients((id) => ids.add(id));
  for (const chunk of chunks) released.add(Buffer.from(chunk as string));
  return [...ids];
}

describe('patients that an answer is about', () => {
  it.each([
    ['no patient', '{"resourceType":"Practitioner","id":"7"}', []],
    ['a patient', '{"resourceType":"Patient","id":"7"}', ['7']],
    ['one written with air', '{ "resourceType" : "Patient" ,\n  "id" : "7" }', ['7']],
    ['a reference', '{"subject":{"reference":"Patient/a-1.b"}}', ['a-1.b']],
    ['a version of one', '{"reference":"Patient/7/_history/2"}', ['7']],
    ['an absolute one', '{"fullUrl":"https://x.example/fhir/Patient/7"}', ['7']],
    ['the name of the type', '{"type":"Patient"}', []],
    [
      'two in a bundle',
      '[{"reference":"Patient/1"},{"reference":"Patient/2"},{"reference":"Patient/1"}]',
      ['1', '2'],
    ],
    ['nothing', '', []],
    ['bytes that are no text', Buffer.from([0xff, 0, 0xfe]), []],
  ])('%s', (_, text, ids) => {
    expect(found(text)).toEqual(ids);
  });

  it('are the same however the answer is cut', () => {
    const text = JSON.stringify({
      resourceType: 'Bundle',
      entry: Array.from({ length: 40 }, (_, n) => ({
        fullUrl: `https://north.example/fhir/Observation/${n}`,
        resource: { resourceType: 'Observation', subject: { reference: `Patient/${'x'.repeat(40)}-${n}` } },
      })),
    });
    const whole = found(text);
    expect(whole).toHaveLength(40);
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 300 }), { minLength: 1, maxLength: 60 }), (sizes) => {
        const chunks: string[] = [];
        let at = 0;
        for (const size of sizes) {
          chunks.push(text.slice(at, at + size));
          at += size;
        }
        chunks.push(text.slice(at));
        const ids = found(...chunks);
        expect(ids.sort()).toEqual([...whole].sort());
      }),
      { numRuns: 100 },
    );
  });
});
