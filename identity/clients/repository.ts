import type { JsonBody, StateOperation, StateStore } from '../../contracts/state.ts';
import { hashOf } from '../lengths.ts';
import { type Client, type ClientSecret, clientBody, clientOf, secretBody, secretOf } from './model.ts';

/** A client as it was read, for a change that must not overwrite another's. */
export interface ReadClient {
  readonly client: Client;
  readonly version: number;
}

/** Clients and what is kept of their secrets, in the state store. */
export class ClientRepository {
  readonly #store: StateStore;

  constructor(store: StateStore) {
    this.#store = store;
  }

  async read(clientId: string): Promise<ReadClient | undefined> {
    const document = await this.#store.get('client', clientId);
    return document === undefined ? undefined : { client: clientOf(document), version: document.version };
  }

  /** Newest first. */
  async secrets(clientId: string): Promise<readonly ClientSecret[]> {
    const documents = await this.#store.find('client-secret', 'client', clientId);
    return documents.map(secretOf).toSorted((a, b) => b.createdAt - a.createdAt || (a.id < b.id ? 1 : -1));
  }

  async all(tenant: string | undefined): Promise<readonly Client[]> {
    const clients: Client[] = [];
    let after: string | undefined;
    for (;;) {
      const options = { limit: 500, ...(after === undefined ? {} : { after }) };
      const page =
        tenant === undefined
          ? await this.#store.list('client', options)
          : await this.#store.find('client', 'tenant', tenant, options);
      clients.push(...page.map(clientOf));
      after = page.at(-1)?.id;
      if (page.length < options.limit || after === undefined) return clients;
    }
  }

  commit(operations: readonly StateOperation[]): Promise<boolean> {
    return this.#store.commit(operations);
  }

  /** The documents of secrets, with the versions that a change needs. */
  async secretVersions(clientId: string): Promise<ReadonlyMap<string, number>> {
    const documents = await this.#store.find('client-secret', 'client', clientId);
    return new Map(documents.map(({ id, version }) => [id, version]));
  }
}

export function insertClient(client: Client): StateOperation {
  const { clientId, tenant } = client;
  return {
    do: 'insert',
    kind: 'client',
    id: clientId,
    document: { body: clientBody(client), indexes: { tenant, clientId } },
  };
}

export function replaceClient(client: Client, version: number): StateOperation {
  const { clientId, tenant } = client;
  return {
    do: 'replace',
    kind: 'client',
    id: clientId,
    version,
    document: { body: clientBody(client), indexes: { tenant, clientId } },
  };
}

export function insertSecret(clientId: string, secret: ClientSecret): StateOperation {
  return {
    do: 'insert',
    kind: 'client-secret',
    id: secret.id,
    document: { body: secretBody(clientId, secret), indexes: { client: clientId } },
  };
}

export function replaceSecret(clientId: string, secret: ClientSecret, version: number): StateOperation {
  return {
    do: 'replace',
    kind: 'client-secret',
    id: secret.id,
    version,
    document: { body: secretBody(clientId, secret), indexes: { client: clientId } },
  };
}

/** Who did what to a client, kept beside it: no secret, no name. */
export function clientEvent(
  clientId: string,
  what: string,
  at: number,
  detail: JsonBody = {},
): StateOperation {
  return {
    do: 'insert',
    kind: 'client-event',
    id: hashOf('client-event', clientId, what, String(at), crypto.randomUUID()),
    document: { body: { client: clientId, what, at, ...detail }, indexes: { client: clientId } },
  };
}
