import { type ProtectPlan, plannedAccounts, READ_RESIDUES } from '../privileges/index.ts';
import type { PlannedAccounts } from './plan.ts';

/** What `protect` would change, for `readPlan`; with what is left to learn where an account may only write. Pure. */
export function planAccounts(protection: ProtectPlan): PlannedAccounts {
  const writeOnly = protection.accounts.some(
    ({ wanted }) =>
      wanted.some(({ privilege }) => privilege === 'INSERT') &&
      !wanted.some(({ privilege }) => privilege === 'SELECT'),
  );
  return { ...plannedAccounts(protection), residues: writeOnly ? READ_RESIDUES : [] };
}
