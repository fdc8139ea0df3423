import { randomBytes } from 'node:crypto';
import type { StateOperation, StateStore, StoredDocument } from '../../contracts/state.ts';
import { unlockSteps } from '../attempts.ts';
import { tell } from './events.ts';
import { passkeysOf } from './passkey-store.ts';
import { recoveryRemoval } from './recovery-codes.ts';
import { totpRemoval } from './totp.ts';
import { FACTOR_PURPOSE, type FactorContext, type Refused, refused, secondsOf } from './types.ts';

/** How long a request waits for the second administrator. */
export const RESET_LIFETIME_MS = 24 * 60 * 60_000;
/** Requests for one principal that may wait at the same time. */
const MOST_OPEN = 5;
const TRIES = 5;

/** Who administers whom: the issuer's accounts, or the settings of a gateway that has an outside provider. */
export interface ResetAuthority {
  /** The organisation that somebody belongs to; undefined when nobody knows. */
  organisationOf(subject: string): Promise<string | undefined>;
  /** Whether somebody is an active administrator of it at this moment. */
  isAdministrator(subject: string, organisation: string): Promise<boolean>;
}

/** Somebody, by the subject that the authority knows and by the principal that they are here. */
export interface ResetPerson {
  readonly subject: string;
  readonly principal: string;
}

interface ResetBody {
  readonly organisation: string;
  readonly subject: string;
  readonly principal: string;
  readonly bySubject: string;
  readonly byPrincipal: string;
  readonly requestedAt: number;
}

export interface ResetRequest {
  readonly id: string;
  /** Whose factors. */
  readonly subject: string;
  readonly organisation: string;
  /** Subject of the administrator who asks. */
  readonly by: string;
  /** Seconds since the epoch. */
  readonly requestedAt: number;
  readonly expiresAt: number;
}

const bodyOf = (document: StoredDocument): ResetBody => document.body as unknown as ResetBody;

const requestOf = (document: StoredDocument): ResetRequest => {
  const body = bodyOf(document);
  return Object.freeze({
    id: document.id,
    subject: body.subject,
    organisation: body.organisation,
    by: body.bySubject,
    requestedAt: body.requestedAt,
    expiresAt: Math.floor((document.expiresAt ?? 0) / 1000),
  });
};

const validId = (id: string): boolean => /^[A-Za-z0-9_-]{22}$/.test(id);

/** The first of two administrators. Nothing changes yet. */
export async function requestReset(
  context: FactorContext,
  authority: ResetAuthority,
  request: { readonly actor: ResetPerson; readonly member: ResetPerson },
): Promise<({ readonly ok: true } & ResetRequest) | Refused> {
  const { actor, member } = request;
  const { principal } = member;
  if (actor.principal === principal || actor.subject === member.subject) return refused('own-factors');
  const organisation = await authority.organisationOf(member.subject);
  if (organisation === undefined || !(await authority.isAdministrator(actor.subject, organisation)))
    return refused('not-administrator');
  const open = await context.store.find('factor-reset', 'principal', principal, { limit: MOST_OPEN });
  if (open.length >= MOST_OPEN) return refused('too-many-factors');
  const id = randomBytes(16).toString('base64url');
  const body: ResetBody = {
    organisation,
    subject: member.subject,
    principal,
    bySubject: actor.subject,
    byPrincipal: actor.principal,
    requestedAt: secondsOf(context.clock),
  };
  const expiresAt = context.clock.wall() + RESET_LIFETIME_MS;
  await context.store.insert('factor-reset', id, { body: { ...body }, indexes: { principal }, expiresAt });
  tell(context.clock, 'reset-requested', { principal, actor: actor.principal });
  return Object.freeze({
    ok: true,
    id,
    subject: member.subject,
    organisation,
    by: actor.subject,
    requestedAt: body.requestedAt,
    expiresAt: Math.floor(expiresAt / 1000),
  });
}

/** Challenges of one principal that one change removes; they end by themselves within minutes. */
const MOST_CHALLENGES = 40;

/**
 * What removes every factor of a principal, ends locks and voids challenges that wait, for a change that two
 * administrators made. A commit of it fails when somebody used or changed a factor meanwhile: ask again.
 */
