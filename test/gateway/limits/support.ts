import { systemClock } from '../../../contracts/clock.ts';
import type { RouteId, TenantId } from '../../../contracts/identifiers.ts';
import type { LimitSettings, RedisSettings, TenantLimitSettings } from '../../../contracts/limits.ts';
import type { LimitDemand, Route, RouteLimits } from '../../../contracts/policy.ts';
import type { AnonymousPrincipal, BearerPrincipal } from '../../../contracts/principal.ts';
import type { DeskAnswer } from '../../../gateway/limits/desk-messages.ts';
import { createLimits, Desk, DeskLine, type Limits, type Refusal } from '../../../gateway/limits/index.ts';

export const NORTH = 'north' as TenantId;
export const SOUTH = 'south' as TenantId;

export const per = (requests: number, windowSeconds: number): LimitDemand => ({ requests, windowSeconds });

export interface Wanted {
  readonly perPeer?: readonly LimitDemand[];
  readonly perPrincipal?: readonly LimitDemand[];
  readonly perClient?: readonly LimitDemand[];
  readonly perTenant?: readonly LimitDemand[];
  readonly concurrency?: Partial<LimitSettings['concurrency']>;
  readonly redis?: RedisSettings;
  readonly tenants?: readonly { readonly id: TenantId; readonly limits?: TenantLimitSettings }[];
}

export function settingsOf(wanted: Wanted): LimitSettings {
  return {
    perPeer: wanted.perPeer ?? [],
    perPrincipal: wanted.perPrincipal ?? [],
    perClient: wanted.perClient ?? [],
    perTenant: wanted.perTenant ?? [],
    concurrency: {
      perPeer: undefined,
      perPrincipal: undefined,
      perClient: undefined,
      perTenant: undefined,
      ...wanted.concurrency,
    },
    headers: 'refused',
    redis: wanted.redis,
  };
}

/** The limits of several workers with one desk between them, over lines that behave as the real channel does. */
export function workersWith(wanted: Wanted, workers: number) {
  const lines: DeskLine[] = [];
  const desk = new Desk(systemClock, (answers) => {
    for (const line of lines) later(line, answers);
  });
  let away = false;
  const later = (line: DeskLine, answers: readonly DeskAnswer[]) =>
    setImmediate(() => line.receive(structuredClone(answers)));
  const limits = Array.from({ length: workers }, (_, index) => {
    const line = new DeskLine((asks) => {
      if (away) return;
      void desk.handle(`worker-${index + 1}`, structuredClone(asks)).then((answers) => later(line, answers));
    });
    lines.push(line);
    return createLimits({
      limits: settingsOf(wanted),
      tenants: wanted.tenants ?? [],
      workers,
      desk: line,
      clock: systemClock,
    });
  });
  return {
    limits,
    desk,
    lines,
    /** The supervisor answers nobody any more. */
    loseDesk() {
      away = true;
    },
    async close() {
      desk.close();
      for (const each of limits) await each.close();
    },
  };
}

export function routeWith(id: string, limits: Partial<RouteLimits>): Route {
  return {
    id: id as RouteId,
    limits: {
      perPrincipal: limits.perPrincipal ?? [],
      perClient: limits.perClient ?? [],
      perRoute: limits.perRoute ?? [],
      concurrency: limits.concurrency ?? {
        perPrincipal: undefined,
        perClient: undefined,
        perRoute: undefined,
      },
    },
  } as Route;
}

export function bearer(limitKey: string, clientId?: string): BearerPrincipal {
  return { kind: 'bearer', limitKey, issuer: 'https://issuer.example', clientId } as BearerPrincipal;
}

export const NOBODY = { kind: 'anonymous', scopes: new Set() } as unknown as AnonymousPrincipal;

/** Sends one request through everything that counts it. @returns what refused it, by name */
export async function send(
  limits: Limits,
  who: { principal: BearerPrincipal | AnonymousPrincipal; tenant?: TenantId; route?: Route; peer?: string },
): Promise<string> {
  const counting = limits.counting({
    tenant: who.tenant ?? NORTH,
    route: who.route,
    principal: who.principal,
    peer: who.peer ?? '192.0.2.1',
  });
  for (const { bucket, key } of counting) {
    const refusal: Refusal | undefined = await bucket.take(key);
    if (refusal !== undefined) return refusal.bucket.scope.name;
  }
  return '';
}
