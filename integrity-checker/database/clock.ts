import type { Connection } from 'mysql2/promise';
import type { CheckFinding } from '../watch/types.ts';

/**
 * How far apart two clocks are at least, in milliseconds; 0 when they may be in step.
 * @param there what the other clock showed at some moment between `before` and `after` of this one
 */
export function clockDistance(there: number, before: number, after: number): number {
  if (there < before) return there - before;
  return there > after ? there - after : 0;
}

/**
 * Compares the server's clock with this machine's. The times in the audit are the server's; whoever moves its
 * clock moves them.
 * @param bound milliseconds, whichever way
 */
export async function compareClocks(connection: Connection, bound: number): Promise<readonly CheckFinding[]> {
  const before = Date.now();
  // SYSDATE(), as the audit's triggers use: no session can set it.
  const [rows] = await connection.query({ sql: 'SELECT UNIX_TIMESTAMP(SYSDATE(6))', rowsAsArray: true });
  const after = Date.now();
  const there = Number((rows as unknown as readonly (readonly unknown[])[])[0]?.[0]) * 1000;
  const distance = clockDistance(there, before, after);
  if (Math.abs(distance) <= bound) return [];
  return [
    {
      code: 'clock-differs',
      object: 'clock',
      sentence: Number.isFinite(distance)
        ? `The database server's clock is ${(Math.abs(distance) / 1000).toFixed(1)} s ${distance < 0 ? 'behind' : 'ahead of'} this machine's; at most ${bound / 1000} s are allowed.`
        : 'The database server does not show its clock.',
      remedy: [],
    },
  ];
}
