import type { HideClass } from '../../contracts/policy.ts';
import { stepUpChallenge } from '../../identity/factors/step-up.ts';
import { readCookies } from '../../identity/sessions/index.ts';
import { rateLimitFields } from '../limits/headers.ts';
import type { OwnAnswer } from '../own-pages/answer.ts';
import type { Ending, EndingKind } from '../pipeline/ending.ts';
import type { Exchange } from '../pipeline/exchange.ts';
import type { Answer } from './answer.ts';
import { bodyForm, type IssueCode, MEDIA_TYPE, writeBody } from './bodies.ts';
import { writeFinding } from './finding.ts';
import { deadlineOf } from './route-deadline.ts';
import { OWN_ANSWER_HEADERS } from './security-headers.ts';

interface Template {
  readonly status: number;
  readonly code: IssueCode;
  readonly text: string;
}

/** The answers that depend on nothing a record could change. */
const TEMPLATES: Readonly<Record<Exclude<EndingKind, 'hidden' | 'own-page'>, Template>> = Object.freeze({
  'bad-request': { status: 400, code: 'invalid', text: 'The request is malformed or ambiguous.' },
  misdirected: { status: 421, code: 'not-found', text: 'This server does not answer for that name.' },
  'route-unknown': { status: 404, code: 'not-found', text: 'Not found, or not available to you.' },
  unauthenticated: { status: 401, code: 'login', text: 'A valid access token is required.' },
  'insufficient-scope': { status: 403, code: 'forbidden', text: 'The access token does not cover this.' },
  'factor-stale': { status: 401, code: 'login', text: 'A more recent authentication is required.' },
  'cross-site': {
    status: 403,
    code: 'forbidden',
    text: 'The request did not come from a page of this site.',
  },
  'certificate-required': { status: 403, code: 'forbidden', text: 'A client certificate is required.' },
  forbidden: {
    status: 403,
    code: 'forbidden',
    text: 'This is not permitted to you now, here or in this role.',
  },
  limited: { status: 429, code: 'throttled', text: 'Too many requests.' },
  'too-large': { status: 413, code: 'too-long', text: 'The request body is too large.' },
  'unsupported-media': {
    status: 415,
    code: 'not-supported',
    text: 'The media type of the body is not accepted here.',
  },
  unprocessable: { status: 422, code: 'invalid', text: 'The content of the request is not accepted.' },
  unavailable: { status: 503, code: 'transient', text: 'The service is not available at the moment.' },
  closed: { status: 503, code: 'transient', text: 'The service is not available at the moment.' },
  'bad-gateway': { status: 502, code: 'transient', text: 'The service is not available at the moment.' },
  'gateway-timeout': { status: 504, code: 'transient', text: 'The service took too long to answer.' },
  conflict: { status: 409, code: 'conflict', text: 'The record is in another state than the change needs.' },
  'precondition-failed': {
    status: 412,
    code: 'conflict',
    text: 'The record has been changed since. Read it again before you change it.',
  },
  'precondition-required': {
    status: 428,
    code: 'conflict',
    text: 'The change must name the version of the record that it is about.',
  },
  'change-refused': { status: 422, code: 'processing', text: 'The change was not accepted.' },
  'backend-refused': { status: 400, code: 'processing', text: 'The request could not be processed.' },
  'backend-failed': { status: 502, code: 'transient', text: 'The service is not available at the moment.' },
});

/** `expired` of FHIR's issue types: "User session expired; a login may be required". */
const SESSION_ENDED: Template = Object.freeze({
  status: 401,
  code: 'expired',
  text: 'The session has ended, and nothing was done. Keep what was entered, sign in again at /.chartgate/sign-in, and send it again.',
});

const SESSION_UNFIT: Template = Object.freeze({
  status: 403,
  code: 'forbidden',
  text: 'Your account is not permitted to do this.',
});

/** The uniform answers: one for each hide class, whatever the cause. */
const HIDDEN: Readonly<Record<Exclude<HideClass, 'none'>, Template>> = Object.freeze({
  record: { status: 404, code: 'not-found', text: 'Not found, or not available to you.' },
  collection: { status: 422, code: 'processing', text: 'The request could not be processed.' },
});

/** A timeout or a broken answer on a route that hides would tell that the id did something to the EMR. */
const HIDDEN_TOO: ReadonlySet<EndingKind> = new Set<EndingKind>([
  'hidden',
  'bad-gateway',
  'gateway-timeout',
  'backend-refused',
  'backend-failed',
]);

/** What is said as it is, but not when it was found out: after the EMR was asked, or after the policy refused. */
const TIMED: ReadonlySet<EndingKind> = new Set<EndingKind>(['unavailable', 'too-large']);

/** Whether this ending is answered with the uniform answer of the route's hide class. */
export function isHidden(x: Exchange, ending: Ending): boolean {
  return (
    (x.match?.route.hide ?? 'none') !== 'none' &&
    HIDDEN_TOO.has(ending.kind) &&
    x.knownPrincipal !== undefined
  );
}

/**
 * The answer to a request that does not get the back end's. Nothing in it comes from the back end, and on
 * a route that hides, nothing in it depends on why.
 */
