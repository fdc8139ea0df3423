import { LRUCache } from 'lru-cache';
import type { Clock } from '../../contracts/clock.ts';
import type { StateStore } from '../../contracts/state.ts';
import { type Attempts, createAttempts, sourceOf } from '../attempts.ts';
import { hashOf } from '../lengths.ts';
import { isChosen, nobodysHash } from './chosen.ts';
import { isAllowedAddress } from './inputs.ts';
import type { Client, ClientSecret } from './model.ts';
import { ClientRepository } from './repository.ts';
import { isClientId, looksRandom, matchRandom } from './secrets.ts';

/** Why a client was refused: for our own log only; outside all look alike. */
export const CLIENT_REFUSALS = [
  'unknown',
  'inactive',
  'method',
  'wrong-secret',
  'expired',
  'address',
  'tenant',
  'locked',
  'busy',
] as const;
export type ClientRefusal = (typeof CLIENT_REFUSALS)[number];

export type ClientVerdict =
  /** `expiresAt`: when the secret that was shown ends, wall-clock milliseconds. */
  | { readonly ok: true; readonly client: Client; readonly expiresAt: number }
  | { readonly ok: false; readonly why: ClientRefusal };

/** Milliseconds for which what was read of a client is believed: how late a deactivation may work in another process. */
export const BELIEVED_MS = 1000;
const MAX_CLIENTS = 1000;
/** Secrets that may be good at the same time; a chosen one costs as many computations, whoever shows it. */
const MOST_LIVE = 2;
/** Chosen secrets that are computed at the same time; beyond, the answer is "busy". */
const MOST_COMPUTED = 4;

interface Known {
  readonly client: Client | undefined;
  readonly secrets: readonly ClientSecret[];
  readonly until: number;
}

const refused = (why: ClientRefusal): ClientVerdict => Object.freeze({ ok: false, why });

/** Judges what API clients show. Rejects with `state-unavailable` alone; then nobody may be let in. */
export class ClientVerifier {
  readonly #repository: ClientRepository;
  readonly #clock: Clock;
  readonly #attempts: Attempts;
  readonly #known = new LRUCache<string, Promise<Known>>({ max: MAX_CLIENTS });
  /** Chosen secrets that were found right: a hash of what was shown and of what is kept. */
  readonly #right = new LRUCache<string, true>({ max: MAX_CLIENTS, ttl: 600_000 });
  #computing = 0;

  constructor(store: StateStore, clock: Clock) {
    this.#repository = new ClientRepository(store);
    this.#clock = clock;
    this.#attempts = createAttempts({ store, clock, purpose: 'client-secret' });
  }

  /** The client, if it may do anything at present. */
  async find(clientId: string): Promise<Client | undefined> {
    const { client } = await this.#read(clientId);
    return client?.active === true ? client : undefined;
  }

  /**
   * Whether this is a secret of the client. The steps are the same whether or not there is such a client.
   * @param peer the client's address, to hold against those it may call from
   */
  async verifySecret(clientId: string, secret: string, peer: string): Promise<ClientVerdict> {
    const known = isClientId(clientId) ? await this.#read(clientId) : NOBODY;
    const now = this.#clock.wall();
    const matched = looksRandom(secret)
      ? matchRandom(secret, known.secrets)
      : await this.#matchChosen(clientId, secret, known.secrets, peer);
    if (matched === 'locked' || matched === 'busy') return refused(matched);
    const { client } = known;
    if (client === undefined) return refused('unknown');
    if (client.method !== 'secret') return refused('method');
    if (matched === undefined) return refused('wrong-secret');
    if (matched.expiresAt <= now) return refused('expired');
    if (!client.active) return refused('inactive');
    if (!isAllowedAddress(client.addresses, peer)) return refused('address');
    return Object.freeze({ ok: true, client, expiresAt: matched.expiresAt });
  }

  async #matchChosen(
    clientId: string,
    secret: string,
    secrets: readonly ClientSecret[],
    peer: string,
  ): Promise<ClientSecret | undefined | 'locked' | 'busy'> {
    const chosen = secrets.filter(({ kind }) => kind === 'chosen').slice(0, MOST_LIVE);
    const keyOf = ({ id, hash }: ClientSecret) => hashOf('chosen', id, hash, secret);
    const remembered = chosen.find((candidate) => this.#right.get(keyOf(candidate)) === true);
    if (remembered !== undefined) return remembered;
    if (this.#computing >= MOST_COMPUTED) return 'busy';
    this.#computing += 1;
    try {
      const attempt = await this.#attempts.reserve({
        account: clientId.slice(0, 64),
        source: sourceOf(peer),
      });
      if (!attempt.ok) return 'locked';
      let found: ClientSecret | undefined;
      for (let at = 0; at < MOST_LIVE; at += 1) {
        const candidate = chosen[at];
        if ((await isChosen(secret, candidate?.hash ?? nobodysHash())) && candidate !== undefined)
          found ??= candidate;
      }
      if (found === undefined) return undefined;
      this.#right.set(keyOf(found), true);
      await attempt.succeeded();
      return found;
    } finally {
      this.#computing -= 1;
    }
  }

  #read(clientId: string): Promise<Known> {
    const now = this.#clock.monotonic();
    const before = this.#known.get(clientId);
    const reading = (before ?? this.#load(clientId)).then((known) =>
      known.until > now ? known : this.#load(clientId),
    );
    // One read for all who ask at the same moment; one that failed is not kept.
    this.#known.set(clientId, reading);
    reading.catch(() => this.#known.delete(clientId));
    return reading;
  }

  async #load(clientId: string): Promise<Known> {
    const until = this.#clock.monotonic() + BELIEVED_MS;
    const [read, secrets] = await Promise.all([
      this.#repository.read(clientId),
      this.#repository.secrets(clientId),
    ]);
    return { client: read?.client, secrets, until };
  }
}

const NOBODY: Known = Object.freeze({ client: undefined, secrets: [], until: 0 });
