import type { Clock } from '../../contracts/clock.ts';
import type { TenantId } from '../../contracts/identifiers.ts';
import type { StateStore } from '../../contracts/state.ts';
import { hashId } from '../state/hash.ts';
import type { Sealer } from '../state/seal.ts';

/** Milliseconds from being sent to the issuer to coming back. */
const SIGN_IN_MS = 10 * 60_000;

/** A sign-in, or a step-up, that is under way. */
export interface PendingSignIn {
  readonly tenant: TenantId;
  readonly issuerId: string;
  readonly state: string;
  readonly nonce: string;
  readonly verifier: string;
  readonly maxAge: number | undefined;
  /** Path and query of this host to go on to. Perhaps a record's, so it is sealed with the rest. */
  readonly returnTo: string;
  /** For step-up: id of the session that is to be renewed. */
  readonly session: string | undefined;
}

/**
 * Sign-ins under way, each bound to the browser that began it and good for one return (RFC 9700 §2.1). Kept by
 * the hash of `state`; all else is sealed.
 */
export class SignIns {
  readonly #store: StateStore;
  readonly #sealer: Sealer;
  readonly #clock: Clock;

  constructor(options: { store: StateStore; sealer: Sealer; clock: Clock }) {
    this.#store = options.store;
    this.#sealer = options.sealer;
    this.#clock = options.clock;
  }

  /** @param browser what only that browser's cookie holds. @throws ChartgateError `state-unavailable` */
  async keep(pending: PendingSignIn, browser: string): Promise<boolean> {
    const id = hashId(pending.state);
    const sealed = this.#sealer.seal(JSON.stringify({ ...pending, browser: hashId(browser) }), {
      kind: 'sign-in',
      id,
      field: 'sealed',
    });
    return this.#store.insert('sign-in', id, {
      body: { sealed },
      expiresAt: this.#clock.wall() + SIGN_IN_MS,
    });
  }

  /**
   * The sign-in that comes back with `state`, once. A browser, tenant or issuer that is not the one it was begun
   * by gets nothing, and neither does anybody after that. @throws ChartgateError `state-unavailable`
   */
  async take(
    state: string,
    by: { browser: string | undefined; tenant: TenantId; issuerId: string },
  ): Promise<PendingSignIn | undefined> {
    const id = hashId(state);
    const document = await this.#store.take('sign-in', id);
    const sealed = document?.body.sealed;
    if (typeof sealed !== 'string' || by.browser === undefined) return undefined;
    let read: PendingSignIn & { readonly browser: string };
    try {
      const text = this.#sealer.open(sealed, { kind: 'sign-in', id, field: 'sealed' }).toString('utf8');
      read = JSON.parse(text) as typeof read;
    } catch {
      // Sealed with a key that is gone: as if it had expired.
      return undefined;
    }
    // Hashes of random values: how long their comparison takes tells nothing.
    const fits =
      read.browser === hashId(by.browser) && read.tenant === by.tenant && read.issuerId === by.issuerId;
    return fits && read.state === state ? read : undefined;
  }
}
