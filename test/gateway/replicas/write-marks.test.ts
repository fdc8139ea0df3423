import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type Clock, systemClock } from '../../../contracts/clock.ts';
import { freePort } from '../../../examples/support/ports.ts';
import { type PrivateRedis, startPrivateRedis } from '../../../examples/support/private-redis.ts';
import { Desk, type DeskAnswer, DeskLine } from '../../../gateway/limits/index.ts';
import { RedisStore } from '../../../gateway/limits/redis.ts';
import { WriteMarks } from '../../../gateway/replicas/write-marks.ts';
import { until } from '../../support/process.ts';

const DELAY_MS = 60;
/** A worker knows nothing of what was written before it began; after this it trusts what it knows. */
const SETTLED_MS = 1_050;
/** For so long after it was away, the store is not believed to know everything. */
const FORGETFUL_MS = DELAY_MS + 2_050;
const BOUND_MS = 10_000;

/** Real time that can be skipped. */
let skipped = 0;
const clock: Clock = { wall: systemClock.wall, monotonic: () => systemClock.monotonic() + skipped };
const skip = (ms: number) => {
  skipped += ms;
};

const open: { close(): void }[] = [];
afterEach(() => {
  for (const each of open.splice(0)) each.close();
});

function marks(options: Partial<ConstructorParameters<typeof WriteMarks>[0]> = {}): WriteMarks {
  const made = new WriteMarks({ clock, ...options });
  open.push(made);
  return made;
}

/** Workers of one gateway, over lines that behave as the real channels do. `deaf`: these get nothing. */
function workers(count: number) {
  const lines = new Map<string, DeskLine>();
  const deaf = new Set<string>();
  const serving = new Set<string>();
  const tell = (name: string, answers: readonly DeskAnswer[]) => {
    if (!deaf.has(name) && answers.length > 0)
      setImmediate(() => lines.get(name)?.receive(structuredClone(answers)));
  };
  const desk = new Desk(
    systemClock,
    (answers) => {
      for (const name of lines.keys()) tell(name, answers);
    },
    () => [...serving],
  );
  open.push(desk);
  const all = Array.from({ length: count }, (_, index) => {
    const name = `worker-${index + 1}`;
    const line = new DeskLine((asks) => {
      const answer = (answers: readonly DeskAnswer[]) => tell(name, answers);
      void desk.handle(name, structuredClone(asks), answer).then(answer);
    });
    lines.set(name, line);
    serving.add(name);
    return marks({ line });
  });
  const leave = (name: string) => {
    serving.delete(name);
    desk.left(name);
  };
  return { all, deaf, leave };
}

describe('whoever has written', () => {
  it('is unknown to a worker that has just begun, which then reads nothing from a replica', async () => {
    const one = marks();
    expect(one.lately('north', 'anna', DELAY_MS)).toBe(true);
    skip(SETTLED_MS);
    expect(one.lately('north', 'anna', DELAY_MS)).toBe(false);
  });

  it('reads from the primary while the write is under way, and for the delay after its end', async () => {
    const one = marks();
    skip(SETTLED_MS);
    const write = one.begin('north', 'anna', DELAY_MS);
    await write.known();
    expect(one.lately('north', 'anna', DELAY_MS)).toBe(true);
    expect(one.lately('north', 'boris', DELAY_MS)).toBe(false);
    expect(one.lately('south', 'anna', DELAY_MS)).toBe(false);
    // Longer than a mark lasts by itself, were it not renewed.
    for (let n = 0; n < 2; n += 1) {
      skip(1_500);
      await wait(550);
    }
    expect(one.lately('north', 'anna', DELAY_MS)).toBe(true);
    write.end();
    skip(DELAY_MS);
    expect(one.lately('north', 'anna', DELAY_MS)).toBe(true);
    skip(2_600);
    expect(one.lately('north', 'anna', DELAY_MS)).toBe(false);
  });

  it('never becomes somebody else by how names are put together', async () => {
    const one = marks();
    skip(SETTLED_MS);
    one.begin('a', '1:b', DELAY_MS);
    expect(one.lately('a1', ':b', DELAY_MS)).toBe(false);
  });
});

