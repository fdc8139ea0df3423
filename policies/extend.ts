import type { PackLookup, PackReference, PolicyPack } from '../contracts/policy-packs.ts';
import type { PolicyDocument, RouteDocument } from '../contracts/settings.ts';
import { findConflicts, findDenied } from './conflicts.ts';
import { compileDeny, type DenyRule } from './deny.ts';
import { digestOf } from './digest.ts';
import { FaultList } from './faults.ts';
import { Layer } from './layer.ts';
import { parsePattern, samePattern } from './pattern.ts';
import type { UsedPack } from './policy-set.ts';
import { compileRule, type Rule } from './rule.ts';

/** A pack compiled for one base and deadline. */
interface CompiledPack {
  readonly pack: PolicyPack;
  readonly layer: Layer;
  /** As policies use it that change nothing of it. */
  readonly whole: UsedPack;
  readonly digest: string;
  /** Faults of the pack itself, which are ours. */
  readonly faults: readonly string[];
}

/** What a policy takes from its packs. */
export interface Extended {
  readonly packs: readonly UsedPack[];
  /** Rules of the policy that take the place of one of a pack and match other paths than it did. */
  readonly moved: readonly Rule[];
  /** Those that match the same. */
  readonly inPlace: readonly Rule[];
  readonly digests: readonly string[];
  /** Where the policy names each pack, for messages. */
  readonly places: ReadonlyMap<string, string>;
}

export const NOT_EXTENDED: Extended = Object.freeze({
  packs: [],
  moved: [],
  inPlace: [],
  digests: [],
  places: new Map<string, string>(),
});

/** Compiled once for each base and deadline: thousands of policies share one. */
const compiled = new WeakMap<PolicyPack, Map<string, CompiledPack>>();

/** Reads `extends`, `override` and `remove`. */
export function extend(
  document: PolicyDocument,
  lookup: PackLookup,
  hideDeadlineMs: number,
  faults: FaultList,
): Extended {
  const { extends: references = [], override = [], remove = [] } = document;
  if (references.length === 0) {
    if (override.length > 0) faults.add('/override', 'has nothing to change: the policy extends no pack');
    if (remove.length > 0) faults.add('/remove', 'has nothing to remove: the policy extends no pack');
    return NOT_EXTENDED;
  }
  const places = new Map<string, string>();
  const used: CompiledPack[] = [];
  references.forEach((reference, i) => {
    const at = `/extends/${i}`;
    const pack = choose(reference, lookup, at, faults);
    if (pack === undefined) return;
    if (places.has(pack.name)) {
      faults.add(`${at}/pack`, 'is extended already; each pack counts once');
      return;
    }
    places.set(pack.name, at);
    const ready = compilePack(pack, reference.base, hideDeadlineMs, at, faults);
    if (ready !== undefined) used.push(ready);
  });
  const packs = used.map(({ layer }) => ({
    layer,
    removed: new Set<Rule>(),
    undenied: new Set<DenyRule>(),
    replaced: new Map<Rule, Rule>(),
  }));
  const find = (id: string) => {
    for (const each of packs) {
      const rule = each.layer.byId(id);
      if (rule !== undefined) return { each, rule };
    }
    return undefined;
  };
  remove.forEach((id, i) => {
    const found = find(id);
    if (remove.indexOf(id) !== i) faults.add(`/remove/${i}`, 'is listed twice');
    else if (found === undefined) faults.add(`/remove/${i}`, unknownRule(places));
    else if ('route' in found.rule) found.each.removed.add(found.rule);
    else found.each.undenied.add(found.rule);
  });
  const moved: Rule[] = [];
  const inPlace: Rule[] = [];
  override.forEach((change, i) => {
    const at = `/override/${i}`;
    const found = find(change.id);
    if (found === undefined) faults.add(`${at}/id`, unknownRule(places));
    else if (remove.includes(change.id)) faults.add(`${at}/id`, 'is removed under "remove"');
    else if (override.findIndex(({ id }) => id === change.id) !== i)
      faults.add(`${at}/id`, 'is overridden twice');
    else if (Object.keys(change).length < 2)
      faults.add(at, 'changes nothing: give at least one key besides "id"');
    else if (!('route' in found.rule))
      faults.add(`${at}/id`, 'is a deny rule; remove it, and write one of your own');
    else if (change.effect === 'deny')
      faults.add(`${at}/effect`, 'cannot turn a rule into a denial; write a deny rule');
    else {
      const document = { ...found.rule.document, ...change };
      const rule = compileRule(document, { index: i, at, pack: undefined }, hideDeadlineMs, faults);
      if (rule === undefined) return;
      if (matchesAlike(rule, found.rule)) {
        found.each.replaced.set(found.rule, rule);
        inPlace.push(rule);
      } else {
        found.each.removed.add(found.rule);
        moved.push(rule);
      }
    }
  });
  return {
    packs: packs.map((each, i) => (isWhole(each) ? (used[i]?.whole ?? each) : each)),
    moved,
    inPlace,
    digests: used.map(({ digest }) => digest),
    places,
  };
}

