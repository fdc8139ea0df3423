import { randomBytes } from 'node:crypto';
import { setImmediate as othersFirst } from 'node:timers/promises';
import type { AccountSettings } from '../../contracts/account-settings.ts';
import type { Clock } from '../../contracts/clock.ts';
import { type Attempts, sourceOf } from '../attempts.ts';
import { hashOf } from '../lengths.ts';
import { dummyPhc, hashPassword, outdated, verifyPassword } from './argon2.ts';
import type { BoundedQueue } from './bounded-queue.ts';
import type { Account, PasswordRecord } from './model.ts';
import { parseLogin } from './names.ts';
import { parsePassword, passwordBytes } from './password-text.ts';
import { type AccountRepository, accountDocument, passwordDocument } from './repository.ts';

export interface SignInAttempt {
  /** As typed. */
  readonly login: string;
  /** As typed. */
  readonly password: string;
  /** The client's address. */
  readonly source: string;
}

export type SignIn =
  | {
      readonly ok: true;
      readonly account: Account;
      /** A new password must be set before anything else. */
      readonly change: 'temporary' | 'expired' | undefined;
      /** Wall-clock milliseconds. */
      readonly at: number;
    }
  | {
      readonly ok: false;
      /** All that may be told: the same whether the account exists, is locked, or the password is wrong. */
      readonly reason: 'refused' | 'busy';
      /** For the log by request id, never for the outside. */
      readonly detail: SignInDetail;
    };
export type SignInDetail =
  | 'malformed'
  | 'unknown'
  | 'inactive'
  | 'no-password'
  | 'wrong-password'
  | 'locked-account'
  | 'locked-source'
  | 'closed'
  | 'changed-meanwhile'
  | 'busy';

export interface SignInParts {
  readonly repository: AccountRepository;
  readonly settings: AccountSettings;
  readonly clock: Clock;
  readonly attempts: Attempts;
  readonly queue: BoundedQueue;
}

/** Logins of this form nobody can have: `parseLogin` takes none of them. */
const NOBODY = '';
const DECOY_LOGIN = ' decoy';
const DECOY = 'decoy';

/** What attempts are counted by: the login as it is compared, whether or not there is such an account. */
export const attemptsKey = (login: string): string => hashOf('login', login);

/**
 * Judges logins and passwords. Whatever the case, of two look-ups of an account one finds something and one does
 * not, likewise of two look-ups of a password, and one Argon2id is computed with the same parameters, so that
 * neither answer nor time tells whether an account exists. What is found in the place of what there is not is a
 * decoy: an account that is disabled, of no organisation, with a hash that no password has. Never throws for wrong
 * credentials; rejects with `state-unavailable`.
 */
export class PasswordSignIn {
  readonly #parts: SignInParts;
  readonly #dummy: string;
  /** Id that no account has, of the usual length. */
  readonly #absent = randomBytes(16).toString('base64url');

  #decoy: Promise<void> | undefined;

  constructor(parts: SignInParts) {
    this.#parts = parts;
    this.#dummy = dummyPhc(parts.settings.argon2);
  }

  async authenticate(attempt: SignInAttempt): Promise<SignIn> {
    const { repository, clock, attempts, queue } = this.#parts;
    // Before the attempt is counted: a flood must not lock accounts that nobody looked at.
    if (queue.full) return BUSY;
    const login = parseLogin(attempt.login);
    const password = parsePassword(attempt.password);
    const bytes = password ? passwordBytes(password) : Buffer.alloc(16);
    try {
      const leave = await attempts.reserve({
        account: attemptsKey(login ?? attempt.login.slice(0, 512)),
        source: sourceOf(attempt.source),
      });
      this.#decoy ??= this.#keepDecoy();
      await this.#decoy;
      // Whoever signs in has time; those whose requests came meanwhile are answered between one step and the next.
      await othersFirst();
      const account = await repository.accountByLogin(login ?? NOBODY);
      await othersFirst();
      const other = await repository.accountByLogin(account === undefined ? DECOY_LOGIN : NOBODY);
      await othersFirst();
      const record = await repository.password(account?.id ?? this.#absent);
      await othersFirst();
      const another = await repository.password(record === undefined ? DECOY : this.#absent);
      const phc = record?.current ?? this.#dummy;
      // Whatever was found besides counts for nothing; mentioned, so that nobody takes it for superfluous.
      void other;
      void another;
      await othersFirst();
      const matches = await queue.run(() => verifyPassword(bytes, phc));
      await othersFirst();
      if (matches === undefined) {
        if (leave.ok) await leave.abandoned();
        return BUSY;
      }
      if (!leave.ok) return refused(leave.by === 'closed' ? 'closed' : `locked-${leave.by}`);
      if (login === undefined || password === undefined) return refused('malformed');
      if (account === undefined) return refused('unknown');
      if (record?.current === undefined) return refused('no-password');
      if (!matches) return refused('wrong-password');
      if (account.status !== 'active') return refused('inactive');
      const at = clock.wall();
      const change = this.#mustChange(record, at);
      // While the password was hashed, an administrator may have acted.
      const [now, held] = await Promise.all([
        repository.account(account.id),
        repository.password(account.id),
      ]);
      if (now?.status !== 'active' || held?.version !== record.version) return refused('changed-meanwhile');
      await othersFirst();
      await leave.succeeded();
      await this.#renew(record, bytes);
      return Object.freeze({ ok: true, account: now, change, at });
    } finally {
      bytes.fill(0);
    }
  }

  /** Made once for a store; of an organisation that there cannot be, so that no list has it. */
  async #keepDecoy(): Promise<void> {
    const { store } = this.#parts.repository;
    const account = accountDocument({
      organisation: '',
      login: DECOY_LOGIN,
      name: 'decoy of an account',
      status: 'disabled',
      enrolled: true,
      roles: ['user'],
      patients: [],
      fhirUser: undefined,
      provenance: { by: 'two', requestedBy: this.#absent, approvedBy: this.#absent },
      createdAt: 0,
    });
    const password = passwordDocument({
      account: DECOY,
      current: this.#dummy,
      former: [],
      changedAt: 0,
      temporary: false,
    });
    try {
      // False where there is one already.
      await store.insert('account', DECOY, account);
      await store.insert('password', DECOY, password);
    } catch (error) {
      // Tried again with the next sign-in; without it nobody is judged.
      this.#decoy = undefined;
      throw error;
    }
  }

  #mustChange(record: PasswordRecord, now: number): 'temporary' | 'expired' | undefined {
    if (record.temporary) return 'temporary';
    const { maximumAgeMs } = this.#parts.settings.passwords;
    return maximumAgeMs !== undefined && now - record.changedAt > maximumAgeMs ? 'expired' : undefined;
  }

  /** A hash with parameters of former times becomes one of today's; the only moment the password is known. */
  async #renew(record: PasswordRecord, bytes: Buffer): Promise<void> {
    const { repository, settings, queue } = this.#parts;
    if (record.current === undefined || !outdated(record.current, settings.argon2)) return;
    const current = await queue.run(() => hashPassword(bytes, settings.argon2));
    // Too busy now, or changed meanwhile: the next sign-in does it.
    if (current === undefined) return;
    await repository.store.replace(
      'password',
      record.account,
      record.version,
      passwordDocument({ ...record, current }),
    );
  }
}

const BUSY: SignIn = Object.freeze({ ok: false, reason: 'busy', detail: 'busy' });
const refused = (detail: SignInDetail): SignIn => Object.freeze({ ok: false, reason: 'refused', detail });
