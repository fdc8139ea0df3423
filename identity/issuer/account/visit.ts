import { randomBytes } from 'node:crypto';
import type { Provider, ProviderSession } from 'oidc-provider';
import { CHANGE_WITHIN } from '../../factors/factors.ts';
import { isFresh } from '../../factors/step-up.ts';
import { hashOf } from '../../lengths.ts';
import type { Payload } from '../models.ts';
import type { PageForm, ShownPage } from '../pages.ts';
import { type IssuerParts, secondsOf } from '../parts.ts';
import type { Person } from '../people.ts';
import { strengthOf } from '../policy.ts';
import type { FactorState, PasskeySite } from '../second-factors.ts';
import { ACCOUNT_PAGES, type AccountPageName, entrance, type Reached } from './entrance.ts';

/** One request of somebody who is signed in at the issuer, for a page of their own account. */
export interface Visit {
  readonly parts: IssuerParts;
  readonly provider: Provider;
  readonly session: ProviderSession;
  readonly person: Person;
  /** Under which the person's second factors are. */
  readonly principal: string;
  readonly kept: Kept;
  readonly query: URLSearchParams;
  /** Undefined for a GET, and for a form whose anti-CSRF text did not fit. */
  readonly form: URLSearchParams | undefined;
  readonly stale: boolean;
  readonly source: string;
  readonly requestId: string;
}

export type Answer = { readonly page: ShownPage; readonly status?: number } | { readonly location: string };

/** What is remembered between two pages of one session. */
export interface Kept {
  readonly csrf: string;
  /** Seconds: when a second factor was shown on these pages. */
  readonly factorAt?: number;
}

const MODEL = 'AccountVisit';

/** Of this session and this account: whoever signs in next with the same browser begins anew. */
const nameOf = (session: ProviderSession): string => hashOf(session.uid, session.accountId ?? '');

export async function loadKept(parts: IssuerParts, session: ProviderSession): Promise<Kept> {
  const name = nameOf(session);
  const found = await parts.models.get(MODEL, name);
  if (found !== undefined) return found.payload as unknown as Kept;
  const kept: Kept = { csrf: randomBytes(24).toString('base64url') };
  if (await parts.models.add(MODEL, name, kept as unknown as Payload, secondsKept(parts))) return kept;
  return loadKept(parts, session);
}

export async function keepProof({ parts, session, kept }: Visit): Promise<void> {
  const next: Kept = { ...kept, factorAt: secondsOf(parts.clock) };
  await parts.models.put(MODEL, nameOf(session), next as unknown as Payload, secondsKept(parts));
}

const secondsKept = ({ settings }: IssuerParts): number => Math.ceil(settings.tokens.sessionMs / 1000);

export function formFor({ kept }: Visit, page: AccountPageName, query = ''): PageForm {
  return { action: `${ACCOUNT_PAGES[page]}${query}`, csrf: kept.csrf, hidden: { step: page } };
}

/** What ties a challenge to this browser and this person. */
export const bindingOf = ({ session }: Visit): string => hashOf('account', nameOf(session));

export function passkeySite({ parts: { settings } }: Visit): PasskeySite {
  const { hostname, origin } = new URL(settings.issuer);
  return { id: hostname, origin, name: settings.brand?.name ?? hostname };
}

/** Seconds at which a second factor was shown last in this session, at the sign-in or here. */
export function factorAt({ session, kept }: Visit): number | undefined {
  const atSignIn = strengthOf(session.acr) >= 2 ? session.loginTs : undefined;
  const times = [atSignIn, kept.factorAt].filter((time) => time !== undefined);
  return times.length === 0 ? undefined : Math.max(...times);
}

/**
 * Where to go first for who wants to change what they sign in with: to show a second factor, or, without one, to
 * sign in anew, if the last proof is older than ten minutes. Undefined when nothing is missing.
 */
export function proofFirst(visit: Visit, state: FactorState, page: Reached): Answer | undefined {
  const { parts, session } = visit;
  const proved = state.enrolled ? factorAt(visit) : session.loginTs;
  if (isFresh(proved, CHANGE_WITHIN, secondsOf(parts.clock))) return undefined;
  return {
    location: state.enrolled
      ? `${ACCOUNT_PAGES.proof}?to=${page}`
      : entrance(parts.settings.issuer, page, true),
  };
}

export const field = ({ form }: Visit, name: string): string => form?.get(name) ?? '';

export const stale = (visit: Visit): readonly 'stale'[] => (visit.stale ? ['stale'] : []);

/** 422 where something is wrong with what was sent. */
export function shown(page: ShownPage, problems: readonly string[]): Answer {
  return { status: problems.length > 0 ? 422 : 200, page };
}

/** A page's `problems`, left out where there are none. */
export function said<P extends string>(problems: readonly P[]): { readonly problems?: readonly P[] } {
  return problems.length > 0 ? { problems } : {};
}
