import { channel } from 'node:diagnostics_channel';
import { CHANNELS, type HiddenEvent } from '../../contracts/events.ts';
import type { TenantId } from '../../contracts/identifiers.ts';
import type { Route } from '../../contracts/policy.ts';
import type { Exchange } from '../pipeline/exchange.ts';
import { LearnedDeadline } from './learned.ts';

const hiddenAnswers = channel(CHANNELS.hidden);

/** The deadline of a route, as the metrics show it. */
export interface DeadlineState {
  readonly tenant: string;
  readonly route: string;
  readonly seconds: number;
}

/** Routes of tenants that learn, about a kilobyte each; of more than these, nothing is learned. */
const MOST_LEARNED = 16_384;
/** Deadlines that are shown; a Prometheus has no use for more. */
const MOST_SHOWN = 2048;

/** By tenant and route: what is learned outlives a reload. A process has one. */
const learned = new Map<TenantId, Map<string, LearnedDeadline>>();
let learning = 0;
/** Routes whose deadlines are set and that have hidden something, for the metrics. */
const inUse = new Map<TenantId, Map<string, number>>();
let used = 0;

function learnedOf(tenant: TenantId, route: Route, now: number): LearnedDeadline | undefined {
  const known = learned.get(tenant)?.get(route.id);
  if (known !== undefined || learning >= MOST_LEARNED) return known;
  learning += 1;
  const deadline = new LearnedDeadline(route.hideDeadlineMs, now);
  put(learned, tenant, route.id, deadline);
  return deadline;
}

function put<T>(table: Map<TenantId, Map<string, T>>, tenant: TenantId, route: string, value: T): void {
  const routes = table.get(tenant);
  if (routes === undefined) table.set(tenant, new Map([[route, value]]));
  else routes.set(route, value);
}

function learns(x: Exchange, route: Route): boolean {
  return route.hideLearned ?? x.runtime.settings.hiding.learned === true;
}

/** Milliseconds from arrival after which what this request's route hides is released; 0 where it hides nothing. */
export function deadlineOf(x: Exchange): number {
  const route = x.match?.route;
  if (route === undefined || route.hide === 'none') return 0;
  if (!learns(x, route)) return route.hideDeadlineMs;
  return learnedOf(x.tenant.id, route, x.services.clock.monotonic())?.milliseconds ?? route.hideDeadlineMs;
}

/** An answer that the EMR was asked for is ready, to be released or as hidden: what its route learns from. */
export function learnFrom(x: Exchange, armed: number, now: number): void {
  const route = x.match?.route;
  if (route === undefined || route.hide === 'none' || x.forwardedAt === undefined || !learns(x, route))
    return;
  const principal = x.knownPrincipal;
  if (principal === undefined) return;
  const who = principal.kind === 'anonymous' ? x.arrival.peer : principal.limitKey;
  learnedOf(x.tenant.id, route, now)?.observe(now - armed, who, x.answer.deadlineMs > 0, now);
}

/** A hidden answer waits for its deadline. */
export function countHidden(x: Exchange, periods: number): void {
  const route = x.match?.route;
  if (route === undefined) return;
  const tenant = x.tenant.id;
  if (!learns(x, route)) {
    if (inUse.get(tenant)?.has(route.id) !== true) used += 1;
    if (used <= MOST_SHOWN) put(inUse, tenant, route.id, route.hideDeadlineMs);
  }
  if (hiddenAnswers.hasSubscribers)
    hiddenAnswers.publish({ tenant, route: route.id, late: periods > 1 } satisfies HiddenEvent);
}

/** Of the routes that have hidden something, or learn. */
export function deadlines(): DeadlineState[] {
  const states: DeadlineState[] = [];
  for (const [tenant, routes] of inUse)
    for (const [route, ms] of routes) states.push({ tenant, route, seconds: ms / 1000 });
  for (const [tenant, routes] of learned) {
    for (const [route, deadline] of routes) {
      if (states.length >= MOST_SHOWN) return states;
      states.push({ tenant, route, seconds: deadline.milliseconds / 1000 });
    }
  }
  return states;
}
