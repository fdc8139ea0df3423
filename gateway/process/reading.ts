import { basename, join } from 'node:path';
import {
  readGatewaySources,
  readTenantFile,
  realFiles,
  type Sources,
  type SourcesChange,
  sourcesChange,
  withChange,
  withReferencesRead,
} from '../../config/index.ts';
import { ChartgateError } from '../../contracts/errors.ts';
import { parseTenantId, type TenantId } from '../../contracts/identifiers.ts';
import type { GatewaySettings } from '../../contracts/settings.ts';
import { readSettings } from './runtime.ts';

/** Sources, and the sound settings that were made of them. */
export interface Read {
  readonly sources: Sources;
  readonly settings: GatewaySettings;
}

/**
 * Everything anew. Tenants' files that hold what they held are not judged again, unless what they refer to has changed.
 * @throws ConfigurationError
 */
export function readAgain(file: string, serving: Read): Read {
  const found = readGatewaySources(file, realFiles, serving.sources);
  const sources = withReferencesRead(found, serving.settings, realFiles);
  return { sources, settings: readSettings(sources, serving.settings) };
}

/**
 * These files of the folder of tenants anew, and nothing else.
 * @throws ConfigurationError, ChartgateError `configuration-invalid` where the settings that serve name no folder
 */
export function readTenants(ids: readonly TenantId[], serving: Read): Read {
  const { tenants } = serving.sources;
  if (tenants === undefined)
    throw new ChartgateError(
      'configuration-invalid',
      'the running gateway has no "tenantsFolder"; reload it (SIGHUP)',
    );
  const read = ids.map((id) =>
    readTenantFile(join(tenants.folder, `${id}.yaml`), join(tenants.shown, `${id}.yaml`), realFiles),
  );
  const gone = read.filter(({ content }) => content === 'missing');
  const change = {
    changed: read.filter((source) => !gone.includes(source)),
    gone: gone.map((source) => source.file),
  };
  const sources = { ...serving.sources, tenants: withChange(tenants, change) };
  return { sources, settings: readSettings(sources, serving.settings) };
}

/** Tenants whose files came, changed or went since these sources were read. Main settings and policies do not count. */
export function tenantsChangedSince(file: string, serving: Sources): readonly TenantId[] {
  const found = readGatewaySources(file, realFiles, serving);
  const { tenants } = found;
  if (tenants === undefined || tenants.problem !== undefined || tenants.folder !== serving.tenants?.folder)
    return [];
  const { changed, gone } = sourcesChange(serving, found).tenants;
  const ids = [...changed.map((source) => source.file), ...gone].map((path) =>
    parseTenantId(basename(path, '.yaml')),
  );
  return ids.filter((id) => id !== undefined);
}

/** What workers have to be told; nearly always they all have the same, and it is worked out once. */
export function changesTo(next: Sources): (had: Sources) => SourcesChange {
  const known = new Map<Sources, SourcesChange>();
  return (had) => {
    let change = known.get(had);
    if (change === undefined) {
      change = sourcesChange(had, next);
      known.set(had, change);
    }
    return change;
  };
}
