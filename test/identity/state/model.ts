import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { NewDocument, StateOperation, StateStore, StoredDocument } from '../../../contracts/state.ts';
import { movableClock } from './support/clock.ts';
import type { Subject } from './support/subject.ts';

/** A few ids, values and times, so that they meet; `kind` has a unique and a plain index. */
const KIND = 'account';
const ids = fc.constantFrom('a', 'A', 'a ', 'b', "b'");
const logins = fc.constantFrom('x', 'X', 'x ', '\0');
const organisations = fc.constantFrom('o', 'p');

interface Wanted {
  readonly n: number;
  readonly login: string | undefined;
  readonly organisation: string | undefined;
  /** Units of time from now; undefined: never. */
  readonly life: number | undefined;
}

const wanted: fc.Arbitrary<Wanted> = fc.record({
  n: fc.nat(99),
  login: fc.option(logins, { nil: undefined }),
  organisation: fc.option(organisations, { nil: undefined }),
  life: fc.option(fc.integer({ min: 0, max: 3 }), { nil: undefined }),
});

type Step =
  | { readonly do: 'insert' | 'replace' | 'replace-stale'; readonly id: string; readonly wanted: Wanted }
  | { readonly do: 'remove' | 'take' | 'get'; readonly id: string }
  | { readonly do: 'removeAll' | 'find'; readonly organisation: string }
  | { readonly do: 'list' | 'purge' }
  | { readonly do: 'wait' }
  | {
      readonly do: 'commit';
      readonly parts: readonly { readonly id: string; readonly remove: boolean; readonly wanted: Wanted }[];
    };

const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ do: fc.constantFrom('insert', 'replace', 'replace-stale'), id: ids, wanted }),
  fc.record({ do: fc.constantFrom('remove', 'take', 'get'), id: ids }),
  fc.record({ do: fc.constantFrom('removeAll', 'find'), organisation: organisations }),
  fc.record({ do: fc.constantFrom('list', 'purge', 'wait') }),
  fc.record({
    do: fc.constant('commit'),
    parts: fc.array(fc.record({ id: ids, remove: fc.boolean(), wanted }), { minLength: 1, maxLength: 4 }),
  }),
) as fc.Arbitrary<Step>;

/** What a store promises, in a few lines; time is counted in units. */
interface Kept {
  readonly wanted: Wanted;
  readonly until: number;
}
type Model = Map<string, Kept>;

const UNIT = 60_000;

function put(model: Model, id: string, want: Wanted, now: number): boolean {
  if (want.login !== undefined) {
    for (const [other, kept] of model) if (other !== id && kept.wanted.login === want.login) return false;
  }
  model.set(id, {
    wanted: want,
    until: want.life === undefined ? Number.POSITIVE_INFINITY : now + want.life,
  });
  expire(model, now);
  return true;
}

function expire(model: Model, now: number): void {
  for (const [id, kept] of model) if (kept.until <= now) model.delete(id);
}

const shown = (id: string, want: Wanted): unknown => [
  id,
  want.n,
  want.login ?? null,
  want.organisation ?? null,
];
const seen = ({ id, body, indexes }: StoredDocument): unknown => [
  id,
  body.n,
  indexes.login ?? null,
  indexes.organisation ?? null,
];

/** Byte order, which is that of `<` for ASCII. */
const order = (entries: readonly (readonly [string, Kept])[]): unknown[] =>
  [...entries].sort(([a], [b]) => (a < b ? -1 : 1)).map(([id, kept]) => shown(id, kept.wanted));

