import { setTimeout as pause } from 'node:timers/promises';
import { generateSync } from 'otplib';

const STEP_MS = 30_000;

/** The code of a time step (RFC 6238: six digits, SHA-1, 30 s), as an authenticator app shows it. */
export function codeAt(key: string, milliseconds: number): string {
  return generateSync({ secret: key, epoch: Math.floor(milliseconds / 1000) });
}

/** What somebody's authenticator app holds. Each code counts once, so it remembers which it has given. */
export class Authenticator {
  readonly key: string;
  #lastStep = 0;

  /** @param key as a page shows it: base 32, spaces do not matter */
  constructor(key: string) {
    this.key = key.replaceAll(' ', '');
  }

  /** A code that was not given before. Waits where there is none: one step behind or ahead is accepted. */
  async next(): Promise<string> {
    for (;;) {
      const now = Math.floor(Date.now() / STEP_MS);
      // The step behind is good only while this one lasts: not where it is about to end.
      const first = Date.now() % STEP_MS < STEP_MS - 5000 ? now - 1 : now;
      const step = Math.max(first, this.#lastStep + 1);
      if (step <= now + 1) {
        this.#lastStep = step;
        return codeAt(this.key, step * STEP_MS);
      }
      await pause(250);
    }
  }
}
