import { type Account, type ApprovalRequest, HOST, type RequestAction, stateOf } from './model.ts';
import { STAFF_ORGANISATION } from './names.ts';

/** Why something is not done. Values, not exceptions; none of them tells a secret. */
export const REFUSALS = [
  /** No rights over this organisation, or none at all. Also for what is not there. */
  'not-permitted',
  /** Nobody changes, enables, disables or resets himself. */
  'own-account',
  /** Nobody approves what he asked for. */
  'own-request',
  /** Who asked is no administrator any more, so that only one person would stand behind it. */
  'requester-gone',
  'request-closed',
  'request-expired',
  /** At least two administrators must stay. */
  'last-administrators',
  /** The account, role or request is another by now than the one that was seen. */
  'changed-meanwhile',
  /** The account is not in the state that this can be done in. */
  'wrong-status',
  'not-found',
  'login-taken',
  'name-taken',
  'unknown-role',
  /** A value has not the form that it must have. */
  'invalid',
] as const;
export type Refusal = (typeof REFUSALS)[number];

export type Ruling = { readonly ok: true } | { readonly ok: false; readonly reason: Refusal };

const YES: Ruling = Object.freeze({ ok: true });
const no = (reason: Refusal): Ruling => ({ ok: false, reason });

/** Whoever acts: the host, or an account as it is kept now. */
export type Actor = { readonly id: typeof HOST } | Account;

/** What is asked about, in the words of the rules. */
export interface Concern {
  readonly organisation: string;
  /** Whose account; undefined for roles and organisations. */
  readonly account: string | undefined;
  /** `user`: an account without administration, before and after; `administrator`: Admin or Staff. */
  readonly about: 'user' | 'administrator' | 'role' | 'organisation';
}

const isHost = (actor: Actor): actor is { readonly id: typeof HOST } => actor.id === HOST;

/** Whether an account looks after others: Admin in its organisation, Staff in that of the Staff. */
export function administers(account: Pick<Account, 'organisation' | 'roles'>): boolean {
  return account.roles.includes(account.organisation === STAFF_ORGANISATION ? 'staff' : 'admin');
}

/** The host, or one of the Staff. */
export function isStaff(actor: Actor): boolean {
  if (isHost(actor)) return true;
  return (
    actor.status === 'active' && actor.organisation === STAFF_ORGANISATION && actor.roles.includes('staff')
  );
}

/**
 * Who has a say. Administrators, in everything of their own organisation. Staff, in what concerns
 * organisations and their administrators, so that a clinic whose two administrators cannot help each other is
 * not locked out; never in the accounts and roles of an organisation that is not theirs.
 */
export function hasSay(actor: Actor, concern: Concern): boolean {
  if (isStaff(actor)) {
    if (concern.organisation === STAFF_ORGANISATION) return concern.about !== 'role';
    return concern.about === 'organisation' || concern.about === 'administrator';
  }
  if (isHost(actor) || actor.status !== 'active' || concern.about === 'organisation') return false;
  return actor.organisation === concern.organisation && administers(actor);
}

/** Whether somebody may ask for it; what he asks for still waits for a second person. */
export function mayAsk(actor: Actor, concern: Concern): Ruling {
  if (!hasSay(actor, concern)) return no('not-permitted');
  return concern.account !== undefined && concern.account === actor.id ? no('own-account') : YES;
}

/** What one person may do alone, since it only takes rights away: disable, remove, unlock. */
export const mayDoAlone = mayAsk;

/**
 * Whether this person makes it two. `requester` is whoever asked, as he is now; undefined when there is no
 * such account any more.
 */
export function mayApprove(
  actor: Actor,
  requester: Actor | undefined,
  request: ApprovalRequest,
  concern: Concern,
  now: number,
): Ruling {
  // Before anything is said of the request: to others it does not exist.
  if (!hasSay(actor, concern)) return no('not-permitted');
  const state = stateOf(request, now);
  if (state === 'expired') return no('request-expired');
  if (state !== 'open') return no('request-closed');
  if (actor.id === request.requestedBy) return no('own-request');
  if (concern.account === actor.id || request.halves.some(({ account }) => account === actor.id)) {
    return no('own-account');
  }
  if (requester === undefined || requester.id !== request.requestedBy || !hasSay(requester, concern)) {
    return no('requester-gone');
  }
  return YES;
}

/** Who asked may take it back; the others may refuse it, but not whom it is about. */
export function mayReject(actor: Actor, request: ApprovalRequest, concern: Concern, now: number): Ruling {
  if (!hasSay(actor, concern)) return no('not-permitted');
  const state = stateOf(request, now);
  if (state === 'expired') return no('request-expired');
  if (state !== 'open') return no('request-closed');
  return concern.account === actor.id ? no('own-account') : YES;
}

/** At least this many administrators: one alone could do nothing that takes two. */
export const FEWEST_ADMINISTRATORS = 2;

/**
 * Whether an account may stop being an administrator: at least two active ones must stay, and if it is one
 * that can sign in, two that can sign in.
 * @param all every account of the organisation
 */
export function mayLose(account: Account, all: readonly Account[]): Ruling {
  if (account.status !== 'active' || !administers(account)) return YES;
  const staying = all.filter(
    (each) => each.id !== account.id && each.status === 'active' && administers(each),
  );
  const able = account.enrolled ? staying.filter((each) => each.enrolled) : staying;
  return Math.min(staying.length, able.length) < FEWEST_ADMINISTRATORS ? no('last-administrators') : YES;
}

/** In which status of an account each request makes sense; `none`: there must be no such account yet. */
export const FITTING_STATUS: Readonly<Record<RequestAction, Account['status'] | 'none'>> = Object.freeze({
  'create-organisation': 'none',
  'create-account': 'pending',
  'change-account': 'active',
  'enable-account': 'disabled',
  'reset-password': 'active',
  'reset-factors': 'active',
  'set-role': 'none',
});
