import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Json, JsonObject } from '../../../contracts/content.ts';
import { definitionsOf } from '../../../policies/fhir/definitions/index.ts';
import { isObject } from '../../../policies/fhir/elements.ts';
import { parseScopes } from '../../../policies/fhir/scopes.ts';
import {
  answerTo,
  bodyOf,
  decide,
  formContent,
  jsonContent,
  patientA,
  releaseOf,
  searchset,
} from './support.ts';

const ALL = patientA('patient/*.cruds');
const EXAMPLES = join(import.meta.dirname, '../../../../shared/data/fhir/r4-examples.ndjson');
const resources = readFileSync(EXAMPLES, 'utf8')
  .split('\n')
  .filter((line) => line !== '')
  .map((line) => JSON.parse(line) as JsonObject);

/** Every literal reference to a patient, wherever it stands, written anew. */
function rewritten(value: Json, to: (reference: string) => string): Json {
  if (Array.isArray(value)) return value.map((item: Json) => rewritten(item, to));
  if (!isObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, member]) =>
      name === 'reference' && typeof member === 'string' && member.startsWith('Patient/')
        ? [name, to(member)]
        : [name, rewritten(member, to)],
    ),
  );
}

/** The patients that any reference in a resource names, found without the definitions. */
function named(value: Json): readonly string[] {
  if (Array.isArray(value)) return value.flatMap(named);
  if (!isObject(value)) return [];
  return Object.entries(value).flatMap(([name, member]) =>
    name === 'reference' && typeof member === 'string' && member.startsWith('Patient/')
      ? [member.slice('Patient/'.length)]
      : named(member),
  );
}

const linked = resources.filter((resource) => {
  const definition = definitionsOf('R4').get(String(resource.resourceType));
  return (
    definition?.narrow !== undefined && resource.resourceType !== 'Patient' && named(resource).length > 0
  );
});
const line = (resource: JsonObject): string => `GET /fhir/${resource.resourceType}/${resource.id}`;

describe('the judge of answers, over the published examples', () => {
  it('has examples to judge', () => {
    expect(linked.length).toBeGreaterThan(50);
  });

  it('releases what names the own patient alone, for most', () => {
    const released = linked.filter((resource) => {
      const own = rewritten(resource, () => 'Patient/a') as JsonObject;
      return releaseOf(line(own), ALL, own) === 'unchanged';
    });
    expect(released.length / linked.length).toBeGreaterThan(0.8);
  });

  it('releases nothing that names no own patient, and nothing of types that are no patient’s', () => {
    for (const resource of resources) {
      const other = rewritten(resource, () => 'Patient/b') as JsonObject;
      expect([line(other), safely(line(other), other)]).toEqual([line(other), 'hidden']);
    }
  });

  it('releases nothing whose subject is somebody else, whoever else it names', () => {
    fc.assert(
      fc.property(fc.constantFrom(...linked), fc.infiniteStream(fc.boolean()), (resource, coins) => {
        const mixed = rewritten(resource, () =>
          coins.next().value === true ? 'Patient/a' : 'Patient/b',
        ) as JsonObject;
        const subjects = [mixed.subject, mixed.patient].filter((each) => each !== undefined).flatMap(named);
        if (safely(line(mixed), mixed) === 'unchanged') {
          expect(named(mixed)).toContain('a');
          expect(subjects).not.toContain('b');
        }
      }),
      { numRuns: 500 },
    );
  });

  it('lets no resource of another patient through a search set, a history or a body', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.constantFrom(...linked), fc.boolean()), { maxLength: 12 }),
        (picked) => {
          const entries = picked.map(([resource, own]) => {
            const owner = own ? 'a' : 'b';
            const text = { status: 'generated', div: `<div>marker-${owner}</div>` };
            return { ...(rewritten(resource, () => `Patient/${owner}`) as JsonObject), text };
          });
          const judged = answerTo('GET /fhir/Observation?_include=*', ALL, searchset(...entries));
          expect(JSON.stringify(judged)).not.toContain('marker-b');
          for (const entry of entries) {
            if (!JSON.stringify(entry).includes('marker-b')) continue;
            const created = bodyOf(
              `POST /fhir/${(entry as JsonObject).resourceType}`,
              ALL,
              jsonContent(entry),
            );
            expect(created?.effect).toBe('deny');
          }
        },
      ),
      { numRuns: 200 },
    );
  });
});

