import { METHODS, type Method } from '../contracts/facts.ts';
import { NAME_PATTERN, parseRouteId } from '../contracts/identifiers.ts';
import type { Route } from '../contracts/policy.ts';
import type { Reason } from '../contracts/reasons.ts';
import type { RouteDocument } from '../contracts/settings.ts';
import { type Access, compileAccess, compileWhere } from './access.ts';
import { type Deciding, decidingOf } from './deciding.ts';
import { compileDemands, compileMethods, mayCarryBody, withoutBody } from './demands.ts';
import type { FaultList } from './faults.ts';
import { compileFhir, type FhirRule } from './fhir/index.ts';
import { constrain, type Pattern, parsePattern } from './pattern.ts';
import { Shared } from './shared.ts';
import { compileStanding, type Standing } from './standing-rule.ts';

/** What a rule answers to, whether it permits or denies. What every request asks stands first. */
export interface Matching {
  /** Bits of `methods`; see `methodBit`. */
  readonly methodBits: number;
  /** For a permit, undefined: only requests without an upgrade. For a denial: any request. */
  readonly upgrade: 'websocket' | undefined;
  /** Position in the list it came from. */
  readonly index: number;
  /** Positions of the captures among the path's segments, in order; a rest takes all from its position on. */
  readonly captures: readonly Capture[];
  readonly pattern: Pattern;
  /** Where it stands in the document: a pointer. */
  readonly at: string;
  /** The pack that it came from. */
  readonly pack: string | undefined;
  readonly document: RouteDocument;
  readonly path: string;
  /** GET implies HEAD (RFC 9110 §9.3.2: the same but for the body). */
  readonly methods: ReadonlySet<Method>;
  readonly listedMethods: ReadonlySet<Method>;
  /** Roles and conditions. */
  readonly standing: Standing;
}

export interface Capture {
  readonly name: string;
  readonly position: number;
  readonly rest: boolean;
}

/** A route ready to be matched and decided. */
export interface Rule extends Matching {
  readonly route: Route;
  /** The same route as methods without a body see it. */
  readonly bodyless: Route;
  /** The first reason of each of its decisions. */
  readonly matched: Reason;
  /** How it decides. */
  readonly deciding: Deciding;
  readonly access: Access;
  /** Undefined where the route is no FHIR route. */
  readonly fhir: FhirRule | undefined;
}

/** Where a rule comes from. */
export interface Origin {
  readonly index: number;
  readonly at: string;
  readonly pack: string | undefined;
}

/** Compiles one route by itself; undefined when it has a fault that leaves nothing to compare with others. */
export function compileRule(
  document: RouteDocument,
  origin: Origin,
  hideDeadlineMs: number,
  faults: FaultList,
): Rule | undefined {
  const { at } = origin;
  const path = readPath(document, at, faults);
  const access = compileAccess(document, path.listedMethods, path, at, faults);
  // An id that is wrong was reported; nothing compiled with it is handed out.
  const id = parseRouteId(document.id) ?? ('' as Route['id']);
  const demands = { id, methods: path.listedMethods, pattern: path.pattern, hideDeadlineMs };
  const route = compileDemands(document, demands, at, faults);
  const standing = compileStanding(document, route, at, faults);
  const fhir = compileFhir(document, path, path.listedMethods, at, faults);
  if (!path.sound) return undefined;
  const deciding = decidingOf({ access, fhir, condition: standing.condition }, route, document);
  const matching = matchingOf(document, origin, path, standing);
  // Every member is written here: an object that is put together from others takes more room, in two places.
  return {
    methodBits: matching.methodBits,
    upgrade: matching.upgrade,
    route,
    bodyless: [...matching.methods].every(mayCarryBody) ? route : withoutBody(route),
    index: matching.index,
    captures: matching.captures,
    matched: Object.freeze({ code: 'route-matched', held: true, detail: id }),
    deciding,
    pattern: matching.pattern,
    at: matching.at,
    pack: matching.pack,
    document,
    path: matching.path,
    methods: matching.methods,
    listedMethods: matching.listedMethods,
    standing,
    // Those of the first rule of these terms.
    access: deciding.terms.access,
    fhir: deciding.terms.fhir,
  };
}

export interface ReadPath {
  readonly sound: boolean;
  readonly listedMethods: ReadonlySet<Method>;
  readonly pattern: Pattern;
  readonly names: readonly string[];
  readonly rest: string | undefined;
  readonly where: ReadonlyMap<string, ReadonlySet<string>>;
}

/** Id, methods, path and `where`: what every rule has. */
export function readPath(document: RouteDocument, at: string, faults: FaultList): ReadPath {
  if (parseRouteId(document.id) === undefined) faults.add(`${at}/id`, `must match ${NAME_PATTERN}`);
  const listedMethods = compileMethods(document, at, faults);
  const parsed = parsePattern(document.path);
  if (!parsed.ok) for (const message of parsed.messages) faults.add(`${at}/path`, message);
  const names = parsed.ok ? parsed.captures : capturesOf(document.path);
  const bare = parsed.ok ? parsed.pattern : [];
  const last = bare.at(-1);
  const rest = last?.kind === 'rest' ? last.name : undefined;
  const where = compileWhere(document, names, rest, at, faults);
  return { sound: parsed.ok, listedMethods, pattern: constrain(bare, where), names, rest, where };
}

export function matchingOf(
  document: RouteDocument,
  { index, at, pack }: Origin,
  { listedMethods, pattern }: ReadPath,
  standing: Standing,
): Matching {
  const methods = new Set(listedMethods);
  // A deny rule without `upgrade` denies those too, so that HEAD is never the way around it.
  if (methods.has('GET') && (document.upgrade === undefined || document.effect === 'deny'))
    methods.add('HEAD');
  let methodBits = 0;
  for (const method of methods) methodBits |= methodBit(method);
  return {
    methodBits,
    upgrade: document.upgrade,
    index,
    captures: capturing(pattern),
    pattern,
    at,
    pack,
    document,
    path: document.path,
    methods: sharedMethods(methods),
    listedMethods: sharedMethods(listedMethods),
    standing,
  };
}

/** A bit for each method; 0 for what is none. */
export function methodBit(method: Method): number {
  return (1 << (METHODS.indexOf(method) + 1)) & ~1;
}

const sets = new Shared<ReadonlySet<Method>>();

function sharedMethods(methods: ReadonlySet<Method>): ReadonlySet<Method> {
  const key = [...methods].join(',');
  return sets.get(key) ?? sets.keep(key, methods);
}

const lists = new Shared<readonly Capture[]>();

/** Most rules capture one thing, or two, under few names. */
function capturing(pattern: Pattern): readonly Capture[] {
  const found: Capture[] = [];
  pattern.forEach((segment, position) => {
    if (segment.kind !== 'literal')
      found.push({ name: segment.name, position, rest: segment.kind === 'rest' });
  });
  // Names are letters and digits.
  const key = found.map(({ name, position, rest }) => `${name} ${position} ${rest}`).join(',');
  return lists.get(key) ?? lists.keep(key, Object.freeze(found));
}

/** Capture names of a path that did not parse, so that the faults of what refers to them stay to the point. */
function capturesOf(path: string): readonly string[] {
  return [...path.matchAll(/\{([A-Za-z][A-Za-z0-9]*)\*?\}/g)].map((match) => match[1] ?? '');
}
