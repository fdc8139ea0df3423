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
import { judgeNeighbours } from './neighbours.ts';
import type { Origin } from './origins.ts';
import type { Sources } from './sources.ts';
import { formFaults, originOf, type TenantSource, viewOf, withChange } from './tenant-files.ts';
import { judgeTenant, type PlacedTenant, TenantIndex } from './tenants-together.ts';
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
interface TenantEntry extends PlacedTenant {
  readonly source: TenantSource;
  /** Files that they were made from besides, and what those held. */
  readonly references: ReadonlyMap<string, string>;
}

interface Assembly {
  readonly sources: Sources;
  readonly main: MainSettings;
  readonly tenants: AssembledTenants;
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
  /** Those of the main file first. */
  readonly list: readonly TenantSettings[];
  /** By file. */
  readonly entries: ReadonlyMap<string, TenantEntry>;
  /** What of the list was made anew; undefined: all of it. */
  readonly fresh: readonly TenantSettings[] | undefined;
  /** The list that it was made from. */
  readonly since: WeakRef<readonly TenantSettings[]> | undefined;
  readonly index: OwnedIndex;
  readonly faults: readonly Fault[];
  /** Where a tenant of the list stands that has a file of its own. */
  readonly originOf: (index: number) => Origin | undefined;
}

/**
 * An index describes one list of tenants at a time, the one that was made last; whoever goes on from another makes
 * a new one.
 */
class OwnedIndex {
  readonly tenants = new TenantIndex();
  owner: readonly TenantSettings[] | undefined;
}

/** The tenants of the main file, then those of the folder. */
export function tenantsOf(parts: Assembling, before: Assembly | undefined): AssembledTenants {
  // A list of its own: the settings of the main file may be used again with other tenants.
  const list = parts.main.list.again();
  const main = settled(parts.main, before);
  const root = main.root.under(list);
  const places = new Places(root);
  const same =
    before !== undefined && main === before.main && before.tenants.index.owner === before.tenants.list;
  const made = same ? changed(before, { ...parts, main }, places) : all(before, { ...parts, main }, places);
  const { index } = made;
  if (root.at('issuers').items.some((issuer) => issuer.at('embedded').exists))
    judgeIssuers(root.at('issuers'), (host) => index.tenants.hasHost(host));
  if (!root.at('tenants').exists && !root.at('tenantsFolder').exists)
    root
      .at('tenants')
      .fault('is missing: the clinics served; or name a folder of their files, "tenantsFolder"');
  const { problem } = parts.sources.tenants ?? {};
  if (problem !== undefined)
    root.at('tenantsFolder').fault(describeProblem(problem, YAML_LIMIT).replace('the file', 'the folder'));
  const faults = [...list.all, ...made.faults, ...places.faults];
  index.owner = faults.length > 0 ? undefined : made.list;
  return {
    ...made,
    main,
    faults,
    originOf: (position) => {
      const settings = made.list[position];
      for (const entry of made.entries.values())
        if (entry.settings === settings) return originOf(entry.source);
      return undefined;
    },
  };
}

type Made = Pick<AssembledTenants, 'list' | 'entries' | 'fresh' | 'since' | 'index' | 'faults'>;

/** Views of tenants, opened when somebody asks. */
class Places {
  readonly #root: View;
  readonly #opened = new Map<TenantSource, ReturnType<typeof viewOf>>();

  constructor(root: View) {
    this.#root = root;
  }