export async function resetSteps(store: StateStore, principal: string): Promise<readonly StateOperation[]> {
  const [totp, recovery, passkeys, challenges, unlock] = await Promise.all([
    totpRemoval({ store }, principal),
    recoveryRemoval({ store }, principal),
    passkeysOf({ store }, principal),
    store.find('challenge', 'principal', principal, { limit: MOST_CHALLENGES }),
    unlockSteps(store, FACTOR_PURPOSE, principal),
  ]);
  const gone = (kind: 'passkey' | 'challenge', { id, version }: StoredDocument): StateOperation => ({
    do: 'remove',
    kind,
    id,
    version,
  });
  return [
    ...passkeys.map((document) => gone('passkey', document)),
    ...challenges.map((document) => gone('challenge', document)),
    ...(totp === undefined ? [] : [totp]),
    ...(recovery === undefined ? [] : [recovery]),
    ...unlock,
  ];
}

/**
 * Another administrator of the same organisation, neither the one who asked nor the one whose factors these are,
 * while the one who asked is an administrator still. All factors go at once, locks end, challenges that wait are
 * void. The caller then ends the principal's sessions, and enrolment begins anew at the next sign-in.
 */
export async function approveReset(
  context: FactorContext,
  authority: ResetAuthority,
  request: { readonly actor: ResetPerson; readonly id: string },
): Promise<({ readonly ok: true } & ResetPerson) | Refused> {
  const { actor, id } = request;
  if (!validId(id)) return refused('request-unknown');
  for (let tries = 0; tries < TRIES; tries += 1) {
    const found = await context.store.get('factor-reset', id);
    if (found === undefined) return refused('request-unknown');
    const body = bodyOf(found);
    const { principal, organisation } = body;
    if (actor.subject === body.bySubject || actor.principal === body.byPrincipal)
      return refused('same-administrator');
    if (actor.principal === principal || actor.subject === body.subject) return refused('own-factors');
    // Asked anew: people change places while a request waits.
    if ((await authority.organisationOf(body.subject)) !== organisation) return refused('not-administrator');
    if (!(await authority.isAdministrator(actor.subject, organisation))) return refused('not-administrator');
    if (!(await authority.isAdministrator(body.bySubject, organisation))) return refused('not-administrator');
    const done = await context.store.commit([
      { do: 'remove', kind: 'factor-reset', id, version: found.version },
      ...(await resetSteps(context.store, principal)),
    ]);
    if (!done) continue;
    // An enrolment that ended at this moment, and others' requests that now have no purpose.
    const late = await resetSteps(context.store, principal);
    if (late.length > 0) await context.store.commit(late);
    await context.store.removeAll('factor-reset', 'principal', principal);
    tell(context.clock, 'reset-approved', { principal, actor: actor.principal });
    return { ok: true, subject: body.subject, principal };
  }
  return refused('changed-meanwhile');
}

/** Any administrator of the organisation may, also the one who asked. */
export async function rejectReset(
  context: FactorContext,
  authority: ResetAuthority,
  request: { readonly actor: ResetPerson; readonly id: string },
): Promise<{ readonly ok: true } | Refused> {
  const { actor, id } = request;
  if (!validId(id)) return refused('request-unknown');
  const found = await context.store.get('factor-reset', id);
  if (found === undefined) return refused('request-unknown');
  const { organisation, principal } = bodyOf(found);
  if (!(await authority.isAdministrator(actor.subject, organisation))) return refused('not-administrator');
  if (!(await context.store.remove('factor-reset', id))) return refused('request-unknown');
  tell(context.clock, 'reset-rejected', { principal, actor: actor.principal });
  return { ok: true };
}

/** Requests of one organisation that wait. */
export async function listResets(
  context: FactorContext,
  organisation: string,
): Promise<readonly ResetRequest[]> {
  const requests: ResetRequest[] = [];
  let after: string | undefined;
  for (;;) {
    const page = await context.store.list('factor-reset', after === undefined ? {} : { after });
    if (page.length === 0) return requests;
    for (const document of page)
      if (bodyOf(document).organisation === organisation) requests.push(requestOf(document));
    after = page.at(-1)?.id;
  }
}
