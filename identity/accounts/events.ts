import { randomBytes } from 'node:crypto';
import { channel } from 'node:diagnostics_channel';
import { type AccountEvent, CHANNELS } from '../../contracts/events.ts';
import type { JsonBody, StateOperation, StateStore, StoredDocument } from '../../contracts/state.ts';
import { parseOrganisationName } from './names.ts';

/** Everything that is written down of accounts. Part of the interface of logs; never renamed. */
export const ACCOUNT_EVENTS = [
  'organisation-requested',
  'organisation-created',
  'account-requested',
  'account-created',
  'account-change-requested',
  'account-changed',
  'account-disabled',
  'account-enable-requested',
  'account-enabled',
  'account-removed',
  'account-unlocked',
  'account-enrolled',
  'password-reset-requested',
  'password-reset',
  'password-change-required',
  'password-changed',
  'factors-reset-requested',
  'factors-reset',
  'role-requested',
  'role-set',
  /** Beside `role-set`, where scopes were taken away. */
  'role-narrowed',
  'role-removed',
  'request-rejected',
  'request-withdrawn',
] as const;
export type AccountEventName = (typeof ACCOUNT_EVENTS)[number];

/** After these, tokens and sessions of the account must end: its rights or its credentials are others now. */
export const ENDS_SESSIONS: ReadonlySet<string> = new Set<AccountEventName>([
  'account-disabled',
  'account-removed',
  'account-changed',
  'password-reset',
  'password-changed',
  'factors-reset',
]);

/** After these, those of every account of the organisation that has the role: it permits less now. */
export const ENDS_SESSIONS_OF_ROLE: ReadonlySet<string> = new Set<AccountEventName>([
  'role-narrowed',
  'role-removed',
]);

export interface KeptEvent extends AccountEvent {
  readonly id: string;
  readonly what: AccountEventName;
  /** What was asked for or decided; ids, names of roles and scopes. */
  readonly details: JsonBody;
}

/** Ids in the order of time, to the millisecond. */
const eventId = (at: number): string =>
  `${Math.max(0, Math.floor(at)).toString(36).padStart(9, '0')}-${randomBytes(9).toString('base64url')}`;

/** The step that keeps an event; belongs into the same commit as what it tells of. */
export function eventStep(event: Omit<KeptEvent, 'id'>): StateOperation {
  const { what, organisation, subject, actor, at, details } = event;
  return {
    do: 'insert',
    kind: 'account-event',
    id: eventId(at),
    document: { body: { what, organisation, subject, actor, at, details }, indexes: { organisation } },
  };
}

const announced = channel(CHANNELS.account);

/** Call after the commit. */
export function announce({ what, organisation, subject, actor, at }: AccountEvent): void {
  if (announced.hasSubscribers) announced.publish(Object.freeze({ what, organisation, subject, actor, at }));
}

const keptEvent = ({ id, body }: StoredDocument): KeptEvent =>
  Object.freeze({ ...(body as unknown as Omit<KeptEvent, 'id'>), id });

/** In the order of time. @param after id of the last one seen */
export async function eventsOf(
  store: StateStore,
  organisation: string,
  page: { readonly limit: number; readonly after?: string },
): Promise<readonly KeptEvent[]> {
  if (parseOrganisationName(organisation) === undefined) return [];
  return (await store.find('account-event', 'organisation', organisation, page)).map(keptEvent);
}
