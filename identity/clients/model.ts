import type { JsonBody, JsonValue, StoredDocument } from '../../contracts/state.ts';

/** How a client proves who it is. */
export const CLIENT_METHODS = ['secret', 'private-key', 'certificate'] as const;
export type ClientMethod = (typeof CLIENT_METHODS)[number];

/** By which certificates a client is known: exactly one, or all with this name or subject (RFC 8705 §2.1.2). */
export interface ClientCertificate {
  readonly by: 'thumbprint' | 'name' | 'subject';
  readonly value: string;
}

/** An API client: a system of a clinic, not a person. */
export interface Client {
  /** Public; it is told apart from a secret by its looks. */
  readonly clientId: string;
  readonly tenant: string;
  /** For people; never in a log. */
  readonly name: string;
  readonly method: ClientMethod;
  readonly scopes: readonly string[];
  /** Addresses and networks (CIDR) that it may call from; from everywhere when empty. */
  readonly addresses: readonly string[];
  readonly active: boolean;
  /** Public keys (JWK) for `private_key_jwt`, RFC 7523. */
  readonly keys: readonly JsonBody[];
  readonly certificate: ClientCertificate | undefined;
  /** Wall-clock milliseconds. */
  readonly createdAt: number;
  readonly changedAt: number;
}

/** What is kept of a secret: never the secret. */
export interface ClientSecret {
  readonly id: string;
  /** `random`: 256 bits, SHA-256. `chosen`: by a person, Argon2id. */
  readonly kind: 'random' | 'chosen';
  readonly hash: string;
  /** Wall-clock milliseconds. */
  readonly createdAt: number;
  readonly expiresAt: number;
}

/** What a person may see of one. */
export type ShownSecret = Omit<ClientSecret, 'hash'>;

export interface ShownClient extends Client {
  /** Newest first; those that still count, and those that ended last. */
  readonly secrets: readonly ShownSecret[];
}

export function clientBody(client: Client): JsonBody {
  const { certificate, ...rest } = client;
  return {
    ...rest,
    ...(certificate === undefined ? {} : { certificate: { by: certificate.by, value: certificate.value } }),
  };
}

const text = (value: JsonValue | undefined): string => (typeof value === 'string' ? value : '');
const number = (value: JsonValue | undefined): number => (typeof value === 'number' ? value : 0);
const texts = (value: JsonValue | undefined): readonly string[] =>
  Array.isArray(value) ? value.filter((item): item is string => typeof item === 'string') : [];

function isBody(value: JsonValue | undefined): value is JsonBody {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** What is not as it was written is nothing, and nothing permits nothing. */
export function clientOf({ body }: StoredDocument): Client {
  const { certificate } = body;
  const by = isBody(certificate) ? certificate.by : undefined;
  return Object.freeze({
    clientId: text(body.clientId),
    tenant: text(body.tenant),
    name: text(body.name),
    method: CLIENT_METHODS.find((method) => method === body.method) ?? 'secret',
    scopes: Object.freeze(texts(body.scopes)),
    // A list that cannot be read must not become "from everywhere".
    addresses: Object.freeze(Array.isArray(body.addresses) ? texts(body.addresses) : ['192.0.2.0/32']),
    active: body.active === true,
    keys: Object.freeze(Array.isArray(body.keys) ? body.keys.filter(isBody) : []),
    certificate:
      isBody(certificate) && (by === 'thumbprint' || by === 'name' || by === 'subject')
        ? Object.freeze({ by, value: text(certificate.value) })
        : undefined,
    createdAt: number(body.createdAt),
    changedAt: number(body.changedAt),
  });
}

export function secretBody(client: string, secret: ClientSecret): JsonBody {
  const { id: _, ...rest } = secret;
  return { client, ...rest };
}

export function secretOf({ id, body }: StoredDocument): ClientSecret {
  return Object.freeze({
    id,
    kind: body.kind === 'random' ? 'random' : 'chosen',
    hash: text(body.hash),
    createdAt: number(body.createdAt),
    expiresAt: number(body.expiresAt),
  });
}
