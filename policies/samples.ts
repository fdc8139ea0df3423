import type { ConditionCredential } from '../contracts/conditions.ts';
import { satisfy, type Witness } from './conditions/analyse.ts';
import type { Presented } from './conditions/atoms.ts';
import { type Address, textOf } from './conditions/networks.ts';
import { type Asked, allOf, atomsOf, type Node } from './conditions/node.ts';
import { intersect, overlap, type Pattern } from './pattern.ts';
import { deniesOf, type Parts, rulesOf } from './policy-set.ts';
import type { Matching, Rule } from './rule.ts';

/** Stands in the place of whatever a rule leaves open. */
export const OPEN = 'x';

/** A path that rules of a policy tell apart from others. */
export interface SamplePath {
  readonly segments: readonly string[];
  readonly methods: readonly string[];
  readonly parameter: string | undefined;
  readonly upgrade: boolean;
}

/** Somebody whom rules of a policy tell apart from others. */
export interface SamplePerson {
  readonly anonymous?: true;
  readonly credential?: ConditionCredential;
  readonly bound?: 'dpop' | 'certificate';
  readonly audience?: string;
  readonly scopes: readonly string[];
  readonly roles: readonly string[];
  readonly patient?: string;
  readonly client?: string;
  readonly home?: string;
  readonly factorAge?: number;
  readonly certificate?: true;
  readonly from?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Seconds since the epoch at which the hours that a rule asks for are open. */
  readonly now?: number;
}

/** Paths of every rule, each listed value once, and of every two rules that meet. */
export function samplePaths(parts: Parts): readonly SamplePath[] {
  const rules: readonly Matching[] = [...rulesOf(parts), ...deniesOf(parts)];
  const found: SamplePath[] = [];
  for (const rule of rules) {
    for (const segments of segmentsOf(rule.pattern)) found.push(pathOf(rule, segments));
  }
  rules.forEach((rule, i) => {
    for (const other of rules.slice(0, i)) {
      if (!overlap(rule.pattern, other.pattern)) continue;
      const both = intersect(rule.pattern, other.pattern);
      const [segments] = both === undefined ? [] : segmentsOf(both);
      if (segments !== undefined) found.push(pathOf(rule, segments));
    }
  });
  return found;
}

function pathOf(rule: Matching, segments: readonly string[]): SamplePath {
  return {
    segments,
    methods: [...rule.methods],
    parameter: rule.document.patient?.parameter,
    upgrade: rule.document.upgrade !== undefined,
  };
}

/** One path for each listed value of each segment; the other segments have their first. */
function segmentsOf(pattern: Pattern): readonly (readonly string[])[] {
  const options = pattern.map((segment): readonly string[] => {
    if (segment.kind === 'literal') return [segment.text];
    return segment.kind === 'oneOf' ? [...segment.values] : [OPEN];
  });
  const first = options.map((values) => values[0] ?? OPEN);
  return [
    first,
    ...options.flatMap((values, position) => values.slice(1).map((value) => first.with(position, value))),
  ];
}

/**
 * Nobody, everybody with one role, and for each rule whoever has just what it asks for. A `patient` is the one that
 * the sample paths name.
 * @param now seconds since the epoch
 */
export function samplePersons(parts: Parts, now: number): readonly SamplePerson[] {
  const found: SamplePerson[] = [
    { anonymous: true, scopes: [], roles: [] },
    { scopes: [], roles: [] },
  ];
  for (const role of parts.roles?.names ?? []) {
    found.push(
      { scopes: [], roles: [role] },
      { scopes: [], roles: [role], credential: 'session', factorAge: 0 },
    );
  }
  for (const rule of rulesOf(parts)) found.push(...personsOf(rule, parts, now));
  for (const deny of deniesOf(parts)) {
    const node = deny.standing.whole();
    if (atomsOf(node).length > 0) found.push(...standing(node, parts, now));
  }
  return found;
}

function personsOf(rule: Rule, parts: Parts, now: number): readonly SamplePerson[] {
  return standing(rule.standing.whole(), parts, now).flatMap((held) => holders(rule, held));
}