function safely(request: string, content: JsonObject): string {
  const decision = decide(request, ALL);
  return decision.effect === 'deny' ? 'hidden' : releaseOf(request, ALL, content);
}

const R4 = definitionsOf('R4');
const type = fc.constantFrom(...R4.keys());
const word = fc.oneof(
  fc.constantFrom(
    'a',
    'b',
    'Patient/a',
    'Patient/b',
    'a,b',
    'Group/g',
    '',
    '*',
    'Observation:subject',
    'count',
    '-date',
  ),
  fc.string({ maxLength: 12 }),
);
const parameterName = fc.oneof(
  type.chain((each) => fc.constantFrom(...(R4.get(each)?.parameters.keys() ?? ['_id']))),
  fc.constantFrom(
    'patient',
    'subject',
    'patient:Patient',
    'subject:Patient',
    '_id',
    '_include',
    '_revinclude',
    '_has:Observation:patient:code',
    'patient.name',
    '_sort',
    '_count',
    '_filter',
    'patient[]',
    'Patient',
    ' patient',
    '__proto__',
  ),
  fc.string({ minLength: 1, maxLength: 12 }),
);
const query = fc.array(fc.tuple(parameterName, word), { maxLength: 6 });
const encode = (pairs: readonly (readonly [string, string])[]): string =>
  new URLSearchParams(pairs.map(([a, b]) => [a, b])).toString();

/** What a narrowed search of a type must have, whatever else it has. */
function holdsCompartment(text: string, resourceType: string): boolean {
  const narrow = R4.get(resourceType)?.narrow ?? '';
  const values = new URLSearchParams(text).getAll(narrow);
  return (
    values.length === 1 &&
    values.every((value) => value.split(',').every((each) => each === 'a' || each === 'Patient/a'))
  );
}

describe('a narrowed search, whatever the client asks', () => {
  it('never loses the compartment, by GET', () => {
    fc.assert(
      fc.property(type, query, (resourceType, pairs) => {
        const decision = decide(`GET /fhir/${resourceType}?${encode(pairs)}`, ALL);
        if (decision.effect === 'deny') return;
        expect([resourceType, holdsCompartment(decision.obligations?.query ?? '', resourceType)]).toEqual([
          resourceType,
          true,
        ]);
        expect(decision.obligations?.answer).toBeTypeOf('function');
      }),
      { numRuns: 2_000 },
    );
  });

  it('never loses it by POST', () => {
    fc.assert(
      fc.property(type, query, query, (resourceType, pairs, form) => {
        const decision = decide(`POST /fhir/${resourceType}/_search?${encode(pairs)}`, ALL);
        if (decision.effect === 'deny') return;
        const judged = decision.obligations?.content?.(formContent(encode(form)));
        expect(judged).toBeDefined();
        if (judged?.effect === 'permit') expect(holdsCompartment(judged.form ?? '', resourceType)).toBe(true);
      }),
      { numRuns: 1_000 },
    );
  });
});

describe('scopes', () => {
  it('grant something or are explained, and never throw', () => {
    const scope = fc
      .tuple(fc.constantFrom('patient/', 'user/', 'system/'), fc.string({ maxLength: 40 }))
      .map(([a, b]) => a + b);
    fc.assert(
      fc.property(fc.array(scope, { maxLength: 5 }), (scopes) => {
        const parsed = parseScopes(scopes, 'R4');
        expect(parsed.grants.length + parsed.invalid.length).toBeGreaterThanOrEqual(
          Math.min(1, scopes.length),
        );
      }),
    );
  });
});
