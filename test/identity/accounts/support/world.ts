import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ACCOUNT_DEFAULTS, type AccountSettings } from '../../../../contracts/account-settings.ts';
import { type Clock, systemClock } from '../../../../contracts/clock.ts';
import type { StateStore } from '../../../../contracts/state.ts';
import { type Accounts, createAccounts, HOST, type Outcome } from '../../../../identity/accounts/index.ts';
import { openState } from '../../../../identity/state/index.ts';

/** Argon2 so cheap that what is not about it does not wait for it. */
export const QUICK: AccountSettings = Object.freeze({
  ...ACCOUNT_DEFAULTS,
  argon2: { ...ACCOUNT_DEFAULTS.argon2, memoryKib: 64, passes: 1 },
  lockout: { ...ACCOUNT_DEFAULTS.lockout, sourceFailures: 1000 },
});

/** Of the accounts' second factors. */
export const ISSUER = 'https://id.clinic.example';

export interface World {
  readonly store: StateStore;
  readonly accounts: Accounts;
  /** A second set of the same things over the same store, as another process would have it. */
  again(settings?: AccountSettings): Accounts;
  close(): Promise<void>;
}

export async function openWorld(
  settings: AccountSettings = QUICK,
  clock: Clock = systemClock,
): Promise<World> {
  const folder = mkdtempSync(join(tmpdir(), 'chartgate-accounts-'));
  const store = await openState({ kind: 'sqlite', file: join(folder, 'state.sqlite') }, clock);
  return {
    store,
    accounts: createAccounts({ store, settings, clock, issuer: ISSUER }),
    again: (other = settings) => createAccounts({ store, settings: other, clock, issuer: ISSUER }),
    close: async () => {
      await store.close();
      rmSync(folder, { recursive: true });
    },
  };
}

/** A wall clock that a test can push on; ages of sessions and locks are read from it. */
export function pushedClock(): Clock & { push(milliseconds: number): void } {
  let ahead = 0;
  return {
    wall: () => Date.now() + ahead,
    monotonic: () => performance.now() + ahead,
    push: (milliseconds) => {
      ahead += milliseconds;
    },
  };
}

export function must<T>(outcome: Outcome<T>): T {
  if (!outcome.ok) throw new Error(`refused: ${outcome.reason} ${outcome.detail ?? ''}`);
  return outcome.value;
}

/** Nobody's name is in it and no list has it. */
export const GOOD_PASSWORD = 'quartz ferry umbrella 9';
export const OTHER_PASSWORD = 'violet mosaic harbour 4';
export const SOURCE = '192.0.2.7';

/** An organisation with two administrators who have set their passwords. Ids of both. */
export async function clinic(accounts: Accounts, name = 'riverside'): Promise<readonly [string, string]> {
  const made = must(
    await accounts.asking.createOrganisation(HOST, {
      name,
      administrators: [
        { login: `anna@${name}.example`, name: 'Anna Adams' },
        { login: `boris@${name}.example`, name: 'Boris Brown' },
      ],
    }),
  );
  for (const { text } of made.codes) {
    const set = await accounts.passwords.redeem({ code: text, next: GOOD_PASSWORD, source: SOURCE });
    if (!set.ok) throw new Error(`not enrolled: ${set.reason} ${set.faults.join()}`);
  }
  const [anna, boris] = made.accounts;
  if (!anna || !boris) throw new Error('two administrators were asked for');
  return [anna.id, boris.id];
}

/** An account that one administrator asked for and the other approved. Its id and whole code. */
export async function enrolled(
  accounts: Accounts,
  [asks, approves]: readonly [string, string],
  organisation: string,
  login: string,
  roles: readonly string[] = ['user'],
  password = GOOD_PASSWORD,
): Promise<string> {
  const asked = must(
    await accounts.asking.createAccount(asks, { organisation, login, name: 'Uma User', roles }),
  );
  const decided = must(await accounts.deciding.approve(approves, asked.request?.id ?? ''));
  const code = `${asked.codes[0]?.text}-${decided.codes[0]?.text}`;
  const set = await accounts.passwords.redeem({ code, next: password, source: SOURCE });
  if (!set.ok) throw new Error(`not enrolled: ${set.reason} ${set.faults.join()}`);
  return asked.account.id;
}