function isWhole({ removed, undenied, replaced }: UsedPack): boolean {
  return (removed?.size ?? 0) + (undenied?.size ?? 0) + (replaced?.size ?? 0) === 0;
}

function unknownRule(places: ReadonlyMap<string, string>): string {
  return `is not the id of a route of ${[...places.keys()].join(' or ') || 'any pack'}; "chartgate policy routes" lists them`;
}

function matchesAlike(a: Rule, b: Rule): boolean {
  return (
    a.route.upgrade === b.route.upgrade &&
    a.methods.size === b.methods.size &&
    [...a.methods].every((method) => b.methods.has(method)) &&
    samePattern(a.pattern, b.pattern)
  );
}

function choose(
  { pack: name, version }: PackReference,
  lookup: PackLookup,
  at: string,
  faults: FaultList,
): PolicyPack | undefined {
  const pack = lookup(name);
  if (pack === undefined) {
    faults.add(`${at}/pack`, 'is not a pack of this version; "chartgate policy packs" lists them');
    return undefined;
  }
  const { versions } = pack;
  if (versions.length === 0 && version !== undefined) {
    faults.add(`${at}/version`, `pack "${name}" is for no version in particular; leave it out`);
    return undefined;
  }
  if (versions.length > 0 && !versions.some((known) => isVersion(known, version))) {
    const what = version === undefined ? 'is missing: ' : 'is not one that the pack was made for: ';
    faults.add(`${at}/version`, `${what}pack "${name}" is for ${pack.title}, ${versions.join(', ')}`);
    return undefined;
  }
  return pack;
}

function isVersion(known: string, version: string | undefined): boolean {
  if (version === undefined) return false;
  return known.endsWith('.*') ? version.startsWith(known.slice(0, -1)) : version === known;
}

function compilePack(
  pack: PolicyPack,
  base: string | undefined,
  hideDeadlineMs: number,
  at: string,
  faults: FaultList,
): CompiledPack | undefined {
  const prefix = (base ?? pack.base).replace(/\/$/, '');
  const bare = prefix === '' ? { ok: true as const, captures: [] } : parsePattern(prefix);
  if (!bare.ok || bare.captures.length > 0) {
    faults.add(`${at}/base`, 'must be a fixed path, such as /fhir, or / for the root');
    return undefined;
  }
  let known = compiled.get(pack);
  if (known === undefined) {
    known = new Map();
    compiled.set(pack, known);
  }
  // A number and then a path: no two of them read alike.
  const key = `${hideDeadlineMs} ${prefix}`;
  let ready = known.get(key);
  if (ready === undefined) {
    ready = makePack(pack, prefix, hideDeadlineMs);
    known.set(key, ready);
  }
  for (const fault of ready.faults) faults.add(at, `pack "${pack.name}" is at fault itself: ${fault}`);
  return ready.faults.length > 0 ? undefined : ready;
}

function makePack(pack: PolicyPack, prefix: string, hideDeadlineMs: number): CompiledPack {
  const found = new FaultList();
  const rules: Rule[] = [];
  const denies: DenyRule[] = [];
  const routes = pack.routes.map((route) => moved(route, pack.base.replace(/\/$/, ''), prefix));
  routes.forEach((document, index) => {
    const origin = { index, at: `/${document.id}`, pack: pack.name };
    if (document.effect === 'deny') {
      const rule = compileDeny(document, origin, found);
      if (rule !== undefined) denies.push(rule);
    } else {
      const rule = compileRule(document, origin, hideDeadlineMs, found);
      if (rule !== undefined) rules.push(rule);
    }
  });
  findConflicts(rules, [], new Map(), found);
  findDenied({ rules, denies }, { rules, denies }, new Map(), found);
  const layer = new Layer(rules, denies);
  return {
    pack,
    layer,
    whole: Object.freeze({ layer, removed: undefined, undenied: undefined, replaced: undefined }),
    digest: digestOf(routes),
    faults: found.list().map(({ pointer, message }) => `route ${pointer.slice(1)}: ${message}`),
  };
}

function moved(route: RouteDocument, from: string, to: string): RouteDocument {
  if (from === to || !(route.path === from || route.path.startsWith(`${from}/`))) return route;
  return { ...route, path: `${to}${route.path.slice(from.length)}` || '/' };
}
