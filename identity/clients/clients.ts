import { randomUUID } from 'node:crypto';
import type { Clock } from '../../contracts/clock.ts';
import { ChartgateError } from '../../contracts/errors.ts';
import type { JsonBody, StateOperation, StateStore } from '../../contracts/state.ts';
import { revoking } from '../issuer/revocations.ts';
import { hashChosen, isChosen } from './chosen.ts';
import {
  addressesInput,
  certificateInput,
  durationInput,
  keysInput,
  nameInput,
  scopesInput,
  tenantInput,
} from './inputs.ts';
import type { Client, ClientCertificate, ClientSecret, ShownClient } from './model.ts';
import {
  ClientRepository,
  clientEvent,
  insertClient,
  insertSecret,
  type ReadClient,
  replaceClient,
  replaceSecret,
} from './repository.ts';
import { looksRandom, newClientId, newSecret, randomHash, SECRET_PREFIX } from './secrets.ts';
import { BELIEVED_MS } from './verify.ts';

const DAY_MS = 86_400_000;
/** How long a secret is good, unless less is asked for. */
export const SECRET_LIFE_MS: number = 90 * DAY_MS;
/** How long the old secret stays good beside the new one, unless told. */
export const OVERLAP_MS: number = DAY_MS;
const MOST_OVERLAP_MS = 14 * DAY_MS;
/** No access token of the embedded issuer lives longer. */
const LONGEST_TOKEN_SECONDS = 3600;
/** Secrets that may not come back. */
const REMEMBERED = 5;

export interface NewClient {
  readonly tenant: string;
  readonly name: string;
  readonly scopes: readonly string[];
  readonly addresses?: readonly string[] | undefined;
  /** Exactly one, or none for a random secret: a secret that a person chose, public keys, or a certificate. */
  readonly chosen?: string | undefined;
  readonly keys?: readonly JsonBody[] | undefined;
  readonly certificate?: ClientCertificate | undefined;
  /** Milliseconds for which the secret is good; at most 90 days. */
  readonly lifeMs?: number | undefined;
}

export interface ClientChanges {
  readonly name?: string | undefined;
  readonly scopes?: readonly string[] | undefined;
  readonly addresses?: readonly string[] | undefined;
  readonly keys?: readonly JsonBody[] | undefined;
  readonly certificate?: ClientCertificate | undefined;
}

export interface Rotation {
  readonly chosen?: string | undefined;
  readonly lifeMs?: number | undefined;
  /** Milliseconds for which what was good before stays good; 0: it ends now. */
  readonly overlapMs?: number | undefined;
}

/** A client, and its secret, which is told once and kept nowhere. */
export interface Issued {
  readonly client: ShownClient;
  /** Undefined where the client chose it, or has none. */
  readonly secret: string | undefined;
}

/** What is wrong with a secret that a person chose; none when it is strong enough. */
export type StrengthRule = (secret: string, names: readonly string[]) => Promise<readonly string[]>;

/**
 * Managing API clients. Every method rejects with `usage` for input that cannot be, and `state-unavailable`;
 * nothing is changed then.
 */
export class Clients {
  readonly #repository: ClientRepository;
  readonly #clock: Clock;
  readonly #strength: StrengthRule | undefined;

  /** @param strength undefined: no secret may be chosen */
  constructor(store: StateStore, clock: Clock, strength?: StrengthRule) {
    this.#repository = new ClientRepository(store);
    this.#clock = clock;
    this.#strength = strength;
  }

