import { hash } from 'node:crypto';

/**
 * A part that outlives a configuration while the settings it was made from stay the same, so that a reload
 * loses no key set, no counter of a limit and no connection to the checker. Closed when the last
 * configuration that uses it is put away.
 */
export class Kept<T> {
  readonly value: T;
  readonly #made: string;
  readonly #close: (value: T) => unknown;
  #users = 1;

  constructor(value: T, settings: unknown, close: (value: T) => unknown) {
    this.value = value;
    this.#made = fingerprint(settings);
    this.#close = close;
  }

  /** `former` once more, when it was made from these settings; otherwise a new one. */
  static from<T>(
    former: Kept<T> | undefined,
    settings: unknown,
    make: () => T,
    close: (value: T) => unknown,
  ): Kept<T> {
    if (former === undefined || former.#users === 0 || former.#made !== fingerprint(settings)) {
      return new Kept(make(), settings, close);
    }
    former.#users += 1;
    return former;
  }

  /** Once more, unless nobody uses it any more; for whoever knows that nothing it was made from has changed. */
  again(): this | undefined {
    if (this.#users === 0) return undefined;
    this.#users += 1;
    return this;
  }

  async release(): Promise<void> {
    if (this.#users === 0) return;
    this.#users -= 1;
    if (this.#users === 0) await this.#close(this.value);
  }
}

/** Equal for equal settings, secrets included, of which it shows nothing. */
function fingerprint(settings: unknown): string {
  const text = JSON.stringify(
    settings,
    function (this: Record<string, unknown>, key: string, value: unknown) {
      // A secret's own `toJSON` has been applied to `value` already; the object itself is what is compared.
      const original = this[key];
      if (typeof original === 'object' && original !== null && 'reveal' in original) {
        return hash('sha256', (original as { reveal(): Buffer }).reveal(), 'hex');
      }
      return value;
    },
  );
  return hash('sha256', text, 'hex');
}
