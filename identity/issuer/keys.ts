import { generateKeyPairSync, hash, randomBytes } from 'node:crypto';
import type { Clock } from '../../contracts/clock.ts';
import { ChartgateError } from '../../contracts/errors.ts';
import type { StateStore, StoredDocument } from '../../contracts/state.ts';
import type { Sealer } from '../state/seal.ts';

/** A P-256 private key as JWK (RFC 7518 §6.2). */
export interface SigningJwk {
  readonly kty: 'EC';
  readonly crv: 'P-256';
  readonly x: string;
  readonly y: string;
  readonly d: string;
  readonly alg: 'ES256';
  readonly use: 'sig';
  readonly kid: string;
}

/** Keys as they count at one moment. */
export interface KeySet {
  /** The first one signs; all are published. */
  readonly signing: readonly SigningJwk[];
  /** The first one signs cookies; all are believed. */
  readonly cookies: readonly string[];
  /** Wall-clock milliseconds from which on another key signs; undefined when none waits. */
  readonly changesAt: number | undefined;
  /** Equal for two sets exactly when they say the same. */
  readonly mark: string;
}

export interface RotateOptions {
  /** For how long a new key is published before it signs, milliseconds: longer than anybody keeps the key set. */
  readonly leadMs: number;
  /** For how long the old one is still published after that: longer than anything it signed lasts. */
  readonly keepMs: number;
  /** The old ones are known to somebody: nothing they signed counts any more, from this moment on. */
  readonly compromised?: boolean;
}

/** The gateway renews key sets after 5 minutes, and does not use one older than 60 (identity/key-set.ts). */
export const ROTATION: RotateOptions = Object.freeze({ leadMs: 15 * 60_000, keepMs: 24 * 3_600_000 });

const KIND = 'signing-key';
const PURPOSES = ['sign', 'cookie'] as const;
type Purpose = (typeof PURPOSES)[number];

interface Kept {
  readonly document: StoredDocument;
  readonly sequence: number;
  /** Wall-clock milliseconds. */
  readonly from: number;
  readonly secret: string;
}

/** The issuer's keys: made when there are none, sealed in the store, shared by all its processes. */
export class IssuerKeys {
  readonly #store: StateStore;
  readonly #sealer: Sealer;
  readonly #clock: Clock;

  constructor(store: StateStore, sealer: Sealer, clock: Clock) {
    this.#store = store;
    this.#sealer = sealer;
    this.#clock = clock;
  }

  /** @throws ChartgateError `state-unavailable`, `state-invalid` (another sealing key) */
  async load(): Promise<KeySet> {
    let signing = await this.#kept('sign');
    let cookies = await this.#kept('cookie');
    if (signing.length === 0 || cookies.length === 0) {
      // Of two processes that start together one makes the key; the other finds it.
      if (signing.length === 0) await this.#add('sign', 1, this.#clock.wall());
      if (cookies.length === 0) await this.#add('cookie', 1, this.#clock.wall());
      signing = await this.#kept('sign');
      cookies = await this.#kept('cookie');
    }
    const now = this.#clock.wall();
    const inForce = ordered(signing, now);
    return Object.freeze({
      signing: Object.freeze(inForce.map(({ secret }) => JSON.parse(secret) as SigningJwk)),
      cookies: Object.freeze(ordered(cookies, now).map(({ secret }) => secret)),
      changesAt: signing.map(({ from }) => from).find((from) => from > now),
      mark: [...inForce, ...ordered(cookies, now)].map(({ document }) => document.id).join(' '),
    });
  }

  /** @returns the new key's id, and when it begins to sign (wall-clock milliseconds) */
  async rotate(options: RotateOptions): Promise<{ readonly kid: string; readonly signsFrom: number }> {
    await this.load();
    const now = this.#clock.wall();
    const from = options.compromised === true ? now : now + options.leadMs;
    for (const purpose of PURPOSES) {
      const old = await this.#kept(purpose);
      if (purpose === 'sign' && old.some((key) => key.from > now) && options.compromised !== true) {
        throw new ChartgateError(
          'usage',
          'A new signing key is published already and has not begun to sign; wait until it has.',
        );
      }
      const last = Math.max(0, ...old.map(({ sequence }) => sequence));
      if (!(await this.#add(purpose, last + 1, from))) {
        throw new ChartgateError('usage', 'Another process is rotating the keys at this moment; look again.');
      }
      for (const { document } of old) {
        if (options.compromised === true) await this.#store.remove(KIND, document.id);
        else if (document.expiresAt === undefined) {
          const ends = { ...document, expiresAt: from + options.keepMs };
          await this.#store.replace(KIND, document.id, document.version, ends);
        }
      }
    }
    const [newest] = (await this.#kept('sign')).toReversed();
    if (newest === undefined) throw new ChartgateError('internal', 'The new signing key is not there.');
    return { kid: (JSON.parse(newest.secret) as SigningJwk).kid, signsFrom: from };
  }

  async #add(purpose: Purpose, sequence: number, from: number): Promise<boolean> {
    const id = idOf(purpose, sequence);
    const secret =
      purpose === 'sign' ? JSON.stringify(newSigningKey()) : randomBytes(32).toString('base64url');
    const sealed = this.#sealer.seal(secret, { kind: KIND, id, field: 'secret' });
    return this.#store.insert(KIND, id, { body: { purpose, from, sealed } });
  }

  /** In the order in which they were made. */
  async #kept(purpose: Purpose): Promise<readonly Kept[]> {
    const documents = await this.#store.list(KIND, { limit: 1000 });
    return documents.flatMap((document) => {
      const { purpose: written, from, sealed } = document.body;
      if (written !== purpose || typeof from !== 'number' || typeof sealed !== 'string') return [];
      const secret = this.#sealer.open(sealed, { kind: KIND, id: document.id, field: 'secret' }).toString();
      return [{ document, sequence: Number(document.id.split(':')[1]), from, secret }];
    });
  }
}

/** The newest that is in force first, then the older ones, then those that will come. */
function ordered(keys: readonly Kept[], now: number): readonly Kept[] {
  const begun = keys.filter(({ from }) => from <= now).toReversed();
  return [...begun, ...keys.filter(({ from }) => from > now)];
}

/** Ids sort as their numbers do. */
function idOf(purpose: Purpose, sequence: number): string {
  return `${purpose}:${String(sequence).padStart(8, '0')}`;
}

function newSigningKey(): SigningJwk {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const { x = '', y = '', d = '' } = privateKey.export({ format: 'jwk' });
  // RFC 7638: the key's id is its thumbprint, so that no two keys share one.
  const kid = hash('sha256', JSON.stringify({ crv: 'P-256', kty: 'EC', x, y }), 'base64url');
  return { kty: 'EC', crv: 'P-256', x, y, d, alg: 'ES256', use: 'sig', kid };
}
