import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../../contracts/clock.ts';
import { Desk, DeskLine } from '../../../gateway/limits/index.ts';
import { Places } from '../../../gateway/limits/places.ts';
import { Seats } from '../../../gateway/limits/seats.ts';

const open: Desk[] = [];
afterEach(() => {
  for (const desk of open.splice(0)) desk.close();
});

function workers(count: number) {
  const desk = new Desk(systemClock, () => {});
  open.push(desk);
  let away = false;
  const seats = Array.from({ length: count }, (_, index) => {
    const line: DeskLine = new DeskLine((asks) => {
      if (away) return;
      void desk
        .handle(`worker-${index + 1}`, structuredClone(asks))
        .then((answers) => setImmediate(() => line.receive(structuredClone(answers))));
    });
    return new Seats(line, count);
  });
  return {
    desk,
    seats,
    lose() {
      away = true;
    },
  };
}

const take = async (seats: Seats | undefined, times: number, most: number, key = 'a') => {
  let taken = 0;
  for (let n = 0; n < times; n += 1) if (await seats?.take('["x"]', key, most)) taken += 1;
  return taken;
};

describe('places of a limit on requests at once', () => {
  it('are as many as that over all workers, whoever comes first', async () => {
    const { seats } = workers(2);
    expect(await take(seats[0], 10, 3)).toBe(3);
    expect(await take(seats[1], 10, 3)).toBe(0);
    seats[0]?.leave('["x"]', 'a', 3);
    await sleep(20);
    expect(await take(seats[1], 10, 3)).toBe(1);
    expect(await take(seats[1], 10, 3, 'b')).toBe(3);
  });

  it('are asked for many at a time without one too many', async () => {
    const { seats } = workers(3);
    const results = await Promise.all(
      seats.flatMap((each) => Array.from({ length: 100 }, () => each.take('["x"]', 'a', 50))),
    );
    expect(results.filter(Boolean)).toHaveLength(50);
    for (const each of seats)
      for (let n = each.inUse('["x"]', 'a'); n > 0; n -= 1) each.leave('["x"]', 'a', 50);
    await sleep(20);
    expect(await take(seats[0], 60, 50)).toBe(50);
  });

  it('may lie with another worker in reserve, but no more than 2 % of them, and not for long', async () => {
    const { seats } = workers(2);
    expect(await take(seats[0], 1, 1000)).toBe(1);
    expect(await take(seats[1], 1000, 1000)).toBeGreaterThanOrEqual(980);
    seats[0]?.leave('["x"]', 'a', 1000);
    seats[0]?.sweep();
    await sleep(20);
    expect(await take(seats[1], 50, 1000)).toBeGreaterThanOrEqual(1);
    expect(seats[1]?.inUse('["x"]', 'a')).toBe(1000);
  });

  it('are free again when their worker has ended', async () => {
    const { desk, seats } = workers(2);
    expect(await take(seats[0], 5, 5)).toBe(5);
    expect(await take(seats[1], 1, 5)).toBe(0);
    desk.left('worker-1');
    expect(await take(seats[1], 9, 5)).toBe(5);
  });

  it('are given back by what was replaced, as its requests end', async () => {
    const { seats } = workers(2);
    expect(await take(seats[0], 2, 1000)).toBe(2);
    seats[0]?.close();
    seats[0]?.leave('["x"]', 'a', 1000);
    seats[0]?.leave('["x"]', 'a', 1000);
    await sleep(20);
    expect(await take(seats[1], 1100, 1000)).toBe(1000);
  });

  it('are each worker’s part of them when nobody answers', async () => {
    const { seats, lose } = workers(2);
    lose();
    expect(await take(seats[0], 10, 5)).toBe(2);
    expect(await take(seats[1], 10, 5)).toBe(2);
    expect(await take(seats[0], 3, 1, 'b')).toBe(1);
  });

  it('cannot be given back by whoever does not have them', () => {
    const places = new Places();
    const wish = { limiter: 'x', key: 'a', most: 2, want: 5 };
    expect(places.occupy('one', wish)).toBe(2);
    places.vacate('two', { limiter: 'x', key: 'a', places: 2 });
    expect(places.occupy('two', wish)).toBe(0);
    places.vacate('one', { limiter: 'x', key: 'a', places: 99 });
    expect(places.occupy('two', wish)).toBe(2);
  });
});