export function shapeEnding(x: Exchange, ending: Ending): Answer {
  if (ending.own !== undefined) return ownAnswer(x, ending.own);
  const hide = x.match?.route.hide ?? 'none';
  const hidden = hide !== 'none' && isHidden(x, ending);
  // A failure that was noticed when the EMR was asked, or would have been, comes when a refusal would: its time would
  // tell what the EMR did, or that it was the policy that refused.
  const late =
    hidden || (hide !== 'none' && TIMED.has(ending.kind) && (x.intentRecorded || x.withheld !== undefined));
  const template = sessionTemplate(x, ending) ?? templateOf(ending.kind, hidden ? hide : undefined);
  const accept = x.knownFacts?.headers.get('accept');
  const form = bodyForm(accept);
  // A finding depends on the request and the route alone, and is told also where records are hidden.
  const { contentType, body } =
    ending.finding === undefined || hidden
      ? { contentType: MEDIA_TYPE[form], body: writeBody(form, template.code, template.text, x.arrival.id) }
      : writeFinding({ ...template, ...ending.finding }, accept, x.match?.route, x.arrival.id);
  const headers = [
    'content-type',
    contentType,
    'content-length',
    String(body.length),
    ...OWN_ANSWER_HEADERS,
    'x-request-id',
    x.arrival.id,
  ];
  if (!hidden) challenge(x, ending, headers);
  // What is hidden has one list of headers, whoever asks.
  if (!hidden && ending.kind !== 'limited') headers.push(...rateLimitFields(x.counted));
  return {
    status: template.status,
    headers,
    body,
    deadlineMs: late ? deadlineOf(x) : 0,
    closeConnection: ending.closeConnection === true,
  };
}

/** For people at browsers, who have no token to speak of. */
function sessionTemplate(x: Exchange, ending: Ending): Template | undefined {
  if (endsSession(x, ending)) return SESSION_ENDED;
  return ending.kind === 'insufficient-scope' && x.knownPrincipal?.kind === 'session'
    ? SESSION_UNFIT
    : undefined;
}

/**
 * Whether a script of a page asks whose session has ended (a browser is led to sign in instead, see `guide`): it is
 * told so, in fixed words, that it can keep what was entered. Depends on the request's own cookies and the route alone.
 */
function endsSession(x: Exchange, ending: Ending): boolean {
  if (ending.kind !== 'unauthenticated' || x.knownPrincipal?.kind === 'session') return false;
  const credential = x.match?.route.credential;
  if (credential !== 'session' && credential !== 'bearer-or-session') return false;
  const headers = x.knownFacts?.headers;
  if (headers === undefined || headers.has('authorization')) return false;
  const { session, who } = readCookies(headers.get('cookie'));
  return session !== undefined || who !== undefined;
}

/** A page of ours, as it is: it depends on nothing that the EMR said. */
function ownAnswer(x: Exchange, own: OwnAnswer): Answer {
  const length = own.body === undefined ? 0 : own.body.length;
  return {
    status: own.status,
    headers: [
      ...own.headers,
      ...(own.status === 204 || own.status === 304 ? [] : ['content-length', String(length)]),
      'x-request-id',
      x.arrival.id,
    ],
    body: own.body ?? (own.status === 204 || own.status === 304 ? undefined : Buffer.alloc(0)),
    deadlineMs: x.late ? deadlineOf(x) : 0,
    closeConnection: false,
  };
}

function templateOf(kind: EndingKind, hide: 'record' | 'collection' | undefined): Template {
  if (hide !== undefined) return HIDDEN[hide];
  // A hidden ending of a route that hides nothing is still a refusal that gives no reason.
  if (kind === 'own-page') return TEMPLATES.unavailable;
  return kind === 'hidden' ? HIDDEN.record : TEMPLATES[kind];
}

/** Of those that are accepted, what a client should choose from (RFC 9449 §7.1). */
const PROOF_ALGORITHMS = 'ES256 EdDSA PS256';

/** Whether the challenge is one for a proof of possession: the route wants it, or the client tried. */
function wantsProof(x: Exchange): boolean {
  const wanted = x.match?.route.senderConstrained;
  if (wanted === 'dpop' || wanted === 'any') return true;
  return /^dpop(?: |$)/i.test(x.knownFacts?.headers.get('authorization') ?? '');
}

/** RFC 6750 §3: what to do about a 401 or 403, and RFC 9110 §10.2.3 about a 429 or 503. */
function challenge(x: Exchange, ending: Ending, headers: string[]): void {
  const realm = x.knownTenant === undefined ? '' : ` realm="${x.knownTenant.id}"`;
  if (ending.kind === 'unauthenticated') {
    const parameters = [
      ...(realm === '' ? [] : [realm.trim()]),
      ...(ending.credentialPresented === true ? ['error="invalid_token"'] : []),
      ...(wantsProof(x) ? [`algs="${PROOF_ALGORITHMS}"`] : []),
    ];
    const scheme = wantsProof(x) ? 'DPoP' : 'Bearer';
    headers.push('www-authenticate', parameters.length === 0 ? scheme : `${scheme} ${parameters.join(', ')}`);
  } else if (ending.kind === 'factor-stale') {
    // RFC 9470 §3. Whose acr values count depends on the issuer, and is said where the token is asked for.
    const scheme = wantsProof(x) ? 'DPoP' : 'Bearer';
    headers.push('www-authenticate', stepUpChallenge({ scheme, maxAge: x.match?.route.factorMaxAge }));
  } else if (ending.kind === 'insufficient-scope') {
    const scope = ending.scopeNeeded === undefined ? '' : `, scope="${ending.scopeNeeded}"`;
    headers.push(
      'www-authenticate',
      `Bearer${realm}${realm === '' ? '' : ','} error="insufficient_scope"${scope}`,
    );
  } else if (ending.retryAfterSeconds !== undefined) {
    headers.push('retry-after', String(ending.retryAfterSeconds), ...(ending.fields ?? []));
  } else if (ending.kind === 'unavailable') {
    headers.push('retry-after', '5');
  }
}
