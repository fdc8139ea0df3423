import type { ActivityEntry } from '../contracts/activity.ts';
import type { Reason } from '../contracts/reasons.ts';

/**
 * Entries as JSON text: the fields of the contract and no others, whatever else an object carries, so
 * that nothing comes into the log by being hung onto an entry. Everything is escaped by
 * `JSON.stringify`, typed identifiers too: a cast elsewhere must not become a forged record here.
 */
type Kind = ActivityEntry['kind'];
type Pickers = {
  readonly [K in Kind]: (entry: Extract<ActivityEntry, { kind: K }>) => { readonly kind: K };
};

/** `+code` held, `-code` did not; what it is about follows after a space. A third of the bytes of objects. */
function reasons(list: readonly Reason[]): string[] | undefined {
  if (list.length === 0) return undefined;
  const written: string[] = [];
  for (const { code, held, detail } of list) {
    written.push(`${held ? '+' : '-'}${code}${detail === undefined ? '' : ` ${detail}`}`);
  }
  return written;
}

/** What is empty is left out. */
function given(text: string): string | undefined {
  return text === '' ? undefined : text;
}

const PICKERS: Pickers = {
  intent: (e) => ({
    kind: 'intent',
    request: e.request,
    tenant: e.tenant,
    route: e.route,
    method: e.method,
    peer: e.peer,
    issuer: given(e.issuer),
    subject: given(e.subject),
    client: given(e.client),
    epoch: given(e.epoch),
    policy: e.policy,
    reasons: reasons(e.reasons),
  }),
  outcome: (e) => ({
    kind: 'outcome',
    request: e.request,
    tenant: given(e.tenant),
    route: given(e.route),
    method: given(e.method),
    peer: given(e.peer),
    issuer: given(e.issuer),
    subject: given(e.subject),
    client: given(e.client),
    outcome: e.outcome,
    reason: e.reason,
    reasons: reasons(e.reasons),
    status: e.status,
    backendStatus: e.backendStatus,
    micros: e.micros,
  }),
  session: (e) => ({
    kind: 'session',
    event: e.event,
    request: e.request,
    tenant: e.tenant,
    issuer: given(e.issuer),
    subject: given(e.subject),
    detail: given(e.detail),
  }),
  sharing: (e) => ({
    kind: 'sharing',
    event: e.event,
    request: given(e.request),
    tenant: e.tenant,
    issuer: given(e.issuer),
    subject: given(e.subject),
    record: given(e.record),
  }),
  guard: (e) => ({
    kind: 'guard',
    event: e.event,
    enforced: e.enforced,
    request: e.request,
    tenant: e.tenant,
    issuer: given(e.issuer),
    subject: given(e.subject),
    misses: e.misses,
    patients: e.patients,
  }),
  incident: (e) => ({
    kind: 'incident',
    event: e.event,
    request: given(e.request),
    tenant: given(e.tenant),
    account: given(e.account),
    issuer: given(e.issuer),
    subject: given(e.subject),
    because: given(e.because),
  }),
  'unverified-write': (e) => ({
    kind: 'unverified-write',
    request: e.request,
    tenant: e.tenant,
    database: e.database,
    epochBefore: e.epochBefore,
    epochAfter: e.epochAfter,
    findings: [...e.findings],
  }),
  interrupted: (e) => ({ kind: 'interrupted', request: e.request, by: e.by, bytes: e.bytes }),
  process: (e) => ({ kind: 'process', event: e.event, detail: e.detail }),
};

/** What JSON writes as it is. */
const PLAIN = /^[\w.:-]{0,64}$/;

function written(text: string): string {
  return typeof text === 'string' && PLAIN.test(text) ? `"${text}"` : JSON.stringify(text);
}

type Intent = Extract<ActivityEntry, { kind: 'intent' }>;
type Outcome = Extract<ActivityEntry, { kind: 'outcome' }>;

/** An intent, and its text but for the request's id. */
interface Said {
  readonly entry: Intent;
  readonly rest: string;
}

/** The last intent of each subject on each route. Begun anew when full. */
const said = new Map<string, Map<string, Said>>();
const MOST_SAID = 4096;
let count = 0;
const UP_TO_ID = '{"kind":"intent","request":';

/** Whoever asks for something asks again under the same conditions: all but the id is written once. */
function intent(entry: Intent): string {
  const before = said.get(entry.route)?.get(entry.subject);
  if (before !== undefined && isSame(before.entry, entry))
    return UP_TO_ID + written(entry.request) + before.rest;
  const text = JSON.stringify(PICKERS.intent(entry));
  if (before === undefined) {
    count += 1;
    if (count > MOST_SAID) {
      said.clear();
      count = 1;
    }
  }
  let onRoute = said.get(entry.route);
  if (onRoute === undefined) {
    onRoute = new Map();
    said.set(entry.route, onRoute);
  }
  onRoute.set(entry.subject, {
    // Its own list of reasons: to that of the request, others may be added.
    entry: { ...entry, reasons: [...entry.reasons] },
    rest: text.slice(UP_TO_ID.length + JSON.stringify(entry.request).length),
  });
  return text;
}

/** Of a request whose intent said all the rest. */
function plainOutcome({ request, outcome, reason, status, backendStatus, micros }: Outcome): string {
  return `{"kind":"outcome","request":${written(request)},"outcome":${written(outcome)},"reason":${written(reason)},"status":${JSON.stringify(status)},"backendStatus":${JSON.stringify(backendStatus)},"micros":${JSON.stringify(micros)}}`;
}

function isPlain({ tenant, route, method, peer, issuer, subject, client, reasons }: Outcome): boolean {
  return (
    tenant === '' &&
    route === '' &&
    method === '' &&
    peer === '' &&
    issuer === '' &&
    subject === '' &&
    client === '' &&
    reasons.length === 0
  );
}

function isSame(one: Intent, other: Intent): boolean {
  return (
    one.tenant === other.tenant &&
    one.route === other.route &&
    one.method === other.method &&
    one.peer === other.peer &&
    one.issuer === other.issuer &&
    one.subject === other.subject &&
    one.client === other.client &&
    one.epoch === other.epoch &&
    one.policy === other.policy &&
    areSame(one.reasons, other.reasons)
  );
}

function areSame(some: readonly Reason[], others: readonly Reason[]): boolean {
  if (some.length !== others.length) return false;
  for (let at = 0; at < some.length; at += 1) {
    const one = some[at] as Reason;
    const other = others[at] as Reason;
    if (one !== other && (one.code !== other.code || one.held !== other.held || one.detail !== other.detail))
      return false;
  }
  return true;
}

/** @throws TypeError for an entry that is not of the contract's form */
export function serializeEntry(entry: ActivityEntry): string {
  if (entry.kind === 'intent') return intent(entry);
  if (entry.kind === 'outcome' && isPlain(entry)) return plainOutcome(entry);
  // The table is complete, so the cast only joins what the mapped type keeps apart.
  return JSON.stringify((PICKERS[entry.kind] as (entry: ActivityEntry) => object)(entry));
}
