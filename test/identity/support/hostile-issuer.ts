import {
  constants,
  createHmac,
  generateKeyPairSync,
  type KeyObject,
  randomUUID,
  sign as signBytes,
} from 'node:crypto';
import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { Secret } from '../../../contracts/settings.ts';
import { createAuthority } from '../../../examples/support/local-authority.ts';

export interface KeyPair {
  readonly kid: string;
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
  /** The public JWK as a key set lists it. */
  readonly jwk: Record<string, unknown>;
}

export function ecKey(kid: string, namedCurve = 'P-256'): KeyPair {
  return pair(kid, generateKeyPairSync('ec', { namedCurve }));
}

export function rsaKey(kid: string, modulusLength = 2048): KeyPair {
  return pair(kid, generateKeyPairSync('rsa', { modulusLength }));
}

function pair(kid: string, keys: { privateKey: KeyObject; publicKey: KeyObject }): KeyPair {
  return { kid, ...keys, jwk: { ...keys.publicKey.export({ format: 'jwk' }), kid, use: 'sig' } };
}

export const b64 = (data: string | Buffer): string => Buffer.from(data).toString('base64url');

/** Makes a JWS out of any header and any payload, text as it is, so that nothing is too wrong to be made. */
export function forge(
  header: object | string,
  payload: object | string,
  key: KeyObject,
  algorithm = 'ES256',
): string {
  const text = (part: object | string) => (typeof part === 'string' ? part : JSON.stringify(part));
  const input = `${b64(text(header))}.${b64(text(payload))}`;
  return `${input}.${b64(signature(Buffer.from(input), key, algorithm))}`;
}

function signature(input: Buffer, key: KeyObject, algorithm: string): Buffer {
  const digest = `sha${algorithm.slice(2)}`;
  switch (algorithm.slice(0, 2)) {
    case 'HS':
      return createHmac(digest, key).update(input).digest();
    case 'PS':
      return signBytes(digest, input, {
        key,
        padding: constants.RSA_PKCS1_PSS_PADDING,
        saltLength: Number(algorithm.slice(2)) / 8,
      });
    case 'ES':
      return signBytes(digest, input, { key, dsaEncoding: 'ieee-p1363' });
    default:
      return signBytes(digest, input, key);
  }
}

type Answer = { readonly status?: number; readonly location?: string; readonly body: unknown } | 'hang';

/** An issuer of ours over HTTPS that publishes, signs and answers whatever a test wants. */
export interface HostileIssuer {
  readonly issuer: string;
  readonly authorityPem: string;
  /** What is served; may be exchanged at any time. */
  metadata: Record<string, unknown> | undefined;
  keys: readonly Record<string, unknown>[];
  introspection: (token: string, request: IncomingMessage) => Answer;
  /** Requests received, by path. */
  readonly asked: Map<string, number>;
  /** Good claims for an audience, with changes; `undefined` removes one. */
  claims(audience: string, changes?: Record<string, unknown>): Record<string, unknown>;
  down(): Promise<void>;
  up(): Promise<void>;
}

export async function startHostileIssuer(): Promise<HostileIssuer> {
  const authority = await createAuthority('Hostile authority');
  const leaf = await authority.issue({ commonName: 'localhost', hosts: ['localhost'] });
  let server: Server | undefined;
  let port = 0;

  const issuer: HostileIssuer = {
    issuer: '',
    authorityPem: authority.certificatePem,
    metadata: undefined,
    keys: [],
    introspection: () => ({ body: { active: false } }),
    asked: new Map(),
    claims: (audience, changes = {}) => {
      const now = Math.floor(Date.now() / 1000);
      return {
        iss: issuer.issuer,
        aud: audience,
        sub: 'person-7',
        client_id: 'portal',
        jti: randomUUID(),
        iat: now,
        exp: now + 120,
        scope: 'patient/Patient.rs patient/Observation.rs',
        ...changes,
      };
    },
    down: async () => {
      const stopping = server;
      server = undefined;
      if (stopping === undefined) return;
      stopping.closeAllConnections();
      await new Promise((resolve) => stopping.close(resolve));
    },
    up: async () => {
      server = createServer({ cert: leaf.certificatePem, key: leaf.keyPem }, (request, response) => {
        answer(request).then(
          (reply) => send(response, reply),
          () => response.destroy(),
        );
      });
      server.listen(port, '127.0.0.1');
      await once(server, 'listening');
      port = (server.address() as AddressInfo).port;
    },
  };

  async function answer(request: IncomingMessage): Promise<Answer> {
    const path = request.url ?? '';
    issuer.asked.set(path, (issuer.asked.get(path) ?? 0) + 1);
    if (path === '/.well-known/openid-configuration' && issuer.metadata !== undefined)
      return { body: issuer.metadata };
    if (path === '/jwks') return { body: { keys: issuer.keys } };
    if (path === '/moved') return { status: 302, location: '/jwks', body: {} };
    if (path === '/introspect') {
      let form = '';
      for await (const chunk of request) form += String(chunk);
      return issuer.introspection(new URLSearchParams(form).get('token') ?? '', request);
    }
    return { status: 404, body: {} };
  }

  await issuer.up();
  const url = `https://localhost:${port}`;
  Object.assign(issuer, {
    issuer: url,
    metadata: { issuer: url, jwks_uri: `${url}/jwks`, introspection_endpoint: `${url}/introspect` },
  });
  return issuer;
}

function send(response: ServerResponse, reply: Answer): void {
  if (reply === 'hang') return;
  response.writeHead(reply.status ?? 200, {
    'content-type': 'application/json',
    ...(reply.location === undefined ? {} : { location: reply.location }),
  });
  response.end(typeof reply.body === 'string' ? reply.body : JSON.stringify(reply.body));
}

/** A secret as the configuration hands it on. */
export function secret(text: string): Secret {
  return { reveal: () => Buffer.from(text), toString: () => '[secret]', toJSON: () => '[secret]' };
}
