import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Clock } from '../../../contracts/clock.ts';
import type { Grantee } from '../../../contracts/consent.ts';
import { parseTenantId, type TenantId } from '../../../contracts/identifiers.ts';
import type { BearerPrincipal } from '../../../contracts/principal.ts';
import type { StateStore } from '../../../contracts/state.ts';
import {
  ConsentIndex,
  type ConsentRules,
  Consents,
  consentView,
  type WantedConsent,
} from '../../../identity/consents/index.ts';
import { EmergencyIndex } from '../../../identity/emergency/index.ts';
import { bearerPrincipal } from '../../../identity/principal.ts';
import { Follower, type FollowerOptions } from '../../../identity/sharing/follower.ts';
import { openState } from '../../../identity/state/index.ts';

export const north = parseTenantId('north') as TenantId;
export const south = parseTenantId('south') as TenantId;
export const DAY = 86_400;
export const HOME_ISSUER = 'https://north.example';
export const PARTNER_ISSUER = 'https://south.example';

export const rules: ConsentRules = {
  tenant: north,
  partners: [south],
  issuers: [HOME_ISSUER, PARTNER_ISSUER],
  longestMs: 366 * DAY * 1000,
};
export const patientAct = { basis: 'patient', issuer: HOME_ISSUER, subject: 'pat' } as const;

/** Goes on by itself, and further when a test says so. */
export class TestClock implements Clock {
  ahead = 0;
  wall = (): number => Date.now() + this.ahead;
  monotonic = (): number => performance.now() + this.ahead;
}

export interface Kept {
  readonly store: StateStore;
  readonly clock: TestClock;
  readonly consents: Consents;
  close(): Promise<void>;
}

export async function keep(): Promise<Kept> {
  const folder = mkdtempSync(join(tmpdir(), 'chartgate-consents-'));
  const clock = new TestClock();
  const store = await openState({ kind: 'sqlite', file: join(folder, 'state.sqlite') }, clock);
  return {
    store,
    clock,
    consents: new Consents(store, clock),
    async close() {
      await store.close();
      rmSync(folder, { recursive: true });
    },
  };
}

/** What one worker knows. */
export function follow(store: StateStore, clock: Clock, note?: FollowerOptions<never>['note']) {
  const follower = new Follower({
    store,
    clock,
    note,
    fresh: () => ({ consent: new ConsentIndex(), emergency: new EmergencyIndex() }),
  });
  return { follower, view: consentView(follower) };
}

export const seconds = (clock: Clock): number => Math.floor(clock.wall() / 1000);

export function wanted(clock: Clock, change: Partial<WantedConsent> = {}): WantedConsent {
  return {
    patient: 'p1',
    grantee: { kind: 'organisation', tenant: 'south' } satisfies Grantee | { tenant: string },
    resourceTypes: ['Observation'],
    actions: ['read'],
    until: seconds(clock) + 30 * DAY,
    ...change,
  };
}

export function person(change: Partial<Parameters<typeof bearerPrincipal>[0]> = {}): BearerPrincipal {
  return bearerPrincipal({
    credential: 'token',
    constraint: 'none',
    tenant: north,
    home: south,
    issuer: PARTNER_ISSUER,
    subject: 'doctor',
    clientId: 'app',
    scopes: new Set(['user/*.rs']),
    patient: undefined,
    expiresAt: 4_000_000_000,
    ...change,
  });
}
