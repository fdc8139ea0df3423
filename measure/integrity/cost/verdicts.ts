import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { systemClock } from '../../../contracts/clock.ts';
import type { DatabaseId } from '../../../contracts/identifiers.ts';
import type { Secret } from '../../../contracts/secret.ts';
import { createOracle } from '../../../gateway/integrity/oracle.ts';
import type { Bench } from '../bench.ts';
import { quantile } from '../parts.ts';

/** What a verdict takes when nothing else is asked of the machine: no client, no proxying, no EMR. */
export interface Verdicts {
  readonly perSecond: number;
  /** Milliseconds. */
  readonly p50: number;
  readonly p99: number;
  readonly notIntact: number;
}

const STRICT = { mode: 'strict' } as const;
/** Longest sleep between two looks at the clock: Node's timers are too coarse for random instants. */
const NAP_MS = 0.1;

/** Asks the checker through the gateway's own client, at random instants, `perSecond` times a second. */
export async function verdictTimes(bench: Bench, perSecond: number, seconds: number): Promise<Verdicts> {
  const { layout } = bench.stack;
  const database = 'north' as DatabaseId;
  const oracle = createOracle({
    socket: layout.socket,
    secret: secretIn(join(layout.gateway, 'attestation.secret')),
    timeoutMs: 1_000,
    databases: [database],
    clock: systemClock,
  });
  const times: number[] = [];
  let notIntact = 0;
  const ask = async (): Promise<void> => {
    const since = systemClock.monotonic();
    const { state } = await oracle.attest(database, STRICT, since);
    times.push(systemClock.monotonic() - since);
    if (state !== 'intact') notIntact += 1;
  };
  try {
    while ((await oracle.attest(database, STRICT, systemClock.monotonic())).state !== 'intact') {
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    await atRandom(perSecond, seconds, ask);
    return {
      perSecond: times.length / seconds,
      p50: quantile(times, 0.5),
      p99: quantile(times, 0.99),
      notIntact,
    };
  } finally {
    await oracle.close();
  }
}

/** A Poisson process. Resolves when all that was begun has ended. */
async function atRandom(perSecond: number, seconds: number, act: () => Promise<void>): Promise<void> {
  const cell = new Int32Array(new SharedArrayBuffer(4));
  const begun: Promise<void>[] = [];
  const end = performance.now() + seconds * 1_000;
  let due = performance.now();
  while (performance.now() < end) {
    while (due <= performance.now()) {
      begun.push(act());
      due += (-Math.log(1 - Math.random()) * 1_000) / perSecond;
    }
    Atomics.wait(cell, 0, 0, Math.max(0, Math.min(NAP_MS, due - performance.now())));
    await new Promise((resolve) => setImmediate(resolve));
  }
  await Promise.all(begun);
}

function secretIn(file: string): Secret {
  const bytes = Buffer.from(readFileSync(file, 'latin1').replace(/\n$/, ''), 'latin1');
  return { reveal: () => Buffer.from(bytes), toString: () => '[secret]', toJSON: () => '[secret]' };
}
