import type { Account } from './model.ts';
import { isBuiltInRole, STAFF_ORGANISATION } from './names.ts';
import type { AccountRepository } from './repository.ts';

/** Scopes of the administration interface. Only the built-in roles carry them. */
export const ADMIN_SCOPES = [
  'admin/accounts.read',
  'admin/accounts.write',
  'admin/requests.read',
  'admin/requests.decide',
  'admin/roles.read',
  'admin/roles.write',
  'admin/events.read',
  'admin/organisations.read',
  'admin/organisations.write',
] as const;
export type AdminScope = (typeof ADMIN_SCOPES)[number];

const ADMIN: readonly AdminScope[] = ADMIN_SCOPES.filter((scope) => scope !== 'admin/organisations.write');

/**
 * What an account may have in a token at most: the scopes of its custom roles, and those of the administration
 * for Admin and Staff. An account that is not active, and a role that there is not, give nothing.
 */
export async function scopesOf(
  repository: AccountRepository,
  account: Account,
): Promise<ReadonlySet<string>> {
  const scopes = new Set<string>();
  if (account.status !== 'active') return scopes;
  for (const role of account.roles) {
    if (isBuiltInRole(role)) {
      if (role === 'staff' && account.organisation === STAFF_ORGANISATION) {
        for (const scope of ADMIN_SCOPES) scopes.add(scope);
      }
      if (role === 'admin' && account.organisation !== STAFF_ORGANISATION) {
        for (const scope of ADMIN) scopes.add(scope);
      }
      continue;
    }
    for (const scope of (await repository.role(account.organisation, role))?.scopes ?? []) scopes.add(scope);
  }
  return scopes;
}
