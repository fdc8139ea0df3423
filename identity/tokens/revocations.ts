import type { Clock } from '../../contracts/clock.ts';
import type { Revocation, RevocationKind } from '../../contracts/issuer-link.ts';

/** What a token can be revoked by. */
export interface TokenMarks {
  readonly subject: string;
  readonly tokenId: string | undefined;
  readonly grantId: string | undefined;
  /** Seconds since the epoch; undefined, where the token does not say, is before every revocation. */
  readonly issuedAt: number | undefined;
}

interface Revoked {
  readonly issuedBefore: number;
  readonly until: number;
}

/** Revocations remembered of one issuer; more are not an ordinary day. */
const MAX_REVOCATIONS = 100_000;

/**
 * What an issuer has revoked and could still be presented. Forgetting one would accept its token: when there are
 * too many, `full` says so, and whoever asks must ask the issuer instead.
 */
export class Revocations {
  readonly #clock: Clock;
  readonly #max: number;
  readonly #of: Readonly<Record<RevocationKind, Map<string, Revoked>>> = {
    token: new Map(),
    grant: new Map(),
    subject: new Map(),
    session: new Map(),
  };
  #size = 0;
  #full = false;

  constructor(clock: Clock, max: number = MAX_REVOCATIONS) {
    this.#clock = clock;
    this.#max = max;
  }

  get full(): boolean {
    return this.#full;
  }

  add({ kind, value, issuedBefore, until }: Revocation): void {
    const map = this.#of[kind];
    const before = map.get(value);
    if (before === undefined) {
      if (this.#size >= this.#max) this.#forgetOld();
      if (this.#size >= this.#max) {
        this.#full = true;
        return;
      }
      this.#size += 1;
    }
    // Told again, or in another order: whichever reaches further.
    map.set(value, {
      issuedBefore: Math.max(issuedBefore, before?.issuedBefore ?? 0),
      until: Math.max(until, before?.until ?? 0),
    });
  }

  denies({ subject, tokenId, grantId, issuedAt }: TokenMarks): boolean {
    if (this.#size === 0) return false;
    const { token, grant, subject: subjects } = this.#of;
    if (tokenId !== undefined && token.has(tokenId)) return true;
    if (grantId !== undefined && grant.has(grantId)) return true;
    const whole = subjects.get(subject);
    return whole !== undefined && (issuedAt ?? 0) <= whole.issuedBefore;
  }

  #forgetOld(): void {
    const now = this.#clock.wall() / 1000;
    for (const map of Object.values(this.#of)) {
      for (const [value, { until }] of map) {
        if (until > now) continue;
        map.delete(value);
        this.#size -= 1;
      }
    }
    this.#full = false;
  }
}
