import { hash } from 'node:crypto';
import { basename } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import type { Fault } from '../contracts/errors.ts';
import type { GatewaySettings, PolicyDocument, TenantSettings } from '../contracts/settings.ts';
import { type FaultList, fileFault } from './fault-list.ts';
import { describeProblem, type FileAccess } from './files.ts';
import { deepFreeze } from './freeze.ts';
import type { GatewayProper, KnownToTenants } from './gateway.ts';
import { judgeIssuers } from './gateway-sign-in.ts';
import { tenantOf } from './gateway-tenants.ts';
import type { Origin } from './origins.ts';
import type { Sources } from './sources.ts';
import { formFaults, originOf, type TenantSource, viewOf, withChange } from './tenant-files.ts';
import { judgeTenant, judgeTenants, type PlacedTenant } from './tenants-together.ts';
import type { View } from './view.ts';
import { YAML_LIMIT, type YamlText } from './yaml-text.ts';

/** What was made of the main file and the policies. */
export interface MainSettings {
  readonly text: YamlText;
  readonly root: View;
  /** Its faults when it was read; looks at tenants add theirs to a list of their own. */
  readonly list: FaultList;
  readonly proper: GatewayProper;
  readonly known: KnownToTenants;
  readonly policies: ReadonlyMap<string, PolicyDocument>;
}

/** A tenant's settings and the source they were made from. */
interface TenantEntry {
  readonly source: TenantSource;
  readonly settings: TenantSettings;
  /** Files that they were made from besides, and what those held. */
  readonly references: ReadonlyMap<string, string>;
}

interface Assembly {
  readonly sources: Sources;
  readonly main: MainSettings;
  /** By file. */
  readonly entries: ReadonlyMap<string, TenantEntry>;
}

/** How settings came about, so that the next ones need make anew only what changed. */
export const assemblies = new WeakMap<GatewaySettings, Assembly>();

interface Assembling {
  readonly main: MainSettings;
  readonly sources: Sources;
  readonly files: FileAccess;
  readonly now: number | undefined;
}

interface AssembledTenants {
  readonly main: MainSettings;
  readonly list: readonly TenantSettings[];
  readonly entries: ReadonlyMap<string, TenantEntry>;
  readonly faults: readonly Fault[];
  /** Where a tenant of the list stands that has a file of its own. */
  readonly originOf: (index: number) => Origin | undefined;
}

/** The tenants of the main file, then those of the folder. */
export function tenantsOf(parts: Assembling, before: Assembly | undefined): AssembledTenants {
  const { sources } = parts;
  // A list of its own: the settings of the main file may be used again with other tenants.
  const list = parts.main.list.again();
  const main = settled(parts.main, before);
  const { known } = main;
  const root = main.root.under(list);
  const reusable = main === parts.main && main !== before?.main ? undefined : before?.entries;

  const inFiles = sources.tenants?.files;
  const ids = new Set<string | undefined>(root.at('tenants').items.map((view) => view.at('id').text));
  for (const file of inFiles?.keys() ?? []) ids.add(basename(file, '.yaml'));
  const isTenant = (id: string) => ids.has(id);
  const placed: PlacedTenant[] = root.at('tenants').items.map((view) => {
    judgeTenant(view, known.judged, isTenant);
    const settings = deepFreeze(tenantOf(view, known));
    return { settings, view: () => view };
  });
  const inMain = placed.length;
  const faults: Fault[] = [];
  const lists: FaultList[] = [];
  const entries = new Map<string, TenantEntry>();
  for (const source of inFiles?.values() ?? []) {
    const old = reusable?.get(source.file);
    let viewed: View | undefined;
    const view = (): View => {
      if (viewed === undefined) {
        const opened = viewOf(source);
        lists.push(opened.list);
        viewed = opened.view;
      }
      return viewed;
    };
    if (old !== undefined && old.source === source) {
      // What else it was judged by is the same as it was.
      if (old.settings.sharing?.partners.every((partner) => isTenant(partner.tenant)) === false)
        judgeTenant(view(), known.judged, isTenant);
      entries.set(source.file, old);
      placed.push({ settings: old.settings, view });
      continue;
    }
    if (source.data === undefined) {
      faults.push(...formFaults(source));
      continue;
    }
    judgeTenant(view(), known.judged, isTenant);
    const made = entryOf(source, view(), known, parts);
    entries.set(source.file, made);
    placed.push({ settings: made.settings, view });
  }
  judgeTenants(placed);
  if (root.at('issuers').items.some((issuer) => issuer.at('embedded').exists)) {
    const hosts = new Set(placed.flatMap(({ settings }) => settings.hosts));
    judgeIssuers(root.at('issuers'), (host) => hosts.has(host));
  }
  if (!root.at('tenants').exists && !root.at('tenantsFolder').exists)
    root
      .at('tenants')
      .fault('is missing: the clinics served; or name a folder of their files, "tenantsFolder"');
  const { problem } = sources.tenants ?? {};
  if (problem !== undefined)
    root
      .at('tenantsFolder')
      .fault(describeProblem(problem, YAML_LIMIT, undefined).replace('the file', 'the folder'));
  const origins = [...entries.values()];
  return {
    main,
    list: Object.freeze(placed.map(({ settings }) => settings)),
    entries,
    faults: [...list.all, ...faults, ...lists.flatMap((each) => each.all)],
    originOf: (index) => {
      const entry = origins[index - inMain];
      return entry === undefined || index < inMain ? undefined : originOf(entry.source);
    },
  };
}

