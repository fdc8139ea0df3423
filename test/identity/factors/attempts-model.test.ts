import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type AttemptLimits, type Attempts, createAttempts } from '../../../identity/attempts.ts';
import { type MovableClock, openRig, type Rig } from './support.ts';

const LIMITS: AttemptLimits = {
  account: { failures: 3, lockMs: 60_000 },
  source: { failures: 4, lockMs: 90_000, clearedBySuccess: false },
  consecutive: { failures: 8, keepMs: 10_000_000 },
};

interface Counted {
  points: number;
  until: number;
}

/** What the counters should say, told without a store. */
class Model {
  readonly counters = new Map<string, Counted>();

  get(key: string, now: number): number {
    const found = this.counters.get(key);
    return found !== undefined && found.until > now ? found.points : 0;
  }
  add(key: string, now: number, keep: number): void {
    this.counters.set(key, { points: this.get(key, now) + 1, until: now + keep });
  }
  takeBack(key: string, now: number): void {
    const found = this.counters.get(key);
    if (found !== undefined && found.until > now) found.points = Math.max(0, found.points - 1);
  }
}

type Step =
  | {
      readonly do: 'guess';
      readonly account: string;
      readonly source: string;
      readonly end: 'right' | 'wrong' | 'busy';
    }
  | { readonly do: 'wait'; readonly ms: number }
  | { readonly do: 'unlock'; readonly account: string };

const names = fc.constantFrom('a', 'b', 'c');
const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    {
      weight: 10,
      arbitrary: fc.record({
        do: fc.constant('guess' as const),
        account: names,
        source: names,
        end: fc.constantFrom(
          'right' as const,
          'wrong' as const,
          'wrong' as const,
          'wrong' as const,
          'busy' as const,
        ),
      }),
    },
    {
      weight: 2,
      arbitrary: fc.record({ do: fc.constant('wait' as const), ms: fc.integer({ min: 1000, max: 120_000 }) }),
    },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('unlock' as const), account: names }) },
  ),
  { minLength: 5, maxLength: 60 },
);

/** Time that only moves when the test says so: the model must see the same instants. */
function stillClock(): MovableClock {
  let now = 1_800_000_000_000;
  return {
    wall: () => now,
    monotonic: () => now,
    move: (ms) => {
      now += ms;
    },
  };
}

async function guess(
  attempts: Attempts,
  model: Model,
  now: number,
  step: Step & { do: 'guess' },
): Promise<void> {
  const [account, source, row] = [`account ${step.account}`, `source ${step.source}`, `row ${step.account}`];
  const expected =
    model.get(row, now) >= 8
      ? 'closed'
      : model.get(source, now) >= 4
        ? 'source'
        : model.get(account, now) >= 3
          ? 'account'
          : 'checked';
  const answer = await attempts.reserve({ account: step.account, source: step.source });
  expect(answer.ok ? 'checked' : answer.by).toBe(expected);
  if (!answer.ok) return;
  model.add(account, now, LIMITS.account.lockMs);
  model.add(source, now, LIMITS.source.lockMs);
  model.add(row, now, 10_000_000);
  if (step.end === 'right') {
    await answer.succeeded();
    model.counters.delete(account);
    model.counters.delete(row);
    model.takeBack(source, now);
  } else if (step.end === 'busy') {
    await answer.abandoned();
    for (const key of [account, source, row]) model.takeBack(key, now);
  }
}

describe('attempts, against a model', () => {
  let rig: Rig;
  const clock = stillClock();
  beforeAll(async () => {
    rig = await openRig(undefined, clock);
  });
  afterAll(() => rig.close());

  it('say what the model says, whatever happens in whatever order', async () => {
    let runs = 0;
    await fc.assert(
      fc.asyncProperty(steps, async (sequence) => {
        runs += 1;
        const attempts = createAttempts({
          store: rig.store,
          clock,
          purpose: `model-${runs}`,
          limits: LIMITS,
        });
        const model = new Model();
        for (const step of sequence) {
          if (step.do === 'wait') clock.move(step.ms);
          else if (step.do === 'unlock') {
            await attempts.unlock(step.account);
            model.counters.delete(`account ${step.account}`);
            model.counters.delete(`row ${step.account}`);
          } else await guess(attempts, model, clock.wall(), step);
        }
      }),
      { numRuns: 60 },
    );
  });
});
