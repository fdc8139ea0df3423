import type { StateOperation } from '../../contracts/state.ts';
import type { Attempts } from '../attempts.ts';
import type { Account } from './model.ts';
import { accountDocument, passwordDocument } from './repository.ts';
import { concernOfAccount } from './requests.ts';
import { mayDoAlone, mayLose } from './rules.ts';
import { attemptsKey } from './sign-in.ts';
import {
  type AdministrationParts,
  event,
  type Outcome,
  type Plan,
  type Refused,
  refuse,
  Transactions,
  type View,
} from './transaction.ts';

/** What one administrator may do at once, since it gives nobody any rights. */
export class Alone {
  readonly #transactions: Transactions;
  readonly #attempts: Attempts;

  constructor(parts: AdministrationParts, attempts: Attempts) {
    this.#transactions = new Transactions(parts);
    this.#attempts = attempts;
  }

  /** Takes effect at once. @param seen the account's version that was looked at */
  disableAccount(actorId: string, id: string, seen?: number): Promise<Outcome<Account>> {
    return this.#about(actorId, id, seen, async (view, account) => {
      if (account.status !== 'active') return refuse('wrong-status', account.status);
      const losing = mayLose(account, await view.repository.accounts(account.organisation));
      if (!losing.ok) return losing;
      const disabled = { ...account, status: 'disabled' } as const;
      return {
        ok: true,
        value: disabled,
        steps: [
          {
            do: 'replace',
            kind: 'account',
            id,
            version: account.version,
            document: accountDocument(disabled),
          },
          ...(await view.repository.withoutCodes(id)),
        ],
        events: [event('account-disabled', account.organisation, id)],
      };
    });
  }

  /** For good; its login may be given to somebody else, its id never is. */
  removeAccount(actorId: string, id: string, seen?: number): Promise<Outcome<Account>> {
    return this.#about(actorId, id, seen, async (view, account) => {
      // A pending one is refused or taken back with its request.
      if (account.status === 'pending') return refuse('wrong-status', account.status);
      const losing = mayLose(account, await view.repository.accounts(account.organisation));
      if (!losing.ok) return losing;
      const record = await view.repository.password(id);
      const steps: StateOperation[] = [
        { do: 'remove', kind: 'account', id, version: account.version },
        ...(await view.repository.withoutCodes(id)),
      ];
      if (record) steps.push({ do: 'remove', kind: 'password', id, version: record.version });
      return {
        ok: true,
        value: account,
        steps,
        events: [event('account-removed', account.organisation, id)],
      };
    });
  }

  /** Ends the waiting after too many failures. */
  async unlockAccount(actorId: string, id: string): Promise<Outcome<Account>> {
    const done = await this.#about(actorId, id, undefined, async (_view, account) => ({
      ok: true,
      value: account,
      steps: [],
      events: [event('account-unlocked', account.organisation, id)],
    }));
    // With one that has no password yet, nobody can sign in; and the login may be that of somebody at another
    // organisation, whose guesses are not for this one to allow.
    if (done.ok && done.value.enrolled) await this.#attempts.unlock(attemptsKey(done.value.login));
    return done;
  }

  /** The present password is good for one more sign-in, at which it must be changed. */
  requirePasswordChange(actorId: string, id: string): Promise<Outcome<Account>> {
    return this.#about(actorId, id, undefined, async (view, account) => {
      const record = await view.repository.password(id);
      if (record?.current === undefined) return refuse('wrong-status', account.status);
      const document = passwordDocument({ ...record, temporary: true });
      return {
        ok: true,
        value: account,
        steps: [{ do: 'replace', kind: 'password', id, version: record.version, document }],
        events: [event('password-change-required', account.organisation, id)],
      };
    });
  }

  /** Accounts that have it lose its scopes at once. */
  removeRole(
    actorId: string,
    organisation: string,
    name: string,
    seen?: number,
  ): Promise<Outcome<{ readonly organisation: string; readonly name: string }>> {
    return this.#transactions.run(actorId, async (view) => {
      await view.hold(organisation);
      const ruling = mayDoAlone(view.actor, { organisation, account: undefined, about: 'role' });
      if (!ruling.ok) return ruling;
      const role = await view.repository.role(organisation, name);
      if (role === undefined) return refuse('not-found');
      if (seen !== undefined && seen !== role.version) return refuse('changed-meanwhile');
      return {
        ok: true,
        value: { organisation, name },
        steps: [{ do: 'remove', kind: 'role', id: role.id, version: role.version }],
        events: [event('role-removed', organisation, name)],
      };
    });
  }

  #about(
    actorId: string,
    id: string,
    seen: number | undefined,
    judge: (view: View, account: Account) => Promise<Plan<Account> | Refused>,
  ): Promise<Outcome<Account>> {
    return this.#transactions.run(actorId, async (view) => {
      const there = await view.repository.account(id);
      if (there === undefined) return refuse('not-permitted');
      await view.hold(there.organisation);
      const account = await view.repository.account(id);
      if (account === undefined) return refuse('not-permitted');
      const ruling = mayDoAlone(view.actor, concernOfAccount(account));
      if (!ruling.ok) return ruling;
      if (seen !== undefined && seen !== account.version) return refuse('changed-meanwhile');
      return judge(view, account);
    });
  }
}
