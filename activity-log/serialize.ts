import type { ActivityEntry } from '../contracts/activity.ts';
import type { Reason } from '../contracts/reasons.ts';

/**
 * Entries as JSON text: the fields of the contract and no others, whatever else an object carries, so
 * that nothing comes into the log by being hung onto an entry. Everything is escaped by
 * `JSON.stringify`, typed identifiers too: a cast elsewhere must not become a forged record here. (On
 * Node 26 one call for the whole is faster than text put together by hand.)
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

/** @throws TypeError for an entry that is not of the contract's form */
export function serializeEntry(entry: ActivityEntry): string {
  // The table is complete, so the cast only joins what the mapped type keeps apart.
  return JSON.stringify((PICKERS[entry.kind] as (entry: ActivityEntry) => object)(entry));
}
