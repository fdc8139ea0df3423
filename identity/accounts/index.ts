import { availableParallelism } from 'node:os';
import type { AccountSettings } from '../../contracts/account-settings.ts';
import { type Clock, systemClock } from '../../contracts/clock.ts';
import type { StateStore } from '../../contracts/state.ts';
import { type Attempts, createAttempts } from '../attempts.ts';
import { factorPrincipal } from '../factors/principal.ts';
import { Alone } from './alone.ts';
import { Asking } from './asking.ts';
import { BoundedQueue } from './bounded-queue.ts';
import { Deciding } from './deciding.ts';
import { Looking } from './looking.ts';
import type { Account } from './model.ts';
import { PasswordSetting } from './passwords.ts';
import { AccountRepository, roleId } from './repository.ts';
import { administers } from './rules.ts';
import { scopesOf } from './scopes.ts';
import { PasswordSignIn } from './sign-in.ts';

export type { AccountAsked, NewAccount, OrganisationAsked } from './asking.ts';
export type { Decided } from './deciding.ts';
export {
  ACCOUNT_EVENTS,
  type AccountEventName,
  ENDS_SESSIONS,
  ENDS_SESSIONS_OF_ROLE,
  type KeptEvent,
} from './events.ts';
export type { GrantsInput, Person } from './inputs.ts';
export type { AccountDetails, Listed, Page } from './looking.ts';
export {
  ACCOUNT_STATUSES,
  type Account,
  type ApprovalRequest,
  HOST,
  type Organisation,
  REQUEST_ACTIONS,
  REQUEST_STATES,
  type RequestState,
  type Role,
  stateOf,
} from './model.ts';
export { BUILT_IN_ROLES, parseLogin, STAFF_ORGANISATION } from './names.ts';
export { PASSWORD_FAULTS, type PasswordFault } from './password-policy.ts';
export type { CodeRedemption, PasswordChange, PasswordSet } from './passwords.ts';
export type { Asked, IssuedCode } from './requests.ts';
export { REFUSALS, type Refusal } from './rules.ts';
export { ADMIN_SCOPES, type AdminScope } from './scopes.ts';
export type { SignIn, SignInAttempt, SignInDetail } from './sign-in.ts';
export type { Outcome } from './transaction.ts';

export interface AccountsOptions {
  readonly store: StateStore;
  readonly settings: AccountSettings;
  readonly clock?: Clock;
  /** URL of the issuer, under which its accounts' second factors are kept; without it they cannot be reset. */
  readonly issuer?: string;
}

/** Accounts of the embedded issuer. All methods reject with `state-unavailable` when the store cannot be asked. */
export interface Accounts {
  readonly signIn: PasswordSignIn;
  readonly passwords: PasswordSetting;
  /** What waits for a second person. */
  readonly asking: Asking;
  /** The second person. */
  readonly deciding: Deciding;
  /** What one administrator may do at once. */
  readonly alone: Alone;
  readonly looking: Looking;
  /** As it is now; whoever issues tokens asks each time, and takes only an `active` one. */
  account(id: string): Promise<Account | undefined>;
  /** What a token of the account may have at most. */
  scopesOf(account: Account): Promise<ReadonlySet<string>>;
  /** Ids of the accounts of an organisation that have a custom role. @param role its name, or its id */
  holdersOf(organisation: string, role: string): Promise<readonly string[]>;
  /** Whether an account is an active administrator of the organisation (Staff: of that of the Staff). */
  isAdministrator(id: string, organisation: string): Promise<boolean>;
}

/** Ends of the count of failures, as passwords need them: a success from a source clears nobody else's. */
function passwordAttempts({ store, settings, clock = systemClock }: AccountsOptions): Attempts {
  const { failures, durationMs, sourceFailures } = settings.lockout;
  return createAttempts({
    store,
    clock,
    purpose: 'password',
    limits: {
      account: { failures, lockMs: durationMs },
      source: { failures: sourceFailures, lockMs: durationMs, clearedBySuccess: false },
      // NIST SP 800-63B-4 §3.2.2: no more than 100 in a row.
      consecutive: { failures: 100, keepMs: 400 * 24 * 3_600_000 },
    },
  });
}

/** A hash takes a core for tens of milliseconds, and one core stays with those who answer requests. */
const lanes = (most: number): number => Math.max(1, Math.min(most, availableParallelism() - 1));

export function createAccounts(options: AccountsOptions): Accounts {
  const { store, settings, clock = systemClock } = options;
  const repository = new AccountRepository(store);
  const attempts = passwordAttempts(options);
  const queue = new BoundedQueue(lanes(settings.argon2.concurrency), settings.argon2.waiting);
  const { issuer } = options;
  const factorSteps =
    issuer === undefined
      ? undefined
      : async (account: string) => {
          const { resetSteps } = await import('../factors/reset.ts');
          return resetSteps(store, factorPrincipal(issuer, account));
        };
  const administration = { repository, settings, clock, factorSteps };
  const password = { ...administration, attempts, queue };
  return Object.freeze({
    signIn: new PasswordSignIn(password),
    passwords: new PasswordSetting(password),
    asking: new Asking(administration),
    deciding: new Deciding(administration),
    alone: new Alone(administration, attempts),
    looking: new Looking(administration, attempts),
    account: (id: string) => repository.account(id),
    scopesOf: (account: Account) => scopesOf(repository, account),
    holdersOf: async (organisation: string, role: string) =>
      (await repository.accounts(organisation))
        .filter(({ roles }) => roles.some((name) => name === role || roleId(organisation, name) === role))
        .map(({ id }) => id),
    isAdministrator: async (id: string, organisation: string) => {
      const account = await repository.account(id);
      return account?.status === 'active' && account.organisation === organisation && administers(account);
    },
  });
}
