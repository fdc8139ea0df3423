import { hash } from 'node:crypto';
import type { PointedFault } from '../contracts/errors.ts';
import type { PolicySet } from '../contracts/policy.ts';
import type { PackLookup } from '../contracts/policy-packs.ts';
import type { PolicyDocument } from '../contracts/settings.ts';
import { compileAnswers } from './answers.ts';
import { findConflicts, findDenied, findRoleFaults } from './conflicts.ts';
import { compileDeny, type DenyRule } from './deny.ts';
import { digestOf } from './digest.ts';
import { type Extended, extend } from './extend.ts';
import { FaultList, wholeNumber } from './faults.ts';
import { Layer } from './layer.ts';
import { builtInPack } from './packs/index.ts';
import { buildPolicySet, deniesOf, type Parts, rulesOf } from './policy-set.ts';
import { compileRoles, type Roles } from './roles.ts';
import { compileRule, type Matching, type Rule } from './rule.ts';
import { interned, Shared } from './shared.ts';

export type CompiledPolicy =
  | {
      readonly ok: true;
      readonly policy: PolicySet;
      /** What it was compiled to, for listings and explanations. */
      readonly parts: Parts;
    }
  | { readonly ok: false; readonly faults: readonly PointedFault[] };

export interface PolicyDefaults {
  /** Milliseconds from arrival at which a hidden answer is released when the route does not say. */
  readonly hideDeadlineMs: number;
  /** Where packs are found; those that come with Chartgate when left out. */
  readonly packs?: PackLookup;
}

/**
 * Compiles a policy completely or not at all.
 *
 * - The most specific route wins, segment by segment from the left: a literal, a capture limited by
 *   `where`, a free capture, the rest. The order in the file means nothing; two routes of which
 *   neither is the more specific are a fault.
 * - GET implies HEAD. A route with `upgrade` matches only upgrades, one without only requests without.
 * - Of deny rules every one counts that matches, whichever route permits.
 *
 * Policies with the same content are compiled once, and those that extend the same pack share it.
 *
 * @param name the policy's name in the settings
 * @returns every fault found, with pointers into the document, or the policy
 */
export function compilePolicy(
  name: string,
  document: PolicyDocument,
  defaults: PolicyDefaults,
): CompiledPolicy {
  const known = recall(document, defaults);
  const parts = known.parts ?? compileParts(document, defaults);
  if (Array.isArray(parts)) return { ok: false, faults: parts };
  const made = parts as Parts;
  known.keep(made);
  return { ok: true, policy: buildPolicySet(name, made), parts: made };
}

function compileParts(document: PolicyDocument, defaults: PolicyDefaults): Parts | readonly PointedFault[] {
  const faults = new FaultList();
  const { hideDeadlineMs, packs: lookup = builtInPack } = defaults;
  if (document.routes.length === 0 && (document.extends ?? []).length === 0) {
    faults.add('/routes', 'must list at least one route; without any, every request is refused');
  }
  wholeNumber(hideDeadlineMs, 1, 60_000, '', faults);
  const roles = compileRoles(document, faults);
  if (document.separate !== undefined && roles === undefined && document.separate.length > 0)
    faults.add('/separate', 'keeps roles apart, and the policy declares none under "roles"');
  const extended = extend(document, lookup, hideDeadlineMs, faults);
  const { rules, denies } = compileOwn(document, extended, hideDeadlineMs, faults);
  const fresh = [...rules, ...extended.moved];
  const own = new Layer(fresh, denies, extended.inPlace);
  const { places } = extended;
  const answers = compileAnswers(document.answers, '/answers', faults);
  const parts: Parts = { digest: digest(document, extended), own, packs: extended.packs, roles, answers };
  compareAll(fresh, extended, faults);
  const changed = [...fresh, ...extended.inPlace];
  const allDenies = deniesOf(parts);
  // Rules of packs were looked at with each other before.
  const inForce = denies.length > 0 ? rulesOf(parts) : changed;
  findDenied({ rules: changed, denies }, { rules: inForce, denies: allDenies }, places, faults);
  findRoleFaults([...changed, ...denies], roles, places, faults);
  askPacks(extended, roles, faults);
  return faults.size > 0 ? faults.list() : parts;
}

