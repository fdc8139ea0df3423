import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { generateSync } from 'otplib';
import { type Clock, systemClock } from '../../../contracts/clock.ts';
import type { Secret } from '../../../contracts/secret.ts';
import type { StateStore } from '../../../contracts/state.ts';
import type { AttemptLimits } from '../../../identity/attempts.ts';
import { createFactors, type Factors, factorPrincipal } from '../../../identity/factors/index.ts';
import { createSealer, openState, type Sealer } from '../../../identity/state/index.ts';

/** The system's clock, which a test may move where minutes would pass. */
export interface MovableClock extends Clock {
  move(milliseconds: number): void;
}

export function movableClock(): MovableClock {
  let offset = 0;
  return {
    wall: () => systemClock.wall() + offset,
    monotonic: () => systemClock.monotonic() + offset,
    move: (milliseconds) => {
      offset += milliseconds;
    },
  };
}

export const secretOf = (bytes: Buffer): Secret => ({ reveal: () => bytes }) as unknown as Secret;

export interface Rig {
  readonly folder: string;
  readonly file: string;
  readonly clock: MovableClock;
  readonly store: StateStore;
  readonly sealer: Sealer;
  readonly factors: Factors;
  close(): Promise<void>;
}

/** A real store in a folder of its own, and factors over it. */
export async function openRig(limits?: AttemptLimits, clock: MovableClock = movableClock()): Promise<Rig> {
  const folder = mkdtempSync(join(tmpdir(), 'chartgate-factors-'));
  const file = join(folder, 'state.sqlite');
  settle(clock);
  const store = await openState({ kind: 'sqlite', file }, clock);
  const sealer = createSealer(secretOf(randomBytes(32)));
  const factors = createFactors({ store, sealer, clock, ...(limits === undefined ? {} : { limits }) });
  return {
    folder,
    file,
    clock,
    store,
    sealer,
    factors,
    close: async () => {
      await store.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

let people = 0;
/** Somebody new each time. */
export function somebody(): string {
  people += 1;
  return factorPrincipal('https://id.clinic.example', `person-${people}`);
}

/** What an authenticator app shows for a typed key at a moment. */
export const codeAt = (key: string, milliseconds: number): string =>
  generateSync({ secret: key.replaceAll(' ', ''), epoch: Math.floor(milliseconds / 1000) });

/** A code that is none of the present step and its neighbours. */
export function wrongCode(key: string, milliseconds: number): string {
  const good = new Set([-60_000, -30_000, 0, 30_000, 60_000].map((ms) => codeAt(key, milliseconds + ms)));
  let code = 0;
  while (good.has(String(code).padStart(6, '0'))) code += 1;
  return String(code).padStart(6, '0');
}

export const BROWSER = 'session-of-a-browser';
export const SOURCE = '192.0.2.10';
export const LABELS = { issuerLabel: 'Example Clinic', accountLabel: 'reception' };

/** To five seconds after the beginning of the next time step: a test that takes seconds stays within it. */
export function settle(clock: MovableClock): void {
  clock.move(35_000 - (clock.wall() % 30_000));
}

export interface Enrolled {
  readonly principal: string;
  readonly key: string;
  readonly recoveryCodes: readonly string[];
}

/** Enrols somebody, and moves the clock on until the code of the enrolment is not in the way any more. */
export async function enrol(rig: Rig, principal: string = somebody()): Promise<Enrolled> {
  const begun = await rig.factors.beginTotp({ principal, binding: BROWSER, ...LABELS });
  if (!begun.ok) throw new Error(`enrolment refused: ${begun.why}`);
  const confirmed = await rig.factors.confirmTotp({
    principal,
    binding: BROWSER,
    code: codeAt(begun.key, rig.clock.wall()),
    source: SOURCE,
  });
  if (!confirmed.ok) throw new Error(`confirmation refused: ${confirmed.why}`);
  rig.clock.move(61_000);
  settle(rig.clock);
  return { principal, key: begun.key, recoveryCodes: confirmed.recoveryCodes ?? [] };
}