function holders({ access, route }: Rule, held: Omit<SamplePerson, 'anonymous'>): readonly SamplePerson[] {
  if (access.credential === 'anonymous') return [];
  const base = {
    ...(route.credential === 'session' ? { credential: 'session' as const, factorAge: 0 } : {}),
    ...held,
    ...(route.audience === undefined ? {} : { audience: route.audience }),
  };
  const plain = [...access.scopes, ...(held.scopes ?? [])];
  if (access.smart === undefined) return [{ ...base, scopes: plain }];
  const { contexts, resource, permission } = access.smart;
  const type = resource.from === 'literal' ? resource.type : '*';
  return contexts.map((context) => ({
    ...base,
    scopes: [...plain, `${context}/${type}.${permission}`],
    ...(context === 'patient' ? { patient: OPEN } : {}),
  }));
}

/** Whoever fulfils a condition; where hours are asked for, as soon as they begin and before they end. */
function standing(node: Node, parts: Parts, now: number): readonly Omit<SamplePerson, 'anonymous'>[] {
  const found = satisfy(allOf([node]), parts.roles?.separate ?? []);
  const witness: Witness = found === undefined || found === 'complex' ? new Map() : found;
  const person: { -readonly [K in keyof SamplePerson]: SamplePerson[K] } = { scopes: [], roles: [] };
  for (const [dimension, value] of witness) {
    if (dimension === 'roles') person.roles = [...(value as ReadonlySet<string>)];
    else if (dimension === 'scopes') person.scopes = [...(value as ReadonlySet<string>)];
    else if (dimension === 'client') Object.assign(person, named('client', value));
    else if (dimension === 'home' && value !== 'own') person.home = String(value).slice(1);
    else if (dimension === 'presented') {
      const { credential, constraint } = value as Presented;
      Object.assign(person, named('credential', credential));
      if (constraint !== 'none') person.bound = constraint;
    } else if (dimension === 'factor') Object.assign(person, named('factorAge', value));
    else if (dimension === 'certificate' && value === true) person.certificate = true;
    else if (dimension === 'address' && value !== undefined) person.from = textOf(value as Address);
    else if (dimension.startsWith('header ') && typeof value === 'string') {
      person.headers = { ...person.headers, [dimension.slice(7)]: value.startsWith('\0') ? 'other' : value };
    }
  }
  const open = openAt(node, witness, now);
  return open.length === 0 ? [person] : open.map((at) => ({ ...person, now: at }));
}

function named(key: string, value: unknown): Record<string, unknown> {
  return value === undefined || (typeof value === 'string' && value.startsWith('\0')) ? {} : { [key]: value };
}

const QUARTER = 900;
const TWO_WEEKS = 14 * 96;

/**
 * The first and the last quarter of an hour of the next time in which every clock shows what the condition wants of it:
 * where hours become fewer or more, it is there that it shows. Empty: no hours are asked for, or none come in two weeks.
 */
function openAt(node: Node, witness: Witness, now: number): readonly number[] {
  const hours = atomsOf(node).filter(({ atom }) => atom.kind === 'hours');
  if (hours.length === 0) return [];
  const from = Math.floor(now / QUARTER) * QUARTER;
  const open = (step: number): boolean => {
    const asked = { now: from + step * QUARTER } as Asked;
    return hours.every(
      ({ atom }) => atom.holds(atom.read(asked)) === atom.holds(witness.get(atom.dimension)),
    );
  };
  let step = 0;
  // Not in the middle of what has begun already.
  while (step < TWO_WEEKS && open(step)) step += 1;
  if (step === TWO_WEEKS) return [from];
  while (step < TWO_WEEKS && !open(step)) step += 1;
  if (step === TWO_WEEKS) return open(0) ? [from] : [];
  const first = step;
  while (step < TWO_WEEKS && open(step + 1)) step += 1;
  return [from + first * QUARTER, from + step * QUARTER];
}
