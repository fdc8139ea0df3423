import type { Clock } from '../../contracts/clock.ts';
import type { TenantId } from '../../contracts/identifiers.ts';
import type { StateStore } from '../../contracts/state.ts';
import { hashId } from '../state/hash.ts';
import type { Sealer } from '../state/seal.ts';
import { newSecret } from './sessions.ts';

/** Bytes. */
export const HELD_FORM_LIMIT = 256 * 1024;
const HELD_MS = 15 * 60_000;

/** A form that was posted when the session had ended. */
export interface HeldForm {
  readonly tenant: TenantId;
  /** Route for which it was meant, and the path and query it was posted to. */
  readonly route: string;
  readonly target: string;
  readonly mediaType: string;
  readonly body: string;
  /** Who filled it in, as the browser's cookie has it: nobody else is to send it on. */
  readonly who: string;
}

/**
 * Forms that wait for somebody to sign in again. What was entered is a patient's: it is sealed, opened only by a
 * secret that the one browser holds, and gone after a quarter of an hour.
 */
export class HeldForms {
  readonly #store: StateStore;
  readonly #sealer: Sealer;
  readonly #clock: Clock;

  constructor(options: { store: StateStore; sealer: Sealer; clock: Clock }) {
    this.#store = options.store;
    this.#sealer = options.sealer;
    this.#clock = options.clock;
  }

  /** @returns the secret for the cookie. @throws ChartgateError `state-unavailable` */
  async hold(form: HeldForm): Promise<string> {
    const secret = newSecret();
    const id = hashId(secret);
    const sealed = this.#sealer.seal(JSON.stringify(form), { kind: 'held-form', id, field: 'sealed' });
    await this.#store.insert('held-form', id, { body: { sealed }, expiresAt: this.#clock.wall() + HELD_MS });
    return secret;
  }

  /** The form for the person who filled it in. It stays until it is dropped. @throws ChartgateError `state-unavailable` */
  async find(secret: string, by: { tenant: TenantId; who: string }): Promise<HeldForm | undefined> {
    const id = hashId(secret);
    const sealed = (await this.#store.get('held-form', id))?.body.sealed;
    if (typeof sealed !== 'string') return undefined;
    try {
      const text = this.#sealer.open(sealed, { kind: 'held-form', id, field: 'sealed' }).toString('utf8');
      const form = JSON.parse(text) as HeldForm;
      return form.tenant === by.tenant && form.who === by.who ? form : undefined;
    } catch {
      return undefined;
    }
  }

  async drop(secret: string): Promise<void> {
    await this.#store.remove('held-form', hashId(secret));
  }
}
