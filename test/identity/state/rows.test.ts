import fc from 'fast-check';
import { expect, it } from 'vitest';
import { ChartgateError } from '../../../contracts/errors.ts';
import type { JsonBody, NewDocument } from '../../../contracts/state.ts';
import { documentOf, writable } from '../../../identity/state/rows.ts';

function attempt(document: unknown): ReturnType<typeof writable> | undefined {
  try {
    return writable('account', document as NewDocument);
  } catch (error) {
    expect(error).toBeInstanceOf(ChartgateError);
    expect(error).toMatchObject({ code: 'state-invalid' });
    return undefined;
  }
}

const back = (row: ReturnType<typeof writable>): NewDocument =>
  documentOf({ id: 'a', version: 1, createdAt: 0, ...row, expiresAt: row.expiresAt });

it('every JSON object comes back as it was', () => {
  const body = fc.dictionary(fc.string({ unit: 'binary' }), fc.jsonValue({ stringUnit: 'binary' }), {
    maxKeys: 5,
  });
  fc.assert(
    fc.property(body, (given) => {
      const row = attempt({ body: given });
      if (row === undefined) throw new Error('refused');
      // As JSON writes it: -0 is 0.
      expect(back(row).body).toEqual(JSON.parse(JSON.stringify(given)));
    }),
  );
});

it('whatever else is given for a document is kept whole or refused, and nothing else happens', () => {
  const anything = fc.anything({
    withBigInt: true,
    withDate: true,
    withMap: true,
    withSet: true,
    withTypedArray: true,
    withSparseArray: true,
    withNullPrototype: true,
    maxDepth: 4,
  });
  const document = fc.oneof(
    fc.record({ body: anything, indexes: fc.option(anything, { nil: undefined }), expiresAt: anything }),
    fc.record({ body: fc.dictionary(fc.string(), anything) }),
    fc.record({
      body: fc.constant({}),
      indexes: fc.dictionary(
        fc.constantFrom('login', 'organisation', 'tenant', '__proto__', 'toString'),
        anything,
      ),
    }),
  );
  fc.assert(
    fc.property(document, (given) => {
      const row = attempt(given);
      if (row === undefined) return;
      const kept = back(row);
      expect(JSON.stringify(kept.body)).toBe(JSON.stringify(given.body));
      const named = Object.entries((given as NewDocument).indexes ?? {}).filter(
        ([, value]) => value !== undefined,
      );
      expect(Object.entries(kept.indexes ?? {}).sort()).toEqual(named.sort());
    }),
    { numRuns: 2_000 },
  );
});

it('a row that is damaged is unavailable, whatever it says', () => {
  const row = { id: 'a', version: 1, createdAt: 0, expiresAt: 1, body: '{}', indexes: '{}' };
  for (const text of ['', '{', 'null', '[]', '1', '"x"', '{}}', '\0']) {
    for (const damaged of [
      { ...row, body: text },
      { ...row, indexes: text },
    ]) {
      expect(() => documentOf(damaged)).toThrow(expect.objectContaining({ code: 'state-unavailable' }));
    }
  }
  const body: JsonBody = documentOf(row).body;
  expect(body).toEqual({});
});
