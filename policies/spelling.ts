import { PATH_ODDITIES, type PathOddity } from '../contracts/facts.ts';
import type { QueryRules, Route } from '../contracts/policy.ts';
import type { RouteDocument } from '../contracts/settings.ts';
import type { FaultList } from './faults.ts';

/** Repeated parameters have a meaning in FHIR searches: all must hold (FHIR R4 search, "Composite search parameters"). */
const FHIR_QUERY: QueryRules = Object.freeze({ duplicates: 'allow', brackets: 'refuse' });

const OVERRIDES: ReadonlySet<string> = new Set(['PUT', 'PATCH', 'DELETE']);
const known: ReadonlySet<string> = new Set(PATH_ODDITIES);

function isOddity(text: string): text is PathOddity {
  return known.has(text);
}

/** What a route's paths and queries may look like, beyond what is refused everywhere else. */
export function compileSpelling(
  route: RouteDocument,
  at: string,
  faults: FaultList,
): Pick<Route, 'allow' | 'query' | 'methodOverride'> {
  const allow = new Set<PathOddity>();
  (route.allow ?? []).forEach((text, i) => {
    if (!isOddity(text)) {
      faults.add(`${at}/allow/${i}`, `is nothing that can be allowed; known: ${PATH_ODDITIES.join(', ')}`);
    } else if (allow.has(text)) faults.add(`${at}/allow/${i}`, 'is listed twice');
    else allow.add(text);
  });
  if (allow.size > 0 && !route.path.includes('{')) {
    faults.add(`${at}/allow`, 'has no effect: the path captures nothing that could be spelt so');
  }
  if (allow.has('semicolon') && allow.has('encoded-semicolon')) {
    faults.add(`${at}/allow`, 'may name "semicolon" or "encoded-semicolon", which are sent differently');
  }
  return {
    allow: allow.size === 0 ? undefined : allow,
    query: compileQuery(route),
    methodOverride: compileOverride(route, at, faults),
  };
}

function compileOverride(route: RouteDocument, at: string, faults: FaultList): Route['methodOverride'] {
  const { methodOverride } = route;
  if (methodOverride === undefined) return undefined;
  const pointer = `${at}/methodOverride`;
  if (!route.methods.includes('POST')) faults.add(pointer, 'has no effect: the route has no POST');
  if (route.fhir !== undefined)
    faults.add(
      pointer,
      'is not for FHIR, whose resources have no such field and whose methods have a meaning',
    );
  methodOverride.forEach((method, i) => {
    if (!OVERRIDES.has(method)) faults.add(`${pointer}/${i}`, 'must be one of PUT, PATCH, DELETE');
    else if (methodOverride.indexOf(method) !== i) faults.add(`${pointer}/${i}`, 'is listed twice');
  });
  return new Set(methodOverride);
}

function compileQuery(route: RouteDocument): QueryRules | undefined {
  const fhir = route.smart !== undefined || (route as { readonly fhir?: unknown }).fhir !== undefined;
  if (route.query === undefined) return fhir ? FHIR_QUERY : undefined;
  return Object.freeze({
    duplicates: route.query.duplicates ?? (fhir ? 'allow' : 'refuse'),
    brackets: route.query.brackets ?? 'refuse',
  });
}

/** Whether a route takes a path with these oddities. */
export function allowsSpelling(route: Route, odd: ReadonlySet<PathOddity>): boolean {
  const { allow } = route;
  if (allow === undefined) return false;
  for (const oddity of odd) if (!allow.has(oddity)) return false;
  return true;
}
