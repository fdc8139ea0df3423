import type { Method } from '../contracts/facts.ts';
import { NAME_PATTERN, parseRouteId } from '../contracts/identifiers.ts';
import type { Route } from '../contracts/policy.ts';
import type { RouteDocument } from '../contracts/settings.ts';
import { type Access, compileAccess, compileWhere } from './access.ts';
import { compileDemands, compileMethods, withoutBody } from './demands.ts';
import type { FaultList } from './faults.ts';
import { constrain, type Pattern, parsePattern } from './pattern.ts';

/** A route ready to be matched and decided. */
export interface Rule {
  readonly index: number;
  readonly path: string;
  /** What the rule answers to; GET implies HEAD (RFC 9110 §9.3.2: the same but for the body). */
  readonly methods: ReadonlySet<Method>;
  readonly listedMethods: ReadonlySet<Method>;
  readonly pattern: Pattern;
  /** Positions of the captures among the path's segments, in order; a rest takes all from its position on. */
  readonly captures: readonly { readonly name: string; readonly position: number; readonly rest: boolean }[];
  readonly route: Route;
  /** The same route as methods without a body see it. */
  readonly bodyless: Route;
  readonly access: Access;
}

/** Compiles one route by itself; undefined when it has a fault that leaves nothing to compare with others. */
export function compileRule(
  document: RouteDocument,
  index: number,
  hideDeadlineMs: number,
  faults: FaultList,
): Rule | undefined {
  const at = `/routes/${index}`;
  const id = parseRouteId(document.id);
  if (id === undefined) faults.add(`${at}/id`, `must match ${NAME_PATTERN}`);
  const listedMethods = compileMethods(document, at, faults);
  const parsed = parsePattern(document.path);
  if (!parsed.ok) for (const message of parsed.messages) faults.add(`${at}/path`, message);
  const names = parsed.ok ? parsed.captures : capturesOf(document.path);
  const bare = parsed.ok ? parsed.pattern : [];
  const last = bare.at(-1);
  const rest = last?.kind === 'rest' ? last.name : undefined;
  const where = compileWhere(document, names, rest, at, faults);
  const access = compileAccess(document, listedMethods, { names, rest, where }, at, faults);
  const pattern = constrain(bare, where);
  // An id that is wrong was reported; nothing compiled with it is handed out.
  const demands = { id: id ?? ('' as Route['id']), methods: listedMethods, pattern, hideDeadlineMs };
  const route = compileDemands(document, demands, at, faults);
  if (!parsed.ok) return undefined;
  const methods = new Set(listedMethods);
  if (methods.has('GET') && document.upgrade === undefined) methods.add('HEAD');
  return {
    index,
    path: document.path,
    methods,
    listedMethods,
    pattern,
    captures: pattern.flatMap((segment, position) =>
      segment.kind === 'literal' ? [] : [{ name: segment.name, position, rest: segment.kind === 'rest' }],
    ),
    route,
    bodyless: withoutBody(route),
    access,
  };
}

/** Capture names of a path that did not parse, so that the faults of what refers to them stay to the point. */
function capturesOf(path: string): readonly string[] {
  return [...path.matchAll(/\{([A-Za-z][A-Za-z0-9]*)\*?\}/g)].map((match) => match[1] ?? '');
}
