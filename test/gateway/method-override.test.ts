import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Content } from '../../contracts/content.ts';
import { isOverrideName, overrideInBody, overridesByQuery } from '../../gateway/canonical/method-override.ts';
import { isAmbiguousQuery } from '../../gateway/canonical/query-rules.ts';

const NAMES = [
  ['_method', 'Rack, Rails, Symfony, Laravel, CakePHP, Yii'],
  ['_METHOD', 'whoever reads names in lower case'],
  ['_Method', 'the same'],
  [' _method', 'PHP cuts leading white space off'],
  ['_method[]', 'PHP reads a list'],
  ['_method[x]', 'PHP reads a list'],
  ['.method', 'PHP writes dots as underscores'],
  ['__method', 'Angular and Play middleware'],
  ['_http_method', 'several Java and PHP frameworks'],
  ['_httpmethod', 'the same'],
  ['http_method', 'the same'],
  ['X-HTTP-Method-Override', 'where the field is looked for among parameters'],
  ['x-http-method', 'OData'],
  ['X-Method-Override', 'method-override'],
] as const;

const bytes = Buffer.alloc(0);
const form = (...fields: readonly (readonly [string, ...string[]])[]): Content => ({
  kind: 'form',
  bytes,
  mediaType: 'application/x-www-form-urlencoded',
  fields: new Map(fields.map(([name, ...values]) => [name, values])),
});
const json = (value: Extract<Content, { kind: 'json' }>['value']): Content => ({
  kind: 'json',
  bytes,
  mediaType: 'application/json',
  value,
});
const parts = (name: string, value: string, fileName?: string): Content => ({
  kind: 'multipart',
  bytes,
  mediaType: 'multipart/form-data',
  parts: [{ name, fileName, mediaType: undefined, bytes: Buffer.from(value) }],
});

describe('a parameter that frameworks take for the method', () => {
  it.each(NAMES)('%j is refused in a query, whatever the route allows (%s)', (name) => {
    expect(isOverrideName(name)).toBe(true);
    expect(overridesByQuery(new Map([[name, ['DELETE']]]))).toBe(true);
    const query = { duplicates: 'allow', brackets: 'allow' } as const;
    expect(isAmbiguousQuery(new Map([[name, ['DELETE']]]), { query })).toBe(true);
  });

  it.each(NAMES)('%j is refused in a body that may not name one (%s)', (name) => {
    for (const content of [form([name, 'DELETE']), parts(name, 'DELETE'), json({ [name]: 'DELETE' })]) {
      expect(overrideInBody(content, 'POST', undefined)).toBe(name);
    }
  });

  it.each([
    ['method', 'a field of clinics: how a sample was taken'],
    ['payment_method', 'the same of bills'],
    ['methods', 'more than one'],
    ['method_id', 'an id'],
    ['_methodology', 'another word'],
    ['http_methods', 'another word'],
  ])('%j is none (%s)', (name) => {
    expect(isOverrideName(name)).toBe(false);
    expect(overrideInBody(form([name, 'DELETE']), 'POST', undefined)).toBeUndefined();
  });

  const allowed = new Set(['PUT']);
  it.each([
    ['the method that is listed', form(['_method', 'PUT']), 'POST', undefined],
    ['the same in a multipart body', parts('_method', 'PUT'), 'POST', undefined],
    ['the same in JSON', json({ _method: 'PUT', note: 'x' }), 'POST', undefined],
    ['another method', form(['_method', 'DELETE']), 'POST', '_method'],
    ['the method in another case', form(['_method', 'put']), 'POST', '_method'],
    ['two values', form(['_method', 'PUT', 'DELETE']), 'POST', '_method'],
    ['two names', form(['_method', 'PUT'], ['x-http-method', 'PUT']), 'POST', 'x-http-method'],
    ['another name', form(['_METHOD', 'PUT']), 'POST', '_METHOD'],
    ['a file of that name', parts('_method', 'PUT', 'a.txt'), 'POST', '_method'],
    ['a list in JSON', json({ _method: ['PUT'] }), 'POST', '_method'],
    ['a PUT that would become another', form(['_method', 'PUT']), 'PUT', '_method'],
  ] as const)('of a route that allows PUT, %s: %4$s', (_what, content, method, refused) => {
    expect(overrideInBody(content, method, allowed)).toBe(refused);
  });

  it('is looked for at the top level of JSON alone, and never fails', () => {
    expect(overrideInBody(json({ record: { _method: 'DELETE' } }), 'POST', undefined)).toBeUndefined();
    fc.assert(
      fc.property(fc.jsonValue(), fc.string(), (value, name) => {
        overrideInBody(json(value as never), 'POST', undefined);
        isOverrideName(name);
      }),
      { numRuns: 300 },
    );
  });
});
