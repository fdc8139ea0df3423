import type { TenantId } from './identifiers.ts';

/**
 * Tenants by id, as they are at the moment. Parts that outlive configurations ask it each time instead of keeping a
 * list, so that a tenant that is added, changed or removed is no reason to make them anew.
 */
export interface TenantLookup<T> {
  get(id: TenantId): T | undefined;
}

/** A list that stays as it is, as a lookup. */
export function tenantLookup<T extends { readonly id: TenantId }>(
  tenants: readonly T[] | TenantLookup<T>,
): TenantLookup<T> {
  return 'get' in tenants ? tenants : new Map(tenants.map((tenant) => [tenant.id, tenant]));
}
