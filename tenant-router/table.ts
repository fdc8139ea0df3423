import { isDeepStrictEqual } from 'node:util';
import { ChartgateError } from '../contracts/errors.ts';
import type { BackendSettings, TenantSettings } from '../contracts/settings.ts';
import { PooledBackend } from './backend.ts';
import type { CircuitSettings } from './circuit.ts';
import { PooledTenant } from './tenant.ts';
import type { PoolSettings } from './transport.ts';

export type TenantFound = { readonly ok: true; readonly tenant: PooledTenant };

interface Entry {
  readonly host: string;
  readonly route: TenantFound;
}

/** Every tenant, and which one an authority means. */
export interface Table {
  readonly tenants: readonly PooledTenant[];
  readonly byId: ReadonlyMap<string, PooledTenant>;
  readonly byAuthority: ReadonlyMap<string, Entry>;
}

export const NO_TENANTS: Table = Object.freeze({ tenants: [], byId: new Map(), byAuthority: new Map() });

/**
 * Checks first and makes last, so that a refusal leaves nothing behind. A tenant whose settings are the very same
 * object stays as it is, which is what makes one more among thousands cheap; of one that changed, the back ends that
 * did not keep their connections and their breaker.
 * @throws ChartgateError `configuration-invalid`
 */
export function buildTable(
  settings: readonly TenantSettings[],
  before: Table,
  pools: PoolSettings,
  circuit: CircuitSettings,
): { readonly table: Table; readonly removed: readonly PooledBackend[] } {
  const changed = changeTable(settings, before, pools, circuit);
  if (changed !== undefined) return changed;
  check(settings);
  const byId = new Map<string, PooledTenant>();
  const byAuthority = new Map<string, Entry>();
  const tenants: PooledTenant[] = [];
  const removed: PooledBackend[] = [];
  for (const each of settings) {
    const former = before.byId.get(each.id);
    const tenant = former?.settings === each ? former : tenantOf(each, former, removed, pools, circuit);
    tenants.push(tenant);
    byId.set(each.id, tenant);
    for (const authority of each.hosts) {
      const entry = before.byAuthority.get(authority);
      if (entry?.route.tenant === tenant) byAuthority.set(authority, entry);
      else
        byAuthority.set(authority, { host: hostOf(authority), route: Object.freeze({ ok: true, tenant }) });
    }
  }
  for (const former of before.tenants) if (!byId.has(former.id)) removed.push(...former.backends);
  return { table: { tenants: Object.freeze(tenants), byId, byAuthority }, removed };
}

/** Tenants that may differ for the former table to be copied instead of being built anew. */
const FEW = 64;

/**
 * The former table with a few changes: of thousands of tenants only those that differ are looked at. Undefined where
 * more do, or where something is wrong, which then is found by looking at all.
 */
function changeTable(
  settings: readonly TenantSettings[],
  before: Table,
  pools: PoolSettings,
  circuit: CircuitSettings,
): { readonly table: Table; readonly removed: readonly PooledBackend[] } | undefined {
  const coming = settings.filter((each) => before.byId.get(each.id)?.settings !== each);
  if (coming.length > FEW || before.tenants.length <= FEW) return undefined;
  const byId = new Map(before.byId);
  const byAuthority = new Map(before.byAuthority);
  const removed: PooledBackend[] = [];
  const replaced = coming.flatMap(({ id }) => before.byId.get(id) ?? []);
  const gone = goneFrom(settings, before, settings.length - coming.length + replaced.length);
  for (const former of [...gone, ...replaced]) {
    byId.delete(former.id);
    for (const authority of former.settings.hosts) byAuthority.delete(authority);
  }
  for (const former of gone) removed.push(...former.backends);
  for (const each of coming) {
    if (each.hosts.length === 0 || each.backends.length === 0 || byId.has(each.id)) return undefined;
    const tenant = tenantOf(each, before.byId.get(each.id), removed, pools, circuit);
    byId.set(each.id, tenant);
    for (const authority of each.hosts) {
      if (byAuthority.has(authority)) return undefined;
      byAuthority.set(authority, { host: hostOf(authority), route: Object.freeze({ ok: true, tenant }) });
    }
  }
  const tenants: PooledTenant[] = [];
  for (const { id } of settings) {
    const tenant = byId.get(id);
    if (tenant !== undefined) tenants.push(tenant);
  }
  if (byId.size !== settings.length || new Set(tenants).size !== settings.length) return undefined;
  return { table: { tenants: Object.freeze(tenants), byId, byAuthority }, removed };
}

/** @param staying how many of the former ones are among the settings */
function goneFrom(
  settings: readonly TenantSettings[],
  before: Table,
  staying: number,
): readonly PooledTenant[] {
  if (before.tenants.length === staying) return [];
  const ids = new Set<string>(settings.map(({ id }) => id));
  return before.tenants.filter(({ id }) => !ids.has(id));
}

function tenantOf(
  settings: TenantSettings,
  former: PooledTenant | undefined,
  removed: PooledBackend[],
  pools: PoolSettings,
  circuit: CircuitSettings,
): PooledTenant {
  const reusable = [...(former?.backends ?? [])];
  const backends = settings.backends.map((backend) => {
    const at = reusable.findIndex((candidate) => same(candidate.settings, backend));
    const [kept] = at < 0 ? [] : reusable.splice(at, 1);
    return kept ?? new PooledBackend(backend, pools, circuit);
  });
  removed.push(...reusable);
  return new PooledTenant(settings, Object.freeze(backends), circuit.clock);
}

/** Whatever is set about it; a secret shows itself only when it is asked. */
function same(a: BackendSettings, b: BackendSettings): boolean {
  if (a === b) return true;
  const { clientCertificate: own, ...others } = a;
  const { clientCertificate: other, ...rest } = b;
  if (!isDeepStrictEqual(others, rest)) return false;
  if (own === undefined || other === undefined) return own === other;
  return own.certificate.equals(other.certificate) && own.key.reveal().equals(other.key.reveal());
}

function hostOf(authority: string): string {
  return authority.replace(/:[0-9]+$/, '');
}

/** The configuration was checked for this already; two tenants on one host are refused here all the same. */
function check(settings: readonly TenantSettings[]): void {
  const ids = new Set<string>();
  const hosts = new Map<string, string>();
  for (const { id, hosts: authorities, backends } of settings) {
    if (ids.has(id)) throw new ChartgateError('configuration-invalid', `tenant "${id}" is configured twice`);
    ids.add(id);
    if (authorities.length === 0 || backends.length === 0) {
      throw new ChartgateError('configuration-invalid', `tenant "${id}" needs a host and a back end`);
    }
    for (const authority of authorities) {
      const other = hosts.get(authority);
      if (other !== undefined) {
        throw new ChartgateError(
          'configuration-invalid',
          `tenants "${other}" and "${id}" both have the host "${authority}"`,
        );
      }
      hosts.set(authority, id);
    }
  }
}