describe('among the workers of a gateway', () => {
  it('every one knows before the write is answered', async () => {
    const { all } = workers(3);
    skip(SETTLED_MS);
    // Were it not known, this would take a minute.
    const write = all[0]?.begin('north', 'anna', 60_000);
    await write?.known();
    for (const each of all) expect(each.lately('north', 'anna', DELAY_MS)).toBe(true);
  });

  it('one that does not hear it delays the answer until nothing lags behind any more', async () => {
    const { all, deaf } = workers(2);
    skip(SETTLED_MS);
    deaf.add('worker-2');
    const write = all[0]?.begin('north', 'anna', 300);
    const begun = performance.now();
    await write?.known();
    expect(all[1]?.lately('north', 'anna', 300)).toBe(false);
    expect(performance.now() - begun).toBeGreaterThan(300);
  });

  it('one that ends is not waited for', async () => {
    const { all, deaf, leave } = workers(2);
    skip(SETTLED_MS);
    deaf.add('worker-2');
    const write = all[0]?.begin('north', 'anna', 60_000);
    const known = write?.known();
    await wait(50);
    leave('worker-2');
    const begun = performance.now();
    await known;
    expect(performance.now() - begun).toBeLessThan(400);
  });
});

describe('among gateways that share Redis', () => {
  const directory = join(import.meta.dirname, '..', '..', '..', '.work', 'replicas-redis');
  const stores: RedisStore[] = [];
  let redis: PrivateRedis;
  let port: number;
  beforeAll(async () => {
    port = await freePort();
    redis = await startPrivateRedis({ directory, port });
  });
  afterEach(async () => {
    for (const store of stores.splice(0)) await store.close();
  });
  afterAll(() => redis?.stop());

  /** One that has been told once that Redis was connected to anew, and has outlived what that may have cost. */
  async function gateway(): Promise<WriteMarks> {
    const store = new RedisStore({
      host: '127.0.0.1',
      port,
      socketPath: undefined,
      authority: undefined,
      user: undefined,
      password: undefined,
      database: 0,
      gateways: 2,
      timeoutMs: 1_000,
    });
    stores.push(store);
    await until('Redis to answer', () => store.available, BOUND_MS);
    const made = marks({ store: () => store });
    skip(SETTLED_MS);
    await made.lately('north', 'nobody', DELAY_MS);
    skip(FORGETFUL_MS);
    return made;
  }

  it('what one of them writes the others know', async () => {
    const [one, two] = [await gateway(), await gateway()];
    expect(await two.lately('north', 'anna', DELAY_MS)).toBe(false);
    await one.begin('north', 'anna', DELAY_MS).known();
    expect(await two.lately('north', 'anna', DELAY_MS)).toBe(true);
    expect(await two.lately('north', 'boris', DELAY_MS)).toBe(false);
    expect(await two.lately('south', 'anna', DELAY_MS)).toBe(false);
  });

  it('while it is away everybody may have written, and so for as long as it may have forgotten', async () => {
    const [one, two] = [await gateway(), await gateway()];
    await one.begin('north', 'boris', DELAY_MS).known();
    await redis.kill();
    expect(await two.lately('north', 'carla', DELAY_MS)).toBe(true);
    const begun = performance.now();
    await one.begin('north', 'anna', 200).known();
    // Nobody could be told: it is answered when nothing lags behind it any more.
    expect(performance.now() - begun).toBeGreaterThanOrEqual(195);
    redis = await startPrivateRedis({ directory, port });
    await until('Redis to answer', () => stores.every(({ available }) => available), BOUND_MS);
    // It has forgotten that boris wrote.
    expect(await two.lately('north', 'boris', DELAY_MS)).toBe(true);
    skip(FORGETFUL_MS);
    await two.lately('north', 'carla', DELAY_MS);
    skip(FORGETFUL_MS);
    expect(await two.lately('north', 'carla', DELAY_MS)).toBe(false);
  });
});