/**
 * The same, but where a main file that was read again says nothing else to tenants: then with what tenants already
 * have of the former one, so that theirs can be kept.
 */
function settled(main: MainSettings, before: Assembly | undefined): MainSettings {
  if (before === undefined || before.main === main) return main;
  const [old, young] = [before.main.known, main.known];
  const same = (key: 'issuers' | 'policies' | 'clientCertificates' | 'judged') =>
    isDeepStrictEqual(old[key], young[key]);
  if (!same('issuers') || !same('policies') || !same('clientCertificates') || !same('judged')) return main;
  return { ...main, known: { ...young, clientCertificates: old.clientCertificates } };
}

function contentOf(bytes: Buffer): string {
  return hash('sha256', bytes, 'base64');
}

function entryOf(
  source: TenantSource,
  view: View,
  known: KnownToTenants,
  { files, now }: Assembling,
): TenantEntry {
  const references = new Map<string, string>();
  const recording: FileAccess = {
    read(path, limit) {
      const result = files.read(path, limit);
      references.set(path, result.ok ? contentOf(result.bytes) : result.problem);
      return result;
    },
  };
  const around = { files: recording, file: source.file, now: now ?? Date.now() };
  const settings = deepFreeze(tenantOf(view, { ...known, around }));
  return { source, settings, references };
}

/**
 * The sources, with new objects for tenants whose certificates, keys or logos hold something else than when `settings`
 * were made, so that they are made anew. Each file is read once.
 */
export function withReferencesRead(sources: Sources, settings: GatewaySettings, files: FileAccess): Sources {
  const entries = assemblies.get(settings)?.entries;
  if (entries === undefined || sources.tenants === undefined) return sources;
  const known = new Map<string, string>();
  const holds = (path: string): string => {
    let content = known.get(path);
    if (content === undefined) {
      const result = files.read(path, REFERENCE_BYTES);
      content = result.ok ? contentOf(result.bytes) : result.problem;
      known.set(path, content);
    }
    return content;
  };
  const changed = [...sources.tenants.files.values()].filter((source) => {
    const entry = entries.get(source.file);
    if (entry?.source !== source) return false;
    return [...entry.references].some(([path, content]) => holds(path) !== content);
  });
  if (changed.length === 0) return sources;
  const again = changed.map((source) => ({ ...source }));
  return { ...sources, tenants: withChange(sources.tenants, { changed: again, gone: [] }) };
}

/** Bytes; the most that any such file may have. */
const REFERENCE_BYTES = 1_048_576;

/** Faults of form of the folder's files, for when nothing else can be said of them. */
export function folderFormFaults({ tenants }: Sources): readonly Fault[] {
  if (tenants?.problem !== undefined)
    return [fileFault(tenants.shown, describeProblem(tenants.problem, YAML_LIMIT))];
  return [...(tenants?.files.values() ?? [])].flatMap(formFaults);
}
