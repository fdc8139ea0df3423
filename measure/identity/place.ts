import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { generateSync } from 'otplib';
import { ACCOUNT_DEFAULTS, type AccountSettings } from '../../contracts/account-settings.ts';
import { type Clock, systemClock } from '../../contracts/clock.ts';
import { parseTenantId, type TenantId } from '../../contracts/identifiers.ts';
import type { Secret } from '../../contracts/secret.ts';
import type { StateStore } from '../../contracts/state.ts';
import { type Accounts, createAccounts, HOST } from '../../identity/accounts/index.ts';
import { createFactors, type Factors, factorPrincipal } from '../../identity/factors/index.ts';
import { createSealer, openState, type Sealer } from '../../identity/state/index.ts';

/** A real store in a folder of its own. */
export interface Place {
  readonly folder: string;
  readonly file: string;
  readonly key: Buffer;
  readonly store: StateStore;
  readonly sealer: Sealer;
  close(): Promise<void>;
}

export function secretOf(bytes: Buffer): Secret {
  return { reveal: () => Buffer.from(bytes), toString: () => '[secret]', toJSON: () => '[secret]' };
}

export async function openPlace(name: string, clock: Clock = systemClock): Promise<Place> {
  const folder = mkdtempSync(join(tmpdir(), `chartgate-measure-${name}-`));
  const file = join(folder, 'state.sqlite');
  const key = randomBytes(32);
  const store = await openState({ kind: 'sqlite', file }, clock);
  return {
    folder,
    file,
    key,
    store,
    sealer: createSealer(secretOf(key)),
    async close() {
      await store.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

export function tenantOf(name: string): TenantId {
  const id = parseTenantId(name);
  if (id === undefined) throw new Error(`not a tenant: ${name}`);
  return id;
}

/** A clock that can be pushed on, where hours would pass. */
export function pushedClock(): Clock & { push(milliseconds: number): void } {
  let ahead = 0;
  return {
    wall: () => systemClock.wall() + ahead,
    monotonic: () => systemClock.monotonic() + ahead,
    push: (milliseconds) => {
      ahead += milliseconds;
    },
  };
}

/** Argon2 so cheap that whatever else differs is not lost in it; nobody is locked out. */
export const QUICK: AccountSettings = Object.freeze({
  ...ACCOUNT_DEFAULTS,
  argon2: { ...ACCOUNT_DEFAULTS.argon2, memoryKib: 64, passes: 1 },
  lockout: { ...ACCOUNT_DEFAULTS.lockout, failures: 1_000_000_000, sourceFailures: 1_000_000_000 },
});

export const PASSWORD = 'quartz ferry umbrella 9';
export const LOGIN = 'anna@riverside.example';

/** An organisation with two administrators, of whom both have this password. Their ids. */
export async function enrolAdministrators(accounts: Accounts): Promise<readonly string[]> {
  const made = await accounts.asking.createOrganisation(HOST, {
    name: 'riverside',
    administrators: [
      { login: LOGIN, name: 'Anna Adams' },
      { login: 'boris@riverside.example', name: 'Boris Brown' },
    ],
  });
  if (!made.ok) throw new Error(`no organisation: ${made.reason}`);
  for (const { text } of made.value.codes) {
    const set = await accounts.passwords.redeem({ code: text, next: PASSWORD, source: '192.0.2.1' });
    if (!set.ok) throw new Error(`not enrolled: ${set.reason}`);
  }
  return made.value.accounts.map(({ id }) => id);
}

export function accountsIn(place: Place, settings: AccountSettings, clock: Clock = systemClock): Accounts {
  return createAccounts({ store: place.store, settings, clock });
}

export interface Enrolled {
  readonly principal: string;
  readonly key: string;
  readonly recoveryCodes: readonly string[];
}

export const SOURCE = '192.0.2.10';

export function codeAt(key: string, milliseconds: number): string {
  return generateSync({ secret: key.replaceAll(' ', ''), epoch: Math.floor(milliseconds / 1000) });
}

/** Somebody with a confirmed TOTP key, whose next code was not used yet. */
export async function enrolTotp(
  factors: Factors,
  clock: Clock & { push(milliseconds: number): void },
  subject: string,
): Promise<Enrolled> {
  const principal = factorPrincipal('https://id.clinic.example', subject);
  settle(clock);
  const begun = await factors.beginTotp({
    principal,
    binding: 'browser',
    issuerLabel: 'Example Clinic',
    accountLabel: 'reception',
  });
  if (!begun.ok) throw new Error(begun.why);
  const code = codeAt(begun.key, clock.wall());
  const confirmed = await factors.confirmTotp({ principal, binding: 'browser', code, source: SOURCE });
  if (!confirmed.ok) throw new Error(confirmed.why);
  clock.push(61_000);
  settle(clock);
  return { principal, key: begun.key, recoveryCodes: confirmed.recoveryCodes ?? [] };
}

/** To five seconds after the beginning of the next time step. */
function settle(clock: Clock & { push(milliseconds: number): void }): void {
  clock.push(35_000 - (clock.wall() % 30_000));
}

export function factorsIn(place: Place, clock: Clock): Factors {
  return createFactors({ store: place.store, sealer: place.sealer, clock });
}