/** Any sequence of calls gives what the model gives. */
export function modelContract(subject: () => Subject, runs: number): void {
  describe('any sequence of calls', () => {
    it('gives what a map in memory would give', async () => {
      const clock = movableClock();
      const store = await subject().open(clock);
      await fc.assert(
        fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 25 }), async (steps) => {
          await clear(store);
          const model: Model = new Map();
          let now = 0;
          for (const one of steps) {
            if (one.do === 'wait') {
              now += 1;
              clock.advance(UNIT);
              expire(model, now);
              continue;
            }
            const document = (want: Wanted): NewDocument => ({
              body: { n: want.n },
              indexes: {
                ...(want.login === undefined ? {} : { login: want.login }),
                ...(want.organisation === undefined ? {} : { organisation: want.organisation }),
              },
              // Half a unit: the real clock goes on meanwhile.
              expiresAt:
                want.life === undefined
                  ? undefined
                  : clock.wall() + (want.life === 0 ? 0 : (want.life - 0.5) * UNIT),
            });
            const [found, expected] = await both(store, model, one, document, now);
            expect(found, JSON.stringify(one)).toEqual(expected);
          }
          const rest = await store.list(KIND);
          expect(rest.map(seen)).toEqual(order([...model]));
        }),
        { numRuns: runs },
      );
      await clear(store);
      await store.close();
    }, 120_000);
  });
}

async function clear(store: StateStore): Promise<void> {
  for (const { id } of await store.list(KIND)) await store.remove(KIND, id);
}

async function both(
  store: StateStore,
  model: Model,
  one: Exclude<Step, { do: 'wait' }>,
  document: (want: Wanted) => NewDocument,
  now: number,
): Promise<[found: unknown, expected: unknown]> {
  switch (one.do) {
    case 'insert':
      return [
        await store.insert(KIND, one.id, document(one.wanted)),
        !model.has(one.id) && put(model, one.id, one.wanted, now),
      ];
    case 'replace':
    case 'replace-stale': {
      const version = (await store.get(KIND, one.id))?.version ?? 1;
      const stale = one.do === 'replace-stale';
      return [
        await store.replace(KIND, one.id, stale ? version + 1 : version, document(one.wanted)),
        !stale && model.has(one.id) && put(model, one.id, one.wanted, now),
      ];
    }
    case 'remove':
      return [await store.remove(KIND, one.id), model.delete(one.id)];
    case 'take': {
      const expected = model.get(one.id);
      model.delete(one.id);
      const taken = await store.take(KIND, one.id);
      return [taken && seen(taken), expected && shown(one.id, expected.wanted)];
    }
    case 'get': {
      const expected = model.get(one.id);
      const got = await store.get(KIND, one.id);
      return [got && seen(got), expected && shown(one.id, expected.wanted)];
    }
    case 'removeAll': {
      const gone = [...model].filter(([, kept]) => kept.wanted.organisation === one.organisation);
      for (const [id] of gone) model.delete(id);
      return [await store.removeAll(KIND, 'organisation', one.organisation), gone.length];
    }
    case 'find':
      return [
        (await store.find(KIND, 'organisation', one.organisation)).map(seen),
        order([...model].filter(([, kept]) => kept.wanted.organisation === one.organisation)),
      ];
    case 'list':
      return [(await store.list(KIND)).map(seen), order([...model])];
    case 'purge':
      return [(await store.purge()) >= 0, true];
    case 'commit': {
      const operations: StateOperation[] = [];
      const trial: Model = new Map(model);
      let ok = true;
      for (const part of one.parts) {
        const version = (await store.get(KIND, part.id))?.version ?? 1;
        if (part.remove) {
          operations.push({ do: 'remove', kind: KIND, id: part.id, version });
          // A document that this same commit inserted has a version that nobody could know.
          const known = model.has(part.id) && trial.get(part.id) === model.get(part.id);
          ok = ok && known && trial.delete(part.id);
        } else {
          operations.push({ do: 'insert', kind: KIND, id: part.id, document: document(part.wanted) });
          ok = ok && !trial.has(part.id) && put(trial, part.id, part.wanted, now);
        }
      }
      if (ok) {
        model.clear();
        for (const [id, kept] of trial) model.set(id, kept);
      }
      return [await store.commit(operations), ok];
    }
  }
}
