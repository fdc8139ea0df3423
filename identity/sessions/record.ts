import type { TenantId } from '../../contracts/identifiers.ts';
import type { SessionPrincipal } from '../../contracts/principal.ts';
import type { JsonBody, NewDocument, StoredDocument } from '../../contracts/state.ts';
import { hashOf } from '../lengths.ts';
import { sessionPrincipal } from '../principal.ts';

/** `factor`: only the first factor was given; nothing but the gateway's own pages opens to it. */
export const STAGES = ['factor', 'open'] as const;
export type Stage = (typeof STAGES)[number];

/** What a session says of who signed in and how. */
export interface SessionFacts {
  readonly tenant: TenantId;
  /** The issuer's id in the settings, and its identifier. */
  readonly issuerId: string;
  readonly issuer: string;
  readonly subject: string;
  readonly clientId: string;
  readonly scopes: readonly string[];
  readonly roles?: readonly string[];
  readonly patient: string | undefined;
  readonly stage: Stage;
  /** Seconds since the epoch. */
  readonly at: number;
  readonly methods: readonly string[];
  readonly acr: string | undefined;
  readonly factorAt: number | undefined;
  /** The issuer's own name of the session there (`sid`). */
  readonly sid: string | undefined;
  /** For people who look at a list of their sessions: kind of browser and system, of a fixed list of words. */
  readonly browser: string;
}

/** A session as it was found. Frozen. */
export interface Session extends SessionFacts {
  /** Hash of what the cookie holds: opens nothing. */
  readonly id: string;
  readonly version: number;
  /** Wall-clock milliseconds. */
  readonly openedAt: number;
  readonly seenAt: number;
  readonly absoluteUntil: number;
  readonly expiresAt: number;
  /** The ID token, sealed, for signing out at the issuer. */
  readonly idToken: string | undefined;
  /** Stable key of the person: issuer and subject, hashed. */
  readonly person: string;
  /** Undefined before every factor was given. */
  readonly principal: SessionPrincipal | undefined;
}

export interface KeptFacts extends SessionFacts {
  readonly openedAt: number;
  readonly seenAt: number;
  readonly absoluteUntil: number;
  readonly idToken: string | undefined;
}

/** What an issuer's session is found by: ids of two issuers, or an id and a subject, never meet. */
export function issuerSessionKey(issuer: string, sid: string): string {
  return hashOf('sid', issuer, sid);
}

export function personKey(issuer: string, subject: string): string {
  return hashOf(issuer, subject);
}

/** @param idleMs after `seenAt`, at which the document ends if nobody touches it */
export function toDocument(facts: KeptFacts, idleMs: number): NewDocument {
  const { patient, roles, acr, factorAt, sid, idToken, ...rest } = facts;
  const body: JsonBody = {
    ...rest,
    roles: roles ?? [],
    patient: patient ?? null,
    acr: acr ?? null,
    factorAt: factorAt ?? null,
    sid: sid ?? null,
    idToken: idToken ?? null,
  };
  return {
    body,
    indexes: {
      tenant: facts.tenant,
      principal: personKey(facts.issuer, facts.subject),
      ...(sid === undefined ? {} : { issuerSession: issuerSessionKey(facts.issuer, sid) }),
    },
    expiresAt: Math.min(facts.seenAt + idleMs, facts.absoluteUntil),
  };
}

/** The session of a document; undefined when it is not of the form that this program writes. */
export function fromDocument(document: StoredDocument): Session | undefined {
  const { body } = document;
  const text = (name: string): string | undefined => {
    const value = body[name];
    return typeof value === 'string' ? value : undefined;
  };
  const number = (name: string): number | undefined => {
    const value = body[name];
    return typeof value === 'number' && Number.isFinite(value) ? value : undefined;
  };
  const texts = (name: string): readonly string[] | undefined => {
    const value = body[name];
    return Array.isArray(value) && value.every((each) => typeof each === 'string') ? value : undefined;
  };
  const stage = STAGES.find((known) => known === body.stage);
  const tenant = text('tenant') as TenantId | undefined;
  const [issuerId, issuer, subject, clientId] = [
    text('issuerId'),
    text('issuer'),
    text('subject'),
    text('clientId'),
  ];
  const [at, openedAt, seenAt, absoluteUntil] = [
    number('at'),
    number('openedAt'),
    number('seenAt'),
    number('absoluteUntil'),
  ];
  const [scopes, methods] = [texts('scopes'), texts('methods')];
  if (stage === undefined || tenant === undefined || scopes === undefined || methods === undefined)
    return undefined;
  if (issuerId === undefined || issuer === undefined || subject === undefined || clientId === undefined)
    return undefined;
  if (at === undefined || openedAt === undefined || seenAt === undefined || absoluteUntil === undefined)
    return undefined;
  // Sessions of before roles were kept have none.
  const roles = texts('roles') ?? [];
  const acr = text('acr');
  const factorAt = number('factorAt');
  const patient = text('patient');
  const common = { tenant, issuer, subject, clientId, patient };
  return Object.freeze({
    ...common,
    id: document.id,
    version: document.version,
    issuerId,
    scopes,
    roles,
    stage,
    at,
    methods,
    acr,
    factorAt,
    sid: text('sid'),
    browser: text('browser') ?? '',
    openedAt,
    seenAt,
    absoluteUntil,
    expiresAt: document.expiresAt ?? absoluteUntil,
    idToken: text('idToken'),
    person: personKey(issuer, subject),
    principal:
      stage === 'open'
        ? sessionPrincipal({
            ...common,
            scopes: new Set(scopes),
            roles: new Set(roles),
            expiresAt: absoluteUntil / 1000,
            authentication: Object.freeze({ at, methods, acr, factorAt }),
          })
        : undefined,
  });
}
