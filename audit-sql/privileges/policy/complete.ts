import { ChartgateError } from '../../../contracts/errors.ts';
import { type Account, sameAccount } from '../../names.ts';
import { deepFreeze, PRESETS } from './parse.ts';
import type { PolicyRole, PrivilegePolicy } from './types.ts';

/** Adds accounts to the first role that fits, or to the preset when the policy has none. */
function withAccounts(
  policy: PrivilegePolicy,
  named: readonly Account[],
  preset: string,
  fits: (role: PolicyRole) => boolean,
): PrivilegePolicy {
  if (named.length === 0) return policy;
  const there = policy.roles.find(fits);
  const base = there ?? PRESETS.get(preset);
  if (base === undefined) throw new ChartgateError('internal', `There is no preset ${preset}.`);
  const extended: PolicyRole = {
    ...base,
    prefixes: there === undefined ? [] : base.prefixes,
    accounts: [
      ...base.accounts,
      ...named.filter((account) => !base.accounts.some((known) => sameAccount(known, account))),
    ],
  };
  const roles =
    there === undefined
      ? [...policy.roles, extended]
      : policy.roles.map((one) => (one === there ? extended : one));
  return deepFreeze({ ...policy, roles });
}

/**
 * A policy with the accounts that were named on the command line: the EMR's, in the role `emr`, and the
 * checker's, in the role with `guard`.
 */
export function completePolicy(
  policy: PrivilegePolicy,
  options: { readonly emrAccounts?: readonly Account[]; readonly checker?: Account | undefined },
): PrivilegePolicy {
  const withEmr = withAccounts(policy, options.emrAccounts ?? [], 'emr', (one) => one.name === 'emr');
  const checker = options.checker === undefined ? [] : [options.checker];
  return withAccounts(withEmr, checker, 'integrity-checker', (one) => one.guard);
}
