import type { TenantId } from '../../contracts/identifiers.ts';
import type { TenantSettings } from '../../contracts/settings.ts';
import type { TenantLookup } from '../../contracts/tenants.ts';

/**
 * The tenants that a worker serves, for parts that outlive configurations. Those that left stay known for a while:
 * requests of theirs may still be under way.
 */
export class TenantBook implements TenantLookup<TenantSettings> {
  readonly #tenants = new Map<TenantId, TenantSettings>();

  constructor(tenants: readonly TenantSettings[]) {
    for (const tenant of tenants) this.#tenants.set(tenant.id, tenant);
  }

  get(id: TenantId): TenantSettings | undefined {
    return this.#tenants.get(id);
  }

  /** From now on these. @returns forgets what left; to be called when nothing of it is under way any more */
  take(tenants: readonly TenantSettings[]): () => void {
    for (const tenant of tenants)
      if (this.#tenants.get(tenant.id) !== tenant) this.#tenants.set(tenant.id, tenant);
    if (this.#tenants.size === tenants.length) return () => {};
    const staying = new Set(tenants.map(({ id }) => id));
    const left = [...this.#tenants].filter(([id]) => !staying.has(id));
    return () => {
      // Unless it came back meanwhile.
      for (const [id, settings] of left) if (this.#tenants.get(id) === settings) this.#tenants.delete(id);
    };
  }
}
