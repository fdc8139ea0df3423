import type { BackEnd, Seen } from './back-ends.ts';
import { CANARY } from './generator.ts';

/** What the gateway wrote down of a request before it forwarded it. */
export interface Intent {
  readonly method: string;
  readonly route: string;
}

/** Fields that a request of the generator may have at the back end: the client's that may pass, the gateway's, the server's own. */
const EXPECTED: ReadonlySet<string> = new Set([
  'host',
  'accept',
  'content-type',
  'content-length',
  'content-encoding',
  'transfer-encoding',
  'connection',
  'cookie',
  'expect',
  'max-forwards',
  'upgrade-insecure-requests',
  'x-forwarded-for',
  'x-forwarded-proto',
  'x-forwarded-host',
  'x-forwarded-server',
  'x-forwarded-user',
  'x-request-id',
  'via',
  // What the generator sends under harmless names.
  'x',
  'x-content-length',
  'x-checksum',
]);

/** Fields of a client's own that nobody gives a meaning may pass; a changed byte makes such names. */
const PLAIN = /^[a-z0-9-]{1,64}$/;
const MEANINGFUL =
  /forward|user|auth|token|original|rewrite|override|connection|transfer|encoding|^te$|upgrade|trailer|keep-alive|proxy|host|http2|request-id/;

const ROUTES: Readonly<Record<string, RegExp>> = {
  'fhir-patient-read': /^\/fhir\/Patient\/[A-Za-z0-9.-]+(?:\?.*)?$/,
  'fhir-update': /^\/fhir\/Patient\/[A-Za-z0-9.-]+(?:\?.*)?$/,
  'fhir-delete': /^\/fhir\/Patient\/[A-Za-z0-9.-]+(?:\?.*)?$/,
  static: /^\/static\/[A-Za-z0-9./-]+$/,
};

/** Why a request at a back end is one that the gateway did not authorise and record; undefined when it did. */
export function unauthorised(
  request: Seen,
  intents: ReadonlyMap<string, Intent>,
  times: Map<string, number>,
  host: string,
): string | undefined {
  const fields = new Map<string, string[]>();
  for (let at = 0; at + 1 < request.rawHeaders.length; at += 2) {
    const name = (request.rawHeaders[at] ?? '').toLowerCase();
    fields.set(name, [...(fields.get(name) ?? []), request.rawHeaders[at + 1] ?? '']);
  }
  const ids = fields.get('x-request-id') ?? [];
  if (ids.length !== 1) return `${ids.length} request ids on ${request.method} ${request.target}`;
  const id = ids[0] ?? '';
  const intent = intents.get(id);
  if (intent === undefined) return `no record of ${request.method} ${request.target}`;
  const before = times.get(id) ?? 0;
  times.set(id, before + 1);
  if (before > 0) return `${request.method} ${request.target} came twice for one record`;
  if (intent.method !== request.method) return `${request.method} where ${intent.method} was recorded`;
  if (ROUTES[intent.route]?.test(request.target) !== true)
    return `${request.target} on route ${intent.route}`;
  const user = intent.route === 'static' ? undefined : 'pharmacy';
  if ((fields.get('x-forwarded-user') ?? []).join() !== (user ?? '')) return 'somebody else’s name';
  if ((fields.get('host') ?? []).join() !== host) return `host ${fields.get('host')}`;
  if ((fields.get('x-forwarded-host') ?? [])[0]?.split(',')[0] !== host) return 'another forwarded host';
  for (const [name, values] of fields) {
    if (!EXPECTED.has(name) && (!PLAIN.test(name) || MEANINGFUL.test(name)))
      return `field ${JSON.stringify(name)}`;
    if (name !== 'cookie' && values.some((value) => value.includes(CANARY))) return `${name} says ${CANARY}`;
  }
  return undefined;
}

/** The same for lines of a server's own log: which request it took, and under whose id. */
export function unauthorisedLine(line: string, intents: ReadonlyMap<string, Intent>): string | undefined {
  const [request = '', id = ''] = line.split('|');
  const [method = ''] = request.split(' ');
  const intent = intents.get(id);
  if (intent === undefined) return `logged without a record: ${request}`;
  if (intent.method !== method) return `logged ${method} where ${intent.method} was recorded`;
  return undefined;
}

/** Everything at one back end that was not authorised and recorded. */
export function judge(
  backEnd: BackEnd,
  intents: ReadonlyMap<string, Intent>,
  host: string,
): readonly string[] {
  const times = new Map<string, number>();
  const found: string[] = [];
  for (const request of backEnd.seen) {
    const why = unauthorised(request, intents, times, host);
    if (why !== undefined) found.push(why);
  }
  for (const line of backEnd.accessLog()) {
    const why = unauthorisedLine(line, intents);
    if (why !== undefined) found.push(why);
  }
  return found;
}
