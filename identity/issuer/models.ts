import type { Clock } from '../../contracts/clock.ts';
import { ChartgateError } from '../../contracts/errors.ts';
import type { JsonBody, NewDocument, StateStore, StoredDocument } from '../../contracts/state.ts';
import { hashOf } from '../lengths.ts';
import type { Sealer } from '../state/seal.ts';

/** What is kept under one name: plain JSON. */
export type Payload = Readonly<Record<string, unknown>>;

export interface Found {
  /** What `removeFound` takes. */
  readonly name: string;
  readonly payload: Payload;
  /** Seconds; set once by `consume`. */
  readonly consumed: number | undefined;
}

/** Values that the documents of a model are found by; each is kept as a hash. */
export interface Links {
  readonly grant?: string | undefined;
  readonly uid?: string | undefined;
  readonly account?: string | undefined;
}

const KIND = 'issuer-model';
/** How often a change is tried again when somebody else changed the same document. */
const ATTEMPTS = 8;
const PAGE = 500;

/**
 * Everything the issuer remembers between two requests: sessions, grants, codes, refresh tokens, interactions.
 * A name is kept as a hash and what is under it is sealed, so that a dump of the store holds nothing to sign in with.
 */
export class Models {
  readonly #store: StateStore;
  readonly #sealer: Sealer;
  readonly #clock: Clock;

  constructor(store: StateStore, sealer: Sealer, clock: Clock) {
    this.#store = store;
    this.#sealer = sealer;
    this.#clock = clock;
  }

  /**
   * Keeps or replaces, or only replaces. @param seconds until it is forgotten. @throws ChartgateError `state-unavailable`
   */
  async put(
    model: string,
    name: string,
    payload: Payload,
    seconds: number,
    links: Links = {},
    where: 'anywhere' | 'there already' = 'anywhere',
  ): Promise<void> {
    const id = hashOf(model, name);
    const document = this.#document(model, id, { payload }, this.#clock.wall() + seconds * 1000, links);
    for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
      const known = await this.#store.get(KIND, id);
      if (known === undefined && where === 'there already') return;
      const kept =
        known === undefined
          ? await this.#store.insert(KIND, id, document)
          : await this.#store.replace(KIND, id, known.version, document);
      if (kept) return;
    }
    throw new ChartgateError(
      'state-unavailable',
      'A document of the issuer changes faster than it can be kept.',
    );
  }

  /** False where the name is taken: of many at once exactly one gets true. */
  async add(
    model: string,
    name: string,
    payload: Payload,
    seconds: number,
    links: Links = {},
  ): Promise<boolean> {
    const id = hashOf(model, name);
    return this.#store.insert(
      KIND,
      id,
      this.#document(model, id, { payload }, this.#clock.wall() + seconds * 1000, links),
    );
  }

  async get(model: string, name: string): Promise<Found | undefined> {
    const document = await this.#store.get(KIND, hashOf(model, name));
    return document === undefined ? undefined : this.#open(document);
  }

  /** Finds and removes in one: of many at once exactly one gets it. */
  async take(model: string, name: string): Promise<Payload | undefined> {
    const document = await this.#store.take(KIND, hashOf(model, name));
    return document === undefined ? undefined : this.#open(document).payload;
  }

  /** Marks as used. False when it is gone or was used before: of many at once exactly one gets true. */
  async consume(model: string, name: string): Promise<boolean> {
    const id = hashOf(model, name);
    const document = await this.#store.get(KIND, id);
    if (document === undefined) return false;
    const { payload, consumed } = this.#open(document);
    if (consumed !== undefined) return false;
    const used = { payload, consumed: Math.floor(this.#clock.wall() / 1000) };
    const sealed = this.#seal(id, used);
    return this.#store.replace(KIND, id, document.version, { ...document, body: sealed });
  }

  async remove(model: string, name: string): Promise<boolean> {
    return this.#store.remove(KIND, hashOf(model, name));
  }

  async removeFound(name: string): Promise<boolean> {
    return this.#store.remove(KIND, name);
  }

  /** Every document of the model with that link, at most some thousands. */
  async linked(model: string, link: keyof Links, value: string): Promise<readonly Found[]> {
    const found: Found[] = [];
    let after: string | undefined;
    for (;;) {
      const page = await this.#store.find(KIND, link, linkOf(model, link, value), {
        limit: PAGE,
        ...(after === undefined ? {} : { after }),
      });
      found.push(...page.map((document) => this.#open(document)));
      after = page.at(-1)?.id;
      if (page.length < PAGE || after === undefined) return found;
    }
  }

  async removeLinked(model: string, link: keyof Links, value: string): Promise<number> {
    return this.#store.removeAll(KIND, link, linkOf(model, link, value));
  }

  #document(model: string, id: string, content: unknown, expiresAt: number, links: Links): NewDocument {
    const indexes: Record<string, string> = { model };
    for (const [link, value] of Object.entries(links)) {
      if (value !== undefined) indexes[link] = linkOf(model, link, value);
    }
    return { body: this.#seal(id, content), indexes, expiresAt };
  }

  #seal(id: string, content: unknown): JsonBody {
    return { sealed: this.#sealer.seal(JSON.stringify(content), { kind: KIND, id, field: 'content' }) };
  }

  #open(document: StoredDocument): Found {
    const { sealed } = document.body;
    if (typeof sealed !== 'string') {
      throw new ChartgateError('state-invalid', 'A document of the issuer is not sealed.');
    }
    const text = this.#sealer.open(sealed, { kind: KIND, id: document.id, field: 'content' });
    const content = JSON.parse(text.toString()) as { payload: Payload; consumed?: number };
    return { name: document.id, payload: content.payload, consumed: content.consumed };
  }
}

/** A link is the model's own, so that a grant's tokens and its codes are told apart. */
function linkOf(model: string, link: string, value: string): string {
  return hashOf(model, link, value);
}
