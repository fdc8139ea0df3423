import type { ConditionCredential } from '../../contracts/conditions.ts';
import { ChartgateError } from '../../contracts/errors.ts';
import { METHODS, type RequestFacts } from '../../contracts/facts.ts';
import type { Principal } from '../../contracts/principal.ts';
import { canonicalPath } from '../../gateway/canonical/path.ts';
import { canonicalQuery } from '../../gateway/canonical/query.ts';

/** Somebody who exists only in a command: nobody was authenticated, and nothing is reached with it. */
export interface Who {
  readonly anonymous?: boolean;
  readonly credential?: ConditionCredential;
  readonly scopes?: readonly string[];
  readonly roles?: readonly string[];
  /** The token's patient (SMART launch context). */
  readonly patient?: string;
  readonly client?: string;
  /** The tenant whose people it is one of, where that is another one. */
  readonly home?: string;
  readonly bound?: 'dpop' | 'certificate';
  /** Name of the further audience that the token carries. */
  readonly audience?: string;
  /** Seconds since the second factor was given. */
  readonly factorAge?: number;
}

/** A request that exists only in a command. */
export interface MadeUpRequest {
  /** `GET /fhir/Patient/1?x=y` */
  readonly line: string;
  readonly from?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** The connection has a client certificate that the tenant accepts. */
  readonly certificate?: boolean;
  readonly upgrade?: boolean;
}

const TENANT = 'made-up';

/** @param now seconds since the epoch */
export function principalOf(who: Who, now: number): Principal {
  if (who.anonymous === true)
    return Object.freeze({ kind: 'anonymous', scopes: new Set<string>() }) as unknown as Principal;
  const { credential = 'token', bound = credential === 'certificate' ? 'certificate' : 'none' } = who;
  const authentication =
    who.factorAge === undefined && credential !== 'session'
      ? undefined
      : {
          at: now - (who.factorAge ?? 0),
          methods: [],
          acr: undefined,
          factorAt: who.factorAge === undefined ? undefined : now - who.factorAge,
        };
  return Object.freeze({
    ...(credential === 'session' ? { kind: 'session' } : { kind: 'bearer', credential, constraint: bound }),
    tenant: TENANT,
    audience: who.audience,
    home: who.home,
    roles: new Set(who.roles ?? []),
    issuer: 'https://made-up.invalid',
    subject: 'made-up',
    clientId: who.client,
    scopes: new Set(who.scopes ?? []),
    patient: who.patient,
    expiresAt: Number.MAX_SAFE_INTEGER,
    limitKey: '',
    authentication,
  }) as unknown as Principal;
}

const MADE_UP_CERTIFICATE = Object.freeze({
  thumbprint: '',
  subject: 'CN=made-up',
  names: [],
  notAfter: Number.MAX_SAFE_INTEGER,
  der: '',
});

/**
 * What the policy sees of a request, read by the gateway's own canonicaliser.
 * @throws ChartgateError `usage` when the line is none, or when the gateway refuses it before any policy is asked
 */
export function factsOf(request: MadeUpRequest): RequestFacts {
  const [, method, target] = /^(\S+) (\S+)$/.exec(request.line) ?? [];
  const known = METHODS.find((name) => name === method);
  if (known === undefined || target === undefined) {
    throw new ChartgateError('usage', `--request must be one of ${METHODS.join(', ')}, a space and a path.`);
  }
  const [raw = '', ...rest] = target.split('?');
  const path = canonicalPath(raw);
  const query = canonicalQuery(rest.join('?'));
  if (path === undefined || query === undefined) {
    const code = path === undefined ? 'path-ambiguous' : 'query-ambiguous';
    throw new ChartgateError(
      'usage',
      `The gateway refuses this request before any policy is asked: ${code}.`,
    );
  }
  return Object.freeze({
    id: '0'.repeat(26) as RequestFacts['id'],
    arrivedAt: 0,
    receivedAt: 0,
    protocol: 'HTTP/2',
    method: known,
    authority: 'made-up.invalid',
    host: 'made-up.invalid',
    path,
    query: query.text,
    parameters: query.parameters,
    headers: new Map(
      Object.entries(request.headers ?? {}).map(([name, value]) => [name.toLowerCase(), value]),
    ),
    upgrade: request.upgrade === true ? 'websocket' : undefined,
    body: { kind: 'none' },
    mediaType: undefined,
    peer: request.from ?? '192.0.2.1',
    tls: {
      version: 'TLSv1.3',
      cipher: '',
      serverName: 'made-up.invalid',
      ...(request.certificate === true ? { certificate: MADE_UP_CERTIFICATE } : {}),
    },
  } satisfies RequestFacts);
}

const WORDS =
  'token, session, client-secret, certificate, anonymous, role:NAME, scope:SCOPE, patient:ID, client:ID, home:TENANT, bound:dpop, bound:certificate, audience:NAME, factor:SECONDS';

/**
 * Reads `role:nurse scope:user/Patient.rs patient:7 session`: words with spaces between them.
 * @throws ChartgateError `usage` for a word that is none
 */
export function parseWho(text: string): Who {
  const who: { -readonly [K in keyof Who]: Who[K] } = {};
  for (const word of text.split(/\s+/).filter((each) => each !== '')) {
    const at = word.indexOf(':');
    const [key, value] = at < 0 ? [word, ''] : [word.slice(0, at), word.slice(at + 1)];
    if (at < 0 && key === 'anonymous') who.anonymous = true;
    else if (at < 0 && ['token', 'session', 'client-secret', 'certificate'].includes(key))
      who.credential = key as ConditionCredential;
    else if (value === '') throw wrongWord(word);
    else if (key === 'role') who.roles = [...(who.roles ?? []), value];
    else if (key === 'scope') who.scopes = [...(who.scopes ?? []), value];
    else if (key === 'patient') who.patient = value;
    else if (key === 'client') who.client = value;
    else if (key === 'home') who.home = value;
    else if (key === 'audience') who.audience = value;
    else if (key === 'bound' && (value === 'dpop' || value === 'certificate')) who.bound = value;
    else if (key === 'factor' && /^\d{1,9}$/.test(value)) who.factorAge = Number(value);
    else throw wrongWord(word);
  }
  return who;
}

function wrongWord(word: string): ChartgateError {
  return new ChartgateError('usage', `--as: ${JSON.stringify(word)} is no word of it; allowed: ${WORDS}.`);
}

/** Somebody in one line, in the words of `--as`. */
export function describeWho(who: Who): string {
  if (who.anonymous === true) return 'anonymous';
  return [
    who.credential ?? 'token',
    ...(who.roles ?? []).map((role) => `role:${role}`),
    ...(who.scopes ?? []).map((scope) => `scope:${scope}`),
    ...(who.patient === undefined ? [] : [`patient:${who.patient}`]),
    ...(who.client === undefined ? [] : [`client:${who.client}`]),
    ...(who.home === undefined ? [] : [`home:${who.home}`]),
    ...(who.audience === undefined ? [] : [`audience:${who.audience}`]),
    ...(who.bound === undefined ? [] : [`bound:${who.bound}`]),
    ...(who.factorAge === undefined ? [] : [`factor:${who.factorAge}`]),
  ].join(' ');
}
