import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { definitionsOf } from '../../../inspection/payload/fhir/definitions.ts';
import { fhirValidator } from '../../../inspection/payload/fhir/validator.ts';
import { inspector, routeOf, said, send } from './support/requests.ts';

type Members = Record<string, unknown> & { resourceType: string; id: string };

const EXAMPLES: readonly Members[] = readFileSync(
  new URL('../../../../shared/data/fhir/r4-examples.ndjson', import.meta.url),
  'utf8',
)
  .trim()
  .split('\n')
  .map((line) => JSON.parse(line));

const R4 = { version: 'R4' } as const;

describe('the official examples', () => {
  it('are created, every one of them', () => {
    const refused = EXAMPLES.map((each) =>
      said(send({ ...R4, interaction: 'create' }, `/fhir/${each.resourceType}`, each)),
    ).filter((each) => each !== '');
    expect(refused).toEqual([]);
    expect(EXAMPLES).toHaveLength(255);
  });

  it('are updated under their own address and no other', () => {
    const update = { ...R4, interaction: 'update' };
    for (const each of EXAMPLES) {
      const { resourceType, id } = each;
      expect(said(send(update, `/fhir/${resourceType}/${id}`, each))).toBe('');
      expect(said(send(update, `/fhir/${resourceType}/another`, each))).toBe('fhir-url-id /id');
      const other = resourceType === 'Patient' ? 'Person' : 'Patient';
      expect(said(send(update, `/fhir/${other}/${id}`, each))).toBe('fhir-url-type /resourceType');
    }
  });

  it('pass in a transaction together', () => {
    const entry = EXAMPLES.map((resource) => ({
      resource,
      request: { method: 'PUT', url: `${resource.resourceType}/${resource.id}` },
    }));
    const bundle = { resourceType: 'Bundle', type: 'transaction', entry };
    expect(said(send({ ...R4, interaction: 'batch' }, '/fhir', bundle))).toBe('');
  });

  it('are refused with an element that nothing defines, wherever it stands', () => {
    const example = fc.constantFrom(...EXAMPLES);
    fc.assert(
      fc.property(example, fc.nat(), fc.stringMatching(/^[a-z]{3,12}Unheard$/), (resource, seed, name) => {
        const copy = structuredClone(resource);
        const places = objectsIn(copy);
        const [place, pointer] = places[seed % places.length] ?? [copy, ''];
        place[name] = 'x';
        const found = fhirValidator('R4').validate(copy as never);
        expect(found?.rule).toBe('fhir-unknown-element');
        expect(found?.place).toBe(`${pointer}/${name}`);
      }),
      { numRuns: 300 },
    );
  });

  it('are refused without what their type requires', () => {
    const { types } = definitionsOf('R4');
    let removed = 0;
    for (const resource of EXAMPLES) {
      for (const element of types.get(resource.resourceType) ?? []) {
        if (!element.required) continue;
        const copy: Record<string, unknown> = structuredClone(resource);
        for (const name of Object.keys(copy)) {
          if (name === element.name || (element.choice && name.startsWith(element.name))) delete copy[name];
        }
        removed += 1;
        expect(
          fhirValidator('R4').validate(copy as never)?.rule,
          `${resource.resourceType}.${element.name}`,
        ).toBe('fhir-required');
      }
    }
    expect(removed).toBeGreaterThan(200);
  });

  it('are refused with a value of another kind, wherever it stands', () => {
    fc.assert(
      fc.property(fc.constantFrom(...EXAMPLES), fc.nat(), (resource, seed) => {
        const copy = structuredClone(resource);
        const places = valuesIn(copy);
        const place = places[seed % places.length];
        if (place === undefined) return;
        const value = place.holder[place.key];
        place.holder[place.key] = typeof value === 'string' ? 7 : typeof value === 'number' ? 'seven' : [{}];
        expect(fhirValidator('R4').validate(copy as never)).toBeDefined();
      }),
      { numRuns: 300 },
    );
  });

  it('never bring the inspector to throw, whatever becomes of them', () => {
    const update = { ...R4, interaction: 'update' };
    fc.assert(
      fc.property(fc.constantFrom(...EXAMPLES), fc.nat(), fc.jsonValue(), (resource, seed, value) => {
        const copy = structuredClone(resource);
        const places = valuesIn(copy);
        const place = places[seed % places.length];
        if (place !== undefined) place.holder[place.key] = value;
        const found = send(update, `/fhir/${resource.resourceType}/${resource.id}`, copy);
        expect(found?.rule).not.toBe('payload-unjudged');
      }),
      { numRuns: 300 },
    );
  });
});

it('a route without a body wants none', () => {
  const { route } = routeOf({ version: 'R4', interaction: 'read' });
  expect(inspector.wants({ ...route, maxBodyBytes: 0 }, undefined)).toBe(false);
  expect(inspector.wants(route, undefined)).toBe(true);
});

type Holder = Record<string, unknown>;

/** Objects that are elements, with their pointers. */
function objectsIn(value: unknown, pointer = ''): [Holder, string][] {
  if (typeof value !== 'object' || value === null) return [];
  const inner = Object.entries(value).flatMap(([key, each]) => objectsIn(each, `${pointer}/${key}`));
  return Array.isArray(value) ? inner : [[value as Holder, pointer], ...inner];
}

/** Places of values that are neither objects nor lists; of the types that a resource names, none. */
function valuesIn(value: unknown): { holder: Holder; key: string }[] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, each]) =>
    typeof each === 'object' ? valuesIn(each) : [{ holder: value as Holder, key }],
  );
}
