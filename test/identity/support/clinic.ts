import { type Clock, systemClock } from '../../../contracts/clock.ts';
import { parseTenantId, type TenantId } from '../../../contracts/identifiers.ts';
import type { AuthenticationRequest } from '../../../contracts/principal.ts';
import type { IssuerSettings } from '../../../contracts/settings.ts';
import { secret } from './hostile-issuer.ts';

export const AUDIENCE_A = 'https://clinic-a.localhost:8443';
export const AUDIENCE_B = 'https://clinic-b.localhost:8443';

export function tenant(name: string): TenantId {
  const id = parseTenantId(name);
  if (id === undefined) throw new Error(`not a tenant id: ${name}`);
  return id;
}

/** A request to clinic A with this `Authorization` value, or with changes. */
export function asking(
  authorization: string | undefined,
  changes: Partial<AuthenticationRequest> = {},
): AuthenticationRequest {
  return {
    tenant: tenant('clinic-a'),
    audience: AUDIENCE_A,
    issuers: ['main'],
    introspection: 'never',
    authorization,
    ...changes,
  };
}

export function settings(
  of: { readonly issuer: string; readonly authorityPem: string },
  changes: Partial<IssuerSettings> = {},
): IssuerSettings {
  return {
    id: 'main',
    issuer: of.issuer,
    authority: Buffer.from(of.authorityPem),
    algorithms: ['ES256', 'RS256'],
    skewSeconds: 5,
    cache: { maxTokens: 1000, maxSeconds: 60 },
    introspection: { clientId: 'gateway', clientSecret: secret('gateway-secret') },
    ...changes,
  };
}

/** The system's clock, but for leaps that a test makes: an hour cannot be waited for. */
export function leapingClock(): Clock & { leap(by: { wallMs?: number; monotonicMs?: number }): void } {
  let wall = 0;
  let monotonic = 0;
  return {
    wall: () => systemClock.wall() + wall,
    monotonic: () => systemClock.monotonic() + monotonic,
    leap: (by) => {
      wall += by.wallMs ?? 0;
      monotonic += by.monotonicMs ?? 0;
    },
  };
}