  async create(wanted: NewClient): Promise<Issued> {
    const keys = keysInput(wanted.keys ?? []);
    const { certificate, chosen } = wanted;
    if ([keys.length > 0, certificate !== undefined, chosen !== undefined].filter(Boolean).length > 1)
      throw new ChartgateError('usage', 'a client has a secret, keys or a certificate: give one of them');
    const now = this.#clock.wall();
    const client: Client = {
      clientId: newClientId(),
      tenant: tenantInput(wanted.tenant),
      name: nameInput(wanted.name),
      method: keys.length > 0 ? 'private-key' : certificate === undefined ? 'secret' : 'certificate',
      scopes: scopesInput(wanted.scopes),
      addresses: addressesInput(wanted.addresses ?? []),
      active: true,
      keys,
      certificate: certificate === undefined ? undefined : certificateInput(certificate),
      createdAt: now,
      changedAt: now,
    };
    const made = client.method === 'secret' ? await this.#newSecret(client, wanted, []) : undefined;
    await this.#commit([
      insertClient(client),
      ...(made === undefined ? [] : [insertSecret(client.clientId, made.kept)]),
      clientEvent(client.clientId, 'created', now, { method: client.method }),
    ]);
    return { client: await this.show(client.clientId), secret: made?.told };
  }

  async list(tenant?: string): Promise<readonly ShownClient[]> {
    const clients = await this.#repository.all(tenant === undefined ? undefined : tenantInput(tenant));
    return Promise.all(clients.map((client) => this.#shown(client)));
  }

  async show(clientId: string): Promise<ShownClient> {
    return this.#shown((await this.#read(clientId)).client);
  }

  /** Where it may less than before, or proves itself by something else, the tokens that it has end. */
  async update(clientId: string, changes: ClientChanges): Promise<ShownClient> {
    const { client, version } = await this.#read(clientId);
    if (changes.keys !== undefined && client.method !== 'private-key')
      throw new ChartgateError(
        'usage',
        'this client has no keys; make a new client for another way to prove itself',
      );
    if (changes.certificate !== undefined && client.method !== 'certificate')
      throw new ChartgateError(
        'usage',
        'this client has no certificate; make a new client for another way to prove itself',
      );
    const keys = changes.keys === undefined ? client.keys : keysInput(changes.keys);
    if (client.method === 'private-key' && keys.length === 0)
      throw new ChartgateError('usage', 'a client that proves itself by a key needs one');
    const next: Client = {
      ...client,
      name: changes.name === undefined ? client.name : nameInput(changes.name),
      scopes: changes.scopes === undefined ? client.scopes : scopesInput(changes.scopes),
      addresses: changes.addresses === undefined ? client.addresses : addressesInput(changes.addresses),
      keys,
      certificate:
        changes.certificate === undefined ? client.certificate : certificateInput(changes.certificate),
      changedAt: this.#clock.wall(),
    };
    const changed = Object.keys(changes).filter((key) => changes[key as keyof ClientChanges] !== undefined);
    await this.#commit([
      replaceClient(next, version),
      clientEvent(clientId, 'updated', next.changedAt, { changed }),
      ...(losesSomething(client, next) ? [endTokens(clientId, next.changedAt)] : []),
    ]);
    return this.show(clientId);
  }

  /**
   * A new secret. What was good before stays so for the overlap, and no longer; without an overlap the tokens that were
   * got by it end too.
   */
  async rotate(clientId: string, rotation: Rotation = {}): Promise<Issued> {
    const { client } = await this.#read(clientId);
    if (client.method !== 'secret')
      throw new ChartgateError(
        'usage',
        'this client has no secret; give its new keys or certificate with "update"',
      );
    const overlap = durationInput(rotation.overlapMs ?? OVERLAP_MS, 0, MOST_OVERLAP_MS, 'the overlap');
    const [secrets, versions] = await Promise.all([
      this.#repository.secrets(clientId),
      this.#repository.secretVersions(clientId),
    ]);
    const made = await this.#newSecret(client, rotation, secrets);
    const now = this.#clock.wall();
    const ends: StateOperation[] = [];
    // Of several that are good, only the newest goes on beside the new one: two at a time, never three.
    const live = secrets.filter(({ expiresAt }) => expiresAt > now);
    for (const [index, secret] of live.entries()) {
      const expiresAt = Math.min(secret.expiresAt, index === 0 ? now + overlap : now);
      const version = versions.get(secret.id);
      if (version !== undefined && expiresAt < secret.expiresAt)
        ends.push(replaceSecret(clientId, { ...secret, expiresAt }, version));
    }
    const forgotten = secrets.slice(REMEMBERED - 1).filter(({ expiresAt }) => expiresAt <= now);
    for (const { id } of forgotten) {
      const version = versions.get(id);
      if (version !== undefined) ends.push({ do: 'remove', kind: 'client-secret', id, version });
    }
    await this.#commit([
      insertSecret(clientId, made.kept),
      ...ends,
      clientEvent(clientId, 'rotated', now, { overlapMs: overlap, chosen: made.kept.kind === 'chosen' }),
      ...(overlap === 0 ? [endTokens(clientId, now)] : []),
    ]);
    return { client: await this.show(clientId), secret: made.told };
  }

  async setActive(clientId: string, active: boolean): Promise<ShownClient> {
    const { client, version } = await this.#read(clientId);
    if (client.active !== active) {
      const changedAt = this.#clock.wall();
      await this.#commit([
        replaceClient({ ...client, active, changedAt }, version),
        clientEvent(clientId, active ? 'activated' : 'deactivated', changedAt),
        ...(active ? [] : [endTokens(clientId, changedAt)]),
      ]);
    }
    return this.show(clientId);
  }

  async #newSecret(
    client: Client,
    wanted: Pick<NewClient, 'chosen' | 'lifeMs'>,
    earlier: readonly ClientSecret[],
  ): Promise<{ readonly told: string | undefined; readonly kept: ClientSecret }> {
    const lifeMs = durationInput(
      wanted.lifeMs ?? SECRET_LIFE_MS,
      DAY_MS,
      SECRET_LIFE_MS,
      'the life of a secret',
    );
    const createdAt = this.#clock.wall();
    const dates = { id: randomUUID(), createdAt, expiresAt: createdAt + lifeMs };
    const { chosen } = wanted;
    if (chosen === undefined) {
      const told = newSecret();
      return { told, kept: { ...dates, kind: 'random', hash: randomHash(told) } };
    }
    if (this.#strength === undefined) throw new ChartgateError('usage', 'secrets cannot be chosen here');
    if (looksRandom(chosen) || chosen.startsWith(SECRET_PREFIX))
      throw new ChartgateError('usage', `a chosen secret must not begin with ${SECRET_PREFIX}`);
    const faults = await this.#strength(chosen, [client.name, client.tenant, client.clientId]);
    if (faults.length > 0)
      throw new ChartgateError('usage', `the chosen secret is not strong enough: ${faults.join(', ')}`);
    for (const secret of earlier.slice(0, REMEMBERED)) {
      if (secret.kind === 'chosen' && (await isChosen(chosen, secret.hash)))
        throw new ChartgateError(
          'usage',
          `the chosen secret is one of the last ${REMEMBERED}; choose another`,
        );
    }
    return { told: undefined, kept: { ...dates, kind: 'chosen', hash: await hashChosen(chosen) } };
  }

  async #read(clientId: string): Promise<ReadClient> {
    const read = await this.#repository.read(clientId);
    if (read === undefined) throw new ChartgateError('usage', 'there is no client with this id');
    return read;
  }

  async #shown(client: Client): Promise<ShownClient> {
    const secrets = await this.#repository.secrets(client.clientId);
    return { ...client, secrets: secrets.map(({ hash: _, ...secret }) => secret) };
  }

  async #commit(operations: readonly StateOperation[]): Promise<void> {
    if (!(await this.#repository.commit(operations)))
      throw new ChartgateError(
        'state-invalid',
        'somebody else changed this client at the same moment; try again',
      );
  }
}

/** Whether a token that the client has may say more than one that it gets from now on, or may be somebody else's. */
function losesSomething(before: Client, after: Client): boolean {
  const known = (list: readonly JsonBody[]) => new Set(list.map((key) => JSON.stringify(key)));
  const keys = known(after.keys);
  const { certificate: was } = before;
  const { certificate: is } = after;
  return (
    before.scopes.some((scope) => !after.scopes.includes(scope)) ||
    (after.addresses.length > 0 &&
      (before.addresses.length === 0 ||
        before.addresses.some((address) => !after.addresses.includes(address)))) ||
    [...known(before.keys)].some((key) => !keys.has(key)) ||
    was?.by !== is?.by ||
    was?.value !== is?.value
  );
}

/**
 * Tokens that the client got before now end too: gateways follow these (the issuer's revocation feed). And those of
 * the next second, for which an issuer may believe what it read of the client before.
 */
function endTokens(clientId: string, now: number): StateOperation {
  const seconds = Math.floor((now + BELIEVED_MS) / 1000);
  return revoking(now, {
    kind: 'subject',
    value: clientId,
    issuedBefore: seconds,
    until: seconds + LONGEST_TOKEN_SECONDS,
  });
}
