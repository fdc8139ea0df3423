import type { Account, Accounts, Outcome } from '../../identity/accounts/index.ts';
import type { Call } from './types.ts';

/** Leaves a refusal as it is, and makes an answer of a success. */
export async function answered<T, D>(
  outcome: Promise<Outcome<T>>,
  done: (value: T) => D | Promise<D>,
): Promise<D | Outcome<never>> {
  const known = await outcome;
  return known.ok ? done(known.value) : known;
}

export const pageOf = ({ limit, after }: Call) => ({ limit, after });

export const now = (): number => Date.now();

/** Read again after the commit: the version that a caller names in `If-Match` must be the one that is kept. */
export async function fresh(accounts: Accounts, ids: readonly string[]): Promise<readonly Account[]> {
  const found = await Promise.all(ids.map((id) => accounts.account(id)));
  return found.filter((account) => account !== undefined);
}
