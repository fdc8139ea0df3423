import type { Clock } from '../../contracts/clock.ts';
import { ChartgateError } from '../../contracts/errors.ts';
import type { TenantId } from '../../contracts/identifiers.ts';
import type { StateStore } from '../../contracts/state.ts';
import { hashId } from '../state/hash.ts';
import type { Sealer } from '../state/seal.ts';
import { newSecret } from './sessions.ts';

/** Bytes. */
export const HELD_FORM_LIMIT = 256 * 1024;
const HELD_MS = 15 * 60_000;

/** What browsers send forms as (HTML Living Standard, 4.10.22), but for plain text, which no program can read back. */
export const HELD_MEDIA_TYPES: ReadonlySet<string> = new Set([
  'application/x-www-form-urlencoded',
  'multipart/form-data',
]);

/** A form that was posted when the session had ended. */
export interface HeldForm {
  readonly tenant: TenantId;
  /** Route for which it was meant, and the path and query it was posted to. */
  readonly route: string;
  readonly target: string;
  readonly mediaType: string;
  /** With its parameters, such as the boundary between parts. */
  readonly contentType: string;
  readonly body: Buffer;
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
    await this.holdAs(secret, form);
    return secret;
  }

  /** Under a secret that the browser has already. @throws ChartgateError `state-unavailable` */
  async holdAs(secret: string, form: HeldForm): Promise<void> {
    const id = hashId(secret);
    const text = JSON.stringify({ ...form, body: form.body.toString('base64') });
    const sealed = this.#sealer.seal(text, { kind: 'held-form', id, field: 'sealed' });
    const expiresAt = this.#clock.wall() + HELD_MS;
    if (!(await this.#store.insert('held-form', id, { body: { sealed }, expiresAt })))
      throw new ChartgateError('state-unavailable', 'a form is kept under this secret already');
  }

  /** The form for the person who filled it in. It stays until it is dropped. @throws ChartgateError `state-unavailable` */
  async find(secret: string, by: { tenant: TenantId; who: string }): Promise<HeldForm | undefined> {
    const id = hashId(secret);
    const sealed = (await this.#store.get('held-form', id))?.body.sealed;
    if (typeof sealed !== 'string') return undefined;
    try {
      const text = this.#sealer.open(sealed, { kind: 'held-form', id, field: 'sealed' }).toString('utf8');
      const kept = JSON.parse(text) as Omit<HeldForm, 'body'> & { readonly body: string };
      if (kept.tenant !== by.tenant || kept.who !== by.who) return undefined;
      return { ...kept, body: Buffer.from(kept.body, 'base64') };
    } catch {
      return undefined;
    }
  }

  /** @returns whether it was there: of several at once, one alone gets true */
  async drop(secret: string): Promise<boolean> {
    return this.#store.remove('held-form', hashId(secret));
  }
}
