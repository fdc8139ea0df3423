import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { RouteDocument } from '../../contracts/settings.ts';
import { compilePolicy } from '../../policies/index.ts';
import { readDecision, readMatch } from './literal-reading.ts';
import { ANONYMOUS, bearer, DEFAULTS, documentOf, facts } from './support.ts';

const WORDS = ['Patient', 'Observation', 'b', 'c'];
const METHODS = ['GET', 'HEAD', 'POST', 'DELETE'];

const part = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom(...WORDS) },
  { weight: 2, arbitrary: fc.constant('{}') },
  { weight: 3, arbitrary: fc.uniqueArray(fc.constantFrom(...WORDS), { minLength: 1, maxLength: 4 }) },
);

/** A route over a small alphabet, so that patterns meet, nest and collide all the time. */
const route = fc
  .record({
    parts: fc.array(part, { maxLength: 3 }),
    tail: fc.constantFrom('', '', '', '/', '{*}'),
    methods: fc.uniqueArray(fc.constantFrom(...METHODS), { minLength: 1, maxLength: 2 }),
    upgrade: fc.integer({ min: 0, max: 9 }).map((n) => n === 0),
    access: fc.constantFrom('anonymous', 'plain', 'literal', 'captured', 'both'),
    contexts: fc.uniqueArray(fc.constantFrom('patient', 'user', 'system'), { minLength: 1 }),
    permission: fc.constantFrom('r', 's', 'rs', 'cud', 'cruds'),
    parameter: fc.boolean(),
  })
  .map((draft): Omit<RouteDocument, 'id'> => {
    const where: Record<string, readonly string[]> = {};
    const names: string[] = [];
    const texts = draft.parts.map((text, i) => {
      if (typeof text === 'string' && text !== '{}') return text;
      const name = `c${i}`;
      names.push(name);
      if (typeof text !== 'string') where[name] = text;
      return `{${name}}`;
    });
    if (draft.tail === '{*}') texts.push('{rest*}');
    if (draft.tail === '/' && texts.length > 0) texts.push('');
    const [first] = names;
    const last = names.at(-1);
    const canName = draft.parameter || last !== undefined;
    const contexts = canName ? draft.contexts : draft.contexts.filter((context) => context !== 'patient');
    const withSmart = ['literal', 'captured', 'both'].includes(draft.access) && contexts.length > 0;
    const base = {
      methods: draft.upgrade ? ['GET'] : draft.methods,
      path: `/${texts.join('/')}`,
      where,
      maxBodyBytes: 0,
      ...(draft.upgrade ? { upgrade: 'websocket' as const } : {}),
    };
    if (draft.access === 'anonymous') return { ...base, credential: 'anonymous' };
    if (!withSmart) return { ...base, scopes: ['plain'] };
    const named = draft.parameter ? { parameter: 'patient' } : { capture: last ?? '' };
    return {
      ...base,
      ...(draft.access === 'both' ? { scopes: ['plain'] } : {}),
      smart: {
        contexts,
        resource: draft.access === 'captured' && first !== undefined ? `{${first}}` : 'Observation',
        permission: draft.permission,
      },
      ...(contexts.includes('patient') ? { patient: named } : {}),
    };
  });

/** Keeps each route that compiles together with the ones kept before it. */
function compilable(drafts: readonly Omit<RouteDocument, 'id'>[]): RouteDocument[] {
  const kept: RouteDocument[] = [];
  for (const draft of drafts) {
    const next = { ...draft, id: `r${kept.length}` };
    if (compilePolicy('p', documentOf(...kept, next), DEFAULTS).ok) kept.push(next);
  }
  return kept;
}

const request = fc.record({
  method: fc.constantFrom(...METHODS, 'PUT'),
  segments: fc.array(fc.constantFrom(...WORDS, 'x', '7', '*', 'constructor'), { maxLength: 5 }),
  slash: fc.boolean(),
  upgrade: fc.integer({ min: 0, max: 9 }).map((n) => n === 0),
  query: fc.constantFrom('', '', 'patient=7', 'patient=8', 'patient=7&patient=7', 'patient='),
});

const principal = fc.record({
  anonymous: fc.integer({ min: 0, max: 9 }).map((n) => n === 0),
  patient: fc.constantFrom(undefined, '', '7', 'b'),
  scopes: fc.uniqueArray(
    fc.oneof(
      fc.constant('plain'),
      fc
        .tuple(
          fc.constantFrom('patient', 'user', 'system', 'launch'),
          fc.constantFrom('Patient', 'Observation', '*', 'b'),
          fc.constantFrom('read', 'write', '*', 'r', 's', 'rs', 'cud', 'cruds'),
        )
        .map(([context, type, letters]) => `${context}/${type}.${letters}`),
    ),
    { maxLength: 6 },
  ),
});

test('the compiled policy matches and decides as a literal reading of its routes does', () => {
  const seen = new Map<string, number>();
  fc.assert(
    fc.property(
      fc.array(route, { minLength: 1, maxLength: 12 }),
      fc.array(fc.tuple(request, principal), { minLength: 40, maxLength: 40 }),
      (drafts, requests) => {
        const routes = compilable(drafts);
        if (routes.length === 0) return;
        const compiled = compilePolicy('p', documentOf(...routes), DEFAULTS);
        if (!compiled.ok) throw new Error('compiled before');
        const { policy } = compiled;
        for (const [asked, who] of requests) {
          const path = `/${asked.segments.join('/')}${asked.slash && asked.segments.length > 0 ? '/' : ''}`;
          const line = `${asked.method} ${path}?${asked.query}`;
          const given = facts(line, { upgrade: asked.upgrade ? 'websocket' : undefined });
          const someone = who.anonymous ? ANONYMOUS : bearer(who.scopes, who.patient);
          const expected = readMatch(routes, given);
          const match = policy.match(given);
          expect(match?.route.id, line).toBe(expected?.route.id);
          expect(match?.captures ?? [], line).toEqual([...(expected?.captures.values() ?? [])]);
          const decision = policy.decide(given, match, someone, 0);
          const got = decision.effect === 'permit' ? 'permit' : decision.denial;
          expect(got, `${line} ${JSON.stringify(who)}`).toBe(readDecision(expected, given, someone));
          expect(decision.reasons.length).toBeGreaterThan(0);
          // The reasons agree with the effect: a denial names something that did not hold.
          if (got !== 'permit') expect(decision.reasons.some((reason) => !reason.held)).toBe(true);
          else expect(decision.reasons.every((reason) => reason.held)).toBe(true);
          seen.set(got, (seen.get(got) ?? 0) + 1);
        }
      },
    ),
    { numRuns: 400 },
  );
  // Every kind of answer was exercised; otherwise the comparison proves little.
  expect([...seen.keys()].sort()).toEqual([
    'insufficient-scope',
    'permit',
    'record-hidden',
    'route-unknown',
    'unauthenticated',
  ]);
});
