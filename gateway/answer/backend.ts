import { setsOwnCookie } from '../../identity/sessions/index.ts';
import { rateLimitFields } from '../limits/headers.ts';
import type { Exchange } from '../pipeline/exchange.ts';
import type { Answer } from './answer.ts';
import { URL_HEADERS } from './rewrite.ts';
import { deadlineOf } from './route-deadline.ts';
import { SECURITY_HEADER_NAMES, securityHeaders } from './security-headers.ts';
import { clientCookie, clientUrl } from './untell.ts';

/** Hop-by-hop fields (RFC 9110 §7.6.1), written anew by our own server where needed. */
const HOP_BY_HOP: ReadonlySet<string> = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'proxy-authenticate',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'http2-settings',
  'alt-svc',
  'date',
]);

/** Fields that tell what the EMR is made of, where it is, or how it feels. */
const FINGERPRINT =
  /^(?:server|via|x-powered-by|x-aspnet(?:mvc)?-version|x-generator|x-drupal-.*|x-php-.*|x-runtime|x-version|x-backend.*|x-served-by|x-server.*|x-host(?:name)?|x-debug.*|x-application-.*|x-request-id|x-correlation-id|x-varnish|x-cache.*|server-timing|sourcemap|x-sourcemap|x-chartgate.*)$/;

type Fate = 'keep' | 'drop' | 'url' | 'cookie';
const fates = new Map<string, Fate>();

function fate(name: string): Fate {
  const known = fates.get(name);
  if (known !== undefined) return known;
  let verdict: Fate = 'keep';
  if (HOP_BY_HOP.has(name) || SECURITY_HEADER_NAMES.has(name) || FINGERPRINT.test(name)) verdict = 'drop';
  else if (URL_HEADERS.has(name)) verdict = 'url';
  else if (name === 'set-cookie') verdict = 'cookie';
  if (name.length > 64) return verdict;
  if (fates.size >= 1024) fates.clear();
  fates.set(name, verdict);
  return verdict;
}

/** The EMR's answer, permitted: its body as it is, its headers without fingerprints and with ours. */
export function shapeBackendAnswer(x: Exchange): Answer {
  const backend = x.backend;
  if (backend === undefined) throw new Error('there is no answer to shape');
  const headers: string[] = [];
  const removed = connectionOptions(backend.headers.connection);
  // RFC 9110 §8.6, §15.3.6: what has no content has no length either; only a 304 speaks of another answer's.
  const bodyless = backend.status === 204 || backend.status === 205 || backend.status === 304;
  const judged = x.answerJudges.length > 0;
  const told = x.tenant.settings.tellBackend;
  let cacheable = false;
  for (const name in backend.headers) {
    const value = backend.headers[name];
    if (value === undefined) continue;
    const verdict = fate(name);
    if (verdict === 'drop' || removed?.has(name)) continue;
    // The judge saw the body and these; what another field says of a record, nobody has looked at.
    if (judged && !passesJudged(name, x.replacedBody !== undefined)) continue;
    if (name === 'content-length' && bodyless && backend.status !== 304) continue;
    if (name === 'cache-control') cacheable = true;
    if (verdict === 'cookie') {
      for (const cookie of Array.isArray(value) ? value : [value]) {
        // A session that the EMR could set, it could give to whom it likes.
        if (!setsOwnCookie(cookie)) headers.push(name, clientCookie(cookie, told));
      }
      continue;
    }
    if (verdict === 'url') {
      // There is one place to go to; a second one is for nobody to choose.
      const url = Array.isArray(value) ? (value[0] ?? '') : value;
      headers.push(name, clientUrl(url, backend.origin, x.facts.authority, told));
      continue;
    }
    headers.push(name, Array.isArray(value) ? value.join(', ') : value);
  }
  // What a credential opened is not for a shared or forgotten cache, unless the EMR decided.
  if (!cacheable && x.principal.kind !== 'anonymous') headers.push('cache-control', 'no-store');
  for (const text of securityHeaders(x.route)) headers.push(text);
  if (x.replacedBody !== undefined && !bodyless)
    headers.push('content-length', String(x.replacedBody.length));
  for (const text of rateLimitFields(x.counted)) headers.push(text);
  headers.push('x-request-id', x.facts.id);
  return {
    status: backend.status,
    headers,
    body: bodyless ? undefined : (x.replacedBody ?? backend),
    deadlineMs: x.late ? deadlineOf(x) : 0,
    closeConnection: false,
  };
}

/** Fields of a judged answer that say nothing of what is in it, or that its judge has seen. */
const JUDGED_FIELDS: ReadonlySet<string> = new Set([
  'content-type',
  'content-language',
  'cache-control',
  'expires',
  'pragma',
  'vary',
  'location',
  'content-location',
  'set-cookie',
]);
/** Those that are true of the back end's own body alone. */
const OF_THE_BODY: ReadonlySet<string> = new Set(['content-length', 'etag', 'last-modified']);

function passesJudged(name: string, replaced: boolean): boolean {
  return JUDGED_FIELDS.has(name) || (!replaced && OF_THE_BODY.has(name));
}

function connectionOptions(connection: string | string[] | undefined): ReadonlySet<string> | undefined {
  if (connection === undefined || connection === 'keep-alive' || connection === 'close') return undefined;
  const text = Array.isArray(connection) ? connection.join(',') : connection;
  return new Set(
    text
      .toLowerCase()
      .split(',')
      .map((option) => option.trim()),
  );
}
