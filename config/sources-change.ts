import type { Sources } from './sources.ts';
import { changeBetween, type TenantChange, type TenantFolder, withChange } from './tenant-files.ts';

/**
 * What has to be told of new sources to whoever has the former ones. Of ten thousand tenants those that came, changed
 * or went.
 */
export interface SourcesChange {
  /** Undefined: the very same. */
  readonly main: Pick<Sources, 'gateway' | 'policies'> | undefined;
  /** Undefined: there is no folder of tenants. */
  readonly folder: Omit<TenantFolder, 'files'> | undefined;
  readonly tenants: TenantChange;
}

export function sourcesChange(before: Sources, now: Sources): SourcesChange {
  const { gateway, policies, tenants } = now;
  const same = before.gateway === gateway && before.policies === policies;
  const { files, ...folder } = tenants ?? {};
  return {
    main: same ? undefined : { gateway, policies },
    folder: tenants === undefined ? undefined : (folder as Omit<TenantFolder, 'files'>),
    tenants: changeBetween(before.tenants, tenants),
  };
}

/** The new sources, with the objects of the former ones for all that did not change. */
export function withSourcesChange(before: Sources, { main, folder, tenants }: SourcesChange): Sources {
  const { gateway, policies } = main ?? before;
  if (folder === undefined) return { gateway, policies };
  const former: TenantFolder = { ...folder, files: before.tenants?.files ?? new Map() };
  return { gateway, policies, tenants: withChange(former, tenants) };
}
