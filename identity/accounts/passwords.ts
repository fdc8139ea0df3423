import type { StateOperation } from '../../contracts/state.ts';
import { sourceOf } from '../attempts.ts';
import { dummyPhc, hashPassword, verifyPassword } from './argon2.ts';
import { halfHash, parseCode, sameHash } from './codes.ts';
import { type AccountEventName, announce, eventStep } from './events.ts';
import { type Account, ELSEWHERE, type PasswordRecord } from './model.ts';
import { judgePassword, type PasswordFault } from './password-policy.ts';
import { type PasswordText, parsePassword, passwordBytes } from './password-text.ts';
import { accountDocument, passwordDocument } from './repository.ts';
import { attemptsKey, type SignInParts } from './sign-in.ts';

export interface PasswordChange {
  /** Id of the account. */
  readonly account: string;
  readonly present: string;
  readonly next: string;
  /** The client's address. */
  readonly source: string;
}

export interface CodeRedemption {
  /** Both halves, as typed. */
  readonly code: string;
  readonly next: string;
  readonly source: string;
}

export type PasswordSet =
  | { readonly ok: true; readonly account: Account }
  | {
      readonly ok: false;
      /** `refused`: the present password or the code is not right, or too many tries; told to nobody why. */
      readonly reason: 'refused' | 'busy' | 'unacceptable';
      readonly faults: readonly PasswordFault[];
    };

const refused: PasswordSet = Object.freeze({ ok: false, reason: 'refused', faults: Object.freeze([]) });
const busy: PasswordSet = Object.freeze({ ok: false, reason: 'busy', faults: Object.freeze([]) });

/** Has the form of an id; there is no such account. */
const NO_ACCOUNT = 'nobody';

/** Sets passwords: with the present one, or with a one-time code that two administrators approved. */
export class PasswordSetting {
  readonly #parts: SignInParts;
  readonly #dummy: string;

  constructor(parts: SignInParts) {
    this.#parts = parts;
    this.#dummy = dummyPhc(parts.settings.argon2);
  }

  /** Rejects with `state-unavailable` only. The present password is asked for again, and counted when wrong. */
  async change({ account: id, present, next, source }: PasswordChange): Promise<PasswordSet> {
    const { repository, attempts, queue } = this.#parts;
    if (queue.full) return busy;
    const account = await repository.account(id);
    const leave = await attempts.reserve({
      account: attemptsKey(account?.login ?? ''),
      source: sourceOf(source),
    });
    const record = await repository.password(id);
    const typed = parsePassword(present);
    const right = await this.#is(typed, record?.current ?? this.#dummy);
    if (right === undefined) {
      if (leave.ok) await leave.abandoned();
      return busy;
    }
    if (!leave.ok || account?.status !== 'active' || record?.current === undefined || !right) return refused;
    await leave.succeeded();
    return this.#set(account, record, next, 'password-changed', []);
  }

  /**
   * Sets the first password of an account, or a new one after a reset. The code ends with it; while the new
   * password is not acceptable, the code stays. Rejects with `state-unavailable` only.
   */
  async redeem({ code, next, source }: CodeRedemption): Promise<PasswordSet> {
    const { repository, attempts } = this.#parts;
    const halves = parseCode(code);
    const first = halfHash(halves?.first ?? '');
    // Nobody guesses 160 bits; counted all the same, so that nobody keeps us busy with trying.
    const leave = await attempts.reserve({ account: `code ${first}`, source: sourceOf(source) });
    if (!leave.ok || halves === undefined) return refused;
    const found = await repository.store.get('account-code', first);
    // As much is looked up for a code that there is not.
    const account = await repository.account(String(found?.body.account ?? NO_ACCOUNT));
    const right = sameHash(String(found?.body.second ?? ''), halfHash(halves.second));
    if (found === undefined || account?.status !== 'active' || !right) return refused;
    // Of a login that another organisation has: refused like a code that is not right, and to nobody else's knowledge.
    if (account[ELSEWHERE] === true) return refused;
    await leave.succeeded();
    const used: StateOperation = {
      do: 'remove',
      kind: 'account-code',
      id: found.id,
      version: found.version,
    };
    const steps: StateOperation[] = [used];
    if (!account.enrolled) {
      steps.push({
        do: 'replace',
        kind: 'account',
        id: account.id,
        version: account.version,
        document: accountDocument({ ...account, enrolled: true }),
      });
    }
    const record = await repository.password(account.id);
    const event = account.enrolled ? 'password-changed' : 'account-enrolled';
    return this.#set(account, record, next, event, steps);
  }

  /** Judges a password as one would be that is being set, without setting it. For pages and commands. */
  async judge(account: Account, next: string): Promise<readonly PasswordFault[]> {
    const judged = await judgePassword(next, this.#parts.settings.passwords, { names: namesOf(account) });
    return judged.ok ? [] : judged.faults;
  }

  async #set(
    account: Account,
    record: PasswordRecord | undefined,
    next: string,
    what: AccountEventName,
    steps: readonly StateOperation[],
  ): Promise<PasswordSet> {
    const { repository, settings, clock, queue } = this.#parts;
    const { passwords, argon2 } = settings;
    const judged = await judgePassword(next, passwords, { names: namesOf(account) });
    if (!judged.ok) return { ok: false, reason: 'unacceptable', faults: judged.faults };
    const earlier = lastOnes(record, passwords.remembered);
    for (const phc of earlier) {
      const same = await this.#is(judged.password, phc);
      if (same === undefined) return busy;
      if (same) return { ok: false, reason: 'unacceptable', faults: ['used-before'] };
    }
    const current = await queue.run(() => withBytes(judged.password, (bytes) => hashPassword(bytes, argon2)));
    if (current === undefined) return busy;
    const at = clock.wall();
    const document = passwordDocument({
      account: account.id,
      current,
      former: earlier.slice(0, Math.max(0, passwords.remembered - 1)),
      changedAt: at,
      temporary: false,
    });
    const event = {
      what,
      organisation: account.organisation,
      subject: account.id,
      actor: account.id,
      at,
      details: {},
    };
    const kept = await repository.store.commit([
      ...steps,
      record === undefined
        ? { do: 'insert', kind: 'password', id: account.id, document }
        : { do: 'replace', kind: 'password', id: account.id, version: record.version, document },
      eventStep(event),
    ]);
    // Somebody else changed it, or used the code, at the same time.
    if (!kept) return refused;
    announce(event);
    const now = await repository.account(account.id);
    return now === undefined ? refused : { ok: true, account: now };
  }

  /** Undefined when too many wait. */
  async #is(password: PasswordText | undefined, phc: string): Promise<boolean | undefined> {
    const { queue } = this.#parts;
    if (password !== undefined) {
      return queue.run(() => withBytes(password, (bytes) => verifyPassword(bytes, phc)));
    }
    // What cannot be a password takes as long as one that is wrong.
    return queue.run(async () => (await verifyPassword(Buffer.alloc(16), phc)) && false);
  }
}

async function withBytes<T>(password: PasswordText, use: (bytes: Buffer) => Promise<T>): Promise<T> {
  const bytes = passwordBytes(password);
  try {
    return await use(bytes);
  } finally {
    bytes.fill(0);
  }
}

/** Newest first: the present one and those before it, as many as are remembered. */
function lastOnes(record: PasswordRecord | undefined, remembered: number): readonly string[] {
  if (record === undefined) return [];
  return [...(record.current === undefined ? [] : [record.current]), ...record.former].slice(0, remembered);
}

const namesOf = (account: Account): readonly string[] => [account.login, account.name, account.organisation];
