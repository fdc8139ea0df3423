import type { LimitDemand, Route, RouteLimits } from '../contracts/policy.ts';
import type { RouteDocument } from '../contracts/settings.ts';
import { type FaultList, wholeNumber } from './faults.ts';
import type { Pattern } from './pattern.ts';

const MOST_REQUESTS = 1_000_000_000;
const MOST_AT_ONCE = 1_000_000;
const LONGEST_WINDOW_S = 86_400;
const MOST_WINDOWS = 4;
const KINDS = ['perPrincipal', 'perClient', 'perRoute'] as const;

/** The limits of a route: `limit` is the one per principal, `limits` and `concurrency` are the rest. */
export function compileLimits(
  route: RouteDocument,
  at: string,
  faults: FaultList,
): Pick<Route, 'limit' | 'limits'> {
  if (route.limit === undefined && route.limits === undefined && route.concurrency === undefined) return NONE;
  if (route.limit !== undefined && route.limits?.perPrincipal !== undefined) {
    faults.add(`${at}/limits/perPrincipal`, 'says the same as "limit" of the route; give one of the two');
  }
  if (route.credential === 'anonymous') {
    // Nobody of whom it could be told: such a limit would never hold.
    if (route.limits?.perClient !== undefined)
      faults.add(`${at}/limits/perClient`, 'has no effect: the route is for nobody in particular');
    if (route.concurrency?.perClient !== undefined)
      faults.add(`${at}/concurrency/perClient`, 'has no effect: the route is for nobody in particular');
  }
  const single = Array.isArray(route.limit) ? 'list' : 'one';
  const limit = asList(route.limit);
  checkDemands(limit, single === 'one' ? () => `${at}/limit` : (i) => `${at}/limit/${i}`, faults);
  for (const kind of KINDS) {
    checkDemands(asList(route.limits?.[kind]), (i) => `${at}/limits/${kind}/${i}`, faults);
    wholeNumber(route.concurrency?.[kind], 1, MOST_AT_ONCE, `${at}/concurrency/${kind}`, faults);
  }
  const limits: RouteLimits = {
    perPrincipal: freeze(limit.length > 0 ? limit : asList(route.limits?.perPrincipal)),
    perClient: freeze(asList(route.limits?.perClient)),
    perRoute: freeze(asList(route.limits?.perRoute)),
    concurrency: Object.freeze({
      perPrincipal: route.concurrency?.perPrincipal,
      perClient: route.concurrency?.perClient,
      perRoute: route.concurrency?.perRoute,
    }),
  };
  const some =
    KINDS.some((kind) => limits[kind].length > 0) ||
    KINDS.some((kind) => limits.concurrency[kind] !== undefined);
  return { limit: limits.perPrincipal[0], limits: some ? Object.freeze(limits) : undefined };
}

const NONE = Object.freeze({ limit: undefined, limits: undefined });

function asList(demands: LimitDemand | readonly LimitDemand[] | undefined): readonly LimitDemand[] {
  if (demands === undefined) return [];
  return 'requests' in demands ? [demands] : demands;
}

function freeze(demands: readonly LimitDemand[]): readonly LimitDemand[] {
  return Object.freeze(
    demands.map(({ requests, windowSeconds }) => Object.freeze({ requests, windowSeconds })),
  );
}

function checkDemands(
  demands: readonly LimitDemand[],
  pointer: (index: number) => string,
  faults: FaultList,
): void {
  if (demands.length > MOST_WINDOWS)
    faults.add(pointer(MOST_WINDOWS), `is one too many; at most ${MOST_WINDOWS} windows are counted`);
  demands.forEach((demand, index) => {
    wholeNumber(demand.requests, 1, MOST_REQUESTS, `${pointer(index)}/requests`, faults);
    wholeNumber(demand.windowSeconds, 1, LONGEST_WINDOW_S, `${pointer(index)}/windowSeconds`, faults);
    const earlier = demands.slice(0, index);
    if (earlier.some(({ windowSeconds }) => windowSeconds === demand.windowSeconds))
      faults.add(pointer(index), 'has the same window as another entry');
    else if (
      earlier.some((other) => {
        const [short, long] = other.windowSeconds < demand.windowSeconds ? [other, demand] : [demand, other];
        return short.requests >= long.requests;
      })
    )
      faults.add(
        pointer(index),
        'means nothing beside another entry: the shorter window must allow fewer requests than the longer one',
      );
  });
}

/** Where the address of a request names its patient, for whoever counts patients. */
export function patientAt(route: RouteDocument, pattern: Pattern): Route['patientAt'] {
  const { capture, parameter } = route.patient ?? {};
  if (parameter !== undefined) return Object.freeze({ parameter });
  if (capture === undefined) return undefined;
  const segment = pattern.findIndex((each) => each.kind !== 'literal' && each.name === capture);
  return segment < 0 ? undefined : Object.freeze({ segment });
}
