import type { Dispatcher } from 'undici';
import { Pool } from 'undici';
import {
  CLIENT_CERTIFICATE_HEADER,
  CLIENT_CERTIFICATE_VERIFIED_HEADER,
  INTERNAL_PREFIX,
  ISSUER_KEY_HEADER,
  issuerKey,
} from '../contracts/issuer-link.ts';
import type { IssuerSettings } from '../contracts/settings.ts';
import { TRANSPORT_SECURITY } from './answer/security-headers.ts';
import { jsonAnswer, type OwnAnswer } from './own-pages/answer.ts';
import { readBody } from './own-pages/body.ts';
import type { Exchange } from './pipeline/exchange.ts';

/** Bytes of a request to the issuer: forms, token requests, logout tokens. */
const MAX_REQUEST = 64 * 1024;
/** Bytes of an answer: pages, keys, small files. */
const MAX_ANSWER = 2 * 1024 * 1024;
/** Milliseconds; signing in waits for a password's hash, and for its turn. */
const TIMEOUT_MS = 15_000;

/** Never in either direction: they are between two neighbours (RFC 9110 §7.6.1), or tell what answers. */
const DROPPED: ReadonlySet<string> = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'alt-svc',
  'content-length',
  'date',
  'server',
  'via',
  'x-powered-by',
  'x-request-id',
  'strict-transport-security',
]);

/** One embedded issuer, reached by its socket. */
export interface EmbeddedIssuer {
  readonly id: string;
  /** Answers whatever came for its host; or, for a tenant of its own, one public document by its path there. */
  forward(x: Exchange, document?: string): Promise<OwnAnswer>;
}

export interface EmbeddedIssuers {
  /** @param serverName of the handshake, with which the authority must agree as a tenant's must */
  at(authority: string, serverName: string): EmbeddedIssuer | undefined;
  /** By its id in the settings. */
  named(id: string): EmbeddedIssuer | undefined;
  close(): Promise<void>;
}

/** Undefined when none of the issuers is embedded. */
export function createEmbeddedIssuers(issuers: readonly IssuerSettings[]): EmbeddedIssuers | undefined {
  const byAuthority = new Map<string, { readonly host: string; readonly issuer: SocketIssuer }>();
  for (const settings of issuers) {
    if (settings.embedded === undefined) continue;
    const { host, hostname } = new URL(settings.issuer);
    byAuthority.set(host, { host: hostname, issuer: new SocketIssuer(settings.id, host, settings.embedded) });
  }
  if (byAuthority.size === 0) return undefined;
  return Object.freeze({
    at(authority: string, serverName: string) {
      const found = byAuthority.get(authority);
      return found !== undefined && found.host === serverName ? found.issuer : undefined;
    },
    named: (id: string) => [...byAuthority.values()].find(({ issuer }) => issuer.id === id)?.issuer,
    async close() {
      for (const { issuer } of byAuthority.values()) await issuer.close();
    },
  });
}

class SocketIssuer implements EmbeddedIssuer {
  readonly id: string;
  readonly #pool: Pool;
  readonly #key: string;
  readonly #host: string;

  constructor(id: string, host: string, settings: NonNullable<IssuerSettings['embedded']>) {
    this.id = id;
    this.#host = host;
    this.#key = issuerKey(settings.secret.reveal());
    this.#pool = new Pool('http://issuer', {
      connections: 64,
      pipelining: 1,
      headersTimeout: TIMEOUT_MS,
      bodyTimeout: TIMEOUT_MS,
      maxResponseSize: MAX_ANSWER,
      connect: { socketPath: settings.socket, timeout: 2000 },
    });
  }

  async forward(x: Exchange, document?: string): Promise<OwnAnswer> {
    const { facts } = x;
    // For the gateway alone, however it is spelt: these are decoded segments.
    const [first] = facts.path.segments;
    if (facts.upgrade !== undefined || `/${first ?? ''}/`.toLowerCase() === INTERNAL_PREFIX)
      return jsonAnswer(404, { error: 'not_found' }, { reason: 'embedded-issuer' });
    const body = await readBody(x, MAX_REQUEST);
    if (body === 'overflow') return jsonAnswer(413, { error: 'too_large' }, { reason: 'body-too-large' });
    if (body === 'gone') return jsonAnswer(400, { error: 'incomplete' }, { reason: 'client-gone' });
    try {
      const answer = await this.#pool.request({
        method: facts.method as Dispatcher.HttpMethod,
        path: document ?? (facts.query === '' ? facts.path.text : `${facts.path.text}?${facts.query}`),
        headers: document === undefined ? this.#headers(x) : this.#plainHeaders(),
        body: body.length === 0 ? null : body,
      });
      const content = Buffer.from(await answer.body.arrayBuffer());
      return shaped(answer.statusCode, answer.headers, facts.method === 'HEAD' ? undefined : content);
    } catch {
      x.failed('issuer-unavailable', this.id);
      return jsonAnswer(
        503,
        { error: 'temporarily_unavailable' },
        { reason: 'issuer-unavailable', headers: ['retry-after', '5'] },
      );
    }
  }

  close(): Promise<void> {
    return this.#pool.destroy();
  }

  /** For a document that is the same for everybody: nothing of whoever asks. */
  #plainHeaders(): string[] {
    return ['host', this.#host, 'x-forwarded-proto', 'https', ISSUER_KEY_HEADER, this.#key];
  }

  /** The client's survivors, then what only the gateway says: names that a client cannot send (canonical/headers.ts). */
  #headers(x: Exchange): string[] {
    const { facts } = x;
    const list: string[] = ['host', facts.authority];
    for (const [name, value] of facts.headers) list.push(name, value);
    list.push(
      'x-forwarded-for',
      facts.peer,
      'x-forwarded-proto',
      'https',
      'x-forwarded-host',
      facts.authority,
      'x-request-id',
      facts.id,
      ISSUER_KEY_HEADER,
      this.#key,
    );
    const { certificate } = facts.tls;
    // RFC 9440 §2.2. The handshake verified it against the authority of the name that was asked for.
    if (certificate !== undefined) {
      list.push(CLIENT_CERTIFICATE_HEADER, `:${certificate.der}:`, CLIENT_CERTIFICATE_VERIFIED_HEADER, '?1');
    }
    return list;
  }
}

/** The issuer is ours: its status, its errors and its own security headers stand as they are. */
function shaped(
  status: number,
  headers: Readonly<Record<string, string | string[] | undefined>>,
  body: Buffer | undefined,
): OwnAnswer {
  const list: string[] = [...TRANSPORT_SECURITY];
  for (const [name, value] of Object.entries(headers)) {
    if (value === undefined || DROPPED.has(name)) continue;
    for (const each of Array.isArray(value) ? value : [value]) list.push(name, each);
  }
  return {
    status,
    headers: list,
    body: status === 204 || status === 304 ? undefined : body,
    outcome: status >= 500 ? 'failed' : status >= 400 ? 'denied' : 'permitted',
    reason: 'embedded-issuer',
  };
}