  readonly of = ({ source, position = 0 }: Omit<PlacedTenant, 'settings'>): View =>
    source === undefined ? (this.inMain[position] ?? this.#root) : this.#openedOf(source).view;

  get inMain(): readonly View[] {
    return this.#root.at('tenants').items;
  }

  get faults(): readonly Fault[] {
    return [...this.#opened.values()].flatMap(({ list }) => list.all);
  }

  #openedOf(source: TenantSource): ReturnType<typeof viewOf> {
    let opened = this.#opened.get(source);
    if (opened === undefined) {
      opened = viewOf(source);
      this.#opened.set(source, opened);
    }
    return opened;
  }
}

/** Every tenant is looked at; those of the same sources, under the same circumstances, are kept. */
function all(before: Assembly | undefined, parts: Assembling, places: Places): Made {
  const { main, sources } = parts;
  const { known } = main;
  const reusable =
    before !== undefined &&
    known.clientCertificates === before.main.known.clientCertificates &&
    sameKnown(before.main, main)
      ? before.tenants.entries
      : undefined;
  const views = places.inMain;
  const files = sources.tenants?.files;
  const ids = new Set<string | undefined>(views.map((view) => view.at('id').text));
  for (const file of files?.keys() ?? []) ids.add(basename(file, '.yaml'));
  const isTenant = (id: string) => ids.has(id);
  const index = new OwnedIndex();
  const list: TenantSettings[] = [];
  for (const [position, view] of views.entries()) {
    judgeTenant(view, known.judged, isTenant);
    const settings = deepFreeze(tenantOf(view, known));
    index.tenants.add({ settings, position }, places.of);
    list.push(settings);
  }
  const faults: Fault[] = [];
  const entries = new Map<string, TenantEntry>();
  for (const source of files?.values() ?? []) {
    const old = reusable?.get(source.file);
    const entry = old?.source === source ? old : entryOf(source, parts, places, isTenant);
    if (entry === undefined) {
      faults.push(...formFaults(source));
      continue;
    }
    entries.set(source.file, entry);
    index.tenants.add(entry, places.of);
    list.push(entry.settings);
  }
  judgePartners(index.tenants, isTenant, known, places);
  judgeNeighbours(index.tenants.neighbours(), places.of);
  return { list: Object.freeze(list), entries, fresh: undefined, since: undefined, index, faults };
}

/** The main file and the policies are the very same: only what came, changed or went is looked at. */
function changed(before: Assembly, parts: Assembling, places: Places): Made {
  const { known } = parts.main;
  const { index } = before.tenants;
  index.owner = undefined;
  const files = parts.sources.tenants?.files ?? new Map<string, TenantSource>();
  const entries = new Map(before.tenants.entries);
  const list = [...before.tenants.list];
  const faults: Fault[] = [];
  const fresh: TenantSettings[] = [];
  const young: TenantSource[] = [];
  for (const source of files.values()) if (entries.get(source.file)?.source !== source) young.push(source);
  const gone = [...entries.values()].filter(({ source }) => !files.has(source.file));
  for (const entry of gone) {
    index.tenants.remove(entry);
    entries.delete(entry.source.file);
    list.splice(list.indexOf(entry.settings), 1);
  }
  // Out with all of them first: two that change may exchange their hosts.
  for (const { file } of young) {
    const old = entries.get(file);
    if (old !== undefined) index.tenants.remove(old);
  }
  const coming = new Set(young.map(({ file }) => basename(file, '.yaml')));
  const isTenant = (id: string) => index.tenants.hasId(id) || coming.has(id);
  for (const source of young) {
    const old = entries.get(source.file);
    const entry = entryOf(source, parts, places, isTenant);
    if (entry === undefined) {
      faults.push(...formFaults(source));
      continue;
    }
    entries.set(source.file, entry);
    index.tenants.add(entry, places.of);
    fresh.push(entry.settings);
    if (old === undefined) list.push(entry.settings);
    else list[list.indexOf(old.settings)] = entry.settings;
  }
  judgePartners(index.tenants, isTenant, known, places);
  judgeNeighbours(index.tenants.neighbours(fresh), places.of);
  return {
    list: Object.freeze(list),
    entries,
    fresh,
    since: new WeakRef(before.tenants.list),
    index,
    faults,
  };
}

/** Partners that tenants name must be there, also after one went. */
function judgePartners(
  index: TenantIndex,
  isTenant: (id: string) => boolean,
  known: KnownToTenants,
  places: Places,
): void {
  for (const tenant of index.partnered) {
    const { partners = [] } = tenant.settings.sharing ?? {};
    if (partners.every((partner) => isTenant(partner.tenant))) continue;
    judgeTenant(places.of(tenant), known.judged, isTenant);
  }
}

/**
 * Tenants of `settings` that `former` did not have as they are; undefined where that is not known, so that all may be
 * new.
 */
export function freshTenants(
  settings: GatewaySettings,
  former: GatewaySettings | undefined,
): readonly TenantSettings[] | undefined {
  const assembly = assemblies.get(settings);
  const before = former === undefined ? undefined : assemblies.get(former);
  return assembly !== undefined &&
    assembly.tenants.since?.deref() === before?.tenants.list &&
    before !== undefined
    ? assembly.tenants.fresh
    : undefined;
}

/**
 * The same, but where a main file that was read again says nothing else to tenants: then with what tenants already
 * have of the former one, so that theirs can be kept.
 */
function settled(main: MainSettings, before: Assembly | undefined): MainSettings {
  if (before === undefined || before.main === main) return main;
  if (!sameKnown(before.main, main)) return main;
  const { clientCertificates } = before.main.known;
  const { proper, known } = main;
  // The same object for the listener: whose certificates are the listener's is told by it.
  return {
    ...main,
    proper: { ...proper, listen: { ...proper.listen, clientCertificates } },
    known: { ...known, clientCertificates },
  };
}

function sameKnown(a: MainSettings, b: MainSettings): boolean {
  return (['issuers', 'policies', 'clientCertificates', 'judged'] as const).every((key) =>
    isDeepStrictEqual(a.known[key], b.known[key]),
  );
}

function contentOf(bytes: Buffer): string {
  return hash('sha256', bytes, 'base64');
}

/** Undefined for a source with faults of form. */
function entryOf(
  source: TenantSource,
  { main, files, now }: Assembling,
  places: Places,
  isTenant: (id: string) => boolean,
): TenantEntry | undefined {
  if (source.data === undefined) return undefined;
  const references = new Map<string, string>();
  const recording: FileAccess = {
    read(path, limit) {
      const result = files.read(path, limit);
      references.set(path, result.ok ? contentOf(result.bytes) : result.problem);
      return result;
    },
  };
  const view = places.of({ source });
  judgeTenant(view, main.known.judged, isTenant);
  const around = { files: recording, file: source.file, now: now ?? Date.now() };
  const settings = deepFreeze(tenantOf(view, { ...main.known, around }));
  return { source, settings, references: references.size === 0 ? NONE : references };
}

const NONE: ReadonlyMap<string, string> = new Map();

/**
 * The sources, with new objects for tenants whose certificates, keys or logos hold something else than when `settings`
 * were made, so that they are made anew. Each file is read once.
 */
export function withReferencesRead(sources: Sources, settings: GatewaySettings, files: FileAccess): Sources {
  const entries = assemblies.get(settings)?.tenants.entries;
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