function compileOwn(
  document: PolicyDocument,
  { packs }: Extended,
  hideDeadlineMs: number,
  faults: FaultList,
): { readonly rules: readonly Rule[]; readonly denies: readonly DenyRule[] } {
  const rules: Rule[] = [];
  const denies: DenyRule[] = [];
  const ids = new Map<string, number>();
  document.routes.forEach((route, index) => {
    const at = interned(`/routes/${index}`);
    const first = ids.get(route.id);
    if (first === undefined) ids.set(route.id, index);
    else faults.add(`${at}/id`, `is the id of /routes/${first} too; every route needs its own`);
    if (packs.some(({ layer }) => layer.byId(route.id) !== undefined))
      faults.add(
        `${at}/id`,
        'is the id of a route of a pack; change that one under "override", or choose another id',
      );
    const origin = { index, at, pack: undefined };
    if (route.effect === 'deny') {
      const rule = compileDeny(route, origin, faults);
      if (rule !== undefined) denies.push(rule);
    } else {
      const rule = compileRule(route, origin, hideDeadlineMs, faults);
      if (rule !== undefined) rules.push(rule);
    }
  });
  return { rules, denies };
}

/** New rules with each other and with those of packs; and those of packs anew, where one that decided is gone. */
function compareAll(fresh: readonly Rule[], extended: Extended, faults: FaultList): void {
  const { packs, places } = extended;
  const staying = packs.map(({ layer, removed }) =>
    removed === undefined ? layer.rules : layer.rules.filter((rule) => !removed.has(rule)),
  );
  findConflicts(fresh, staying, places, faults);
  // Packs are compared with themselves when they are compiled, and with other packs here.
  staying.forEach((rules, i) => {
    if (i > 0) findConflicts(rules, staying.slice(0, i), places, faults);
    else if ((packs[i]?.removed?.size ?? 0) > 0) findConflicts(rules, [], places, faults);
  });
}

/** Roles for which every rule of a pack was found to be in order. */
const inOrder = new WeakMap<Layer, WeakSet<Roles>>();

/** Looks at the rules of packs that ask for roles and are part of the policy. */
function askPacks({ packs, places }: Extended, roles: Roles | undefined, faults: FaultList): void {
  for (const { layer, removed, undenied, replaced } of packs) {
    const gone: ReadonlySet<Matching> = new Set<Matching>([
      ...(removed ?? []),
      ...(undenied ?? []),
      ...(replaced?.keys() ?? []),
    ]);
    if (roles !== undefined && inOrder.get(layer)?.has(roles) === true) continue;
    const before = faults.size;
    const asking = layer.asking.filter((rule) => !gone.has(rule));
    findRoleFaults(asking, roles, places, faults);
    if (roles === undefined || gone.size > 0 || faults.size > before) continue;
    inOrder.set(layer, (inOrder.get(layer) ?? new WeakSet()).add(roles));
  }
}

/** The same rules have the same digest, however they were written. */
function digest(document: PolicyDocument, { digests }: Extended): string {
  const { routes, override, remove, roles, separate, answers } = document;
  if (digests.length === 0 && roles === undefined && separate === undefined && answers === undefined)
    return digestOf(routes);
  return digestOf({ routes, override, remove: remove?.toSorted(), roles, separate, answers, packs: digests });
}

const known = new Shared<Parts>();

/** The same content compiles to the same thing: ten thousand tenants with one policy are as quick as one. */
function recall(
  document: PolicyDocument,
  { hideDeadlineMs, packs }: PolicyDefaults,
): { readonly parts: Parts | undefined; keep(parts: Parts): unknown } {
  // Packs that a caller brings may change between two calls.
  if (packs !== undefined) return { parts: undefined, keep: () => undefined };
  const { file: _, ...content } = document;
  const key = hash('sha256', JSON.stringify([hideDeadlineMs, content]), 'base64');
  return {
    parts: known.get(key),
    keep: (parts) => known.keep(key, parts),
  };
}
