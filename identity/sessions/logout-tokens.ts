import type { StateStore } from '../../contracts/state.ts';
import { hashOf } from '../lengths.ts';

/** Logout tokens that were used: each counts once (OpenID Connect Back-Channel Logout 1.0 §2.6). */
export class LogoutTokens {
  readonly #store: StateStore;

  constructor(store: StateStore) {
    this.#store = store;
  }

  /**
   * @param until wall-clock milliseconds until which the token could be shown again
   * @returns true for the first only, of however many at once. @throws ChartgateError `state-unavailable`
   */
  claim(issuer: string, tokenId: string, until: number): Promise<boolean> {
    return this.#store.insert('logout-token', hashOf(issuer, tokenId), { body: {}, expiresAt: until });
  }
}
