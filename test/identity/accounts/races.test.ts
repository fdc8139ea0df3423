import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { StateSettings, StateStore } from '../../../contracts/state.ts';
import type { PrivateDatabase } from '../../../examples/support/private-database.ts';
import { type Accounts, createAccounts } from '../../../identity/accounts/index.ts';
import { openState } from '../../../identity/state/index.ts';
import { startServer } from '../../audit-sql/support.ts';
import { secretOf } from '../factors/support.ts';
import { clinic, enrolled, must, OTHER_PASSWORD, QUICK } from './support/world.ts';

const PASSWORD = 'state-password-of-a-test';
/** How often each race is run: who is quicker differs. */
const ROUNDS = 8;

describe.each(['sqlite', 'mariadb'] as const)('administrators at the same moment, state in %s', (engine) => {
  const folder = mkdtempSync(join(tmpdir(), 'chartgate-races-'));
  let server: PrivateDatabase | undefined;
  const stores: StateStore[] = [];
  /** Two issuers: each with connections of its own. */
  let one: Accounts;
  let two: Accounts;

  beforeAll(async () => {
    let settings: StateSettings = { kind: 'sqlite', file: join(folder, 'state.sqlite') };
    if (engine === 'mariadb') {
      server = await startServer('accounts-races');
      const root = await server.connect();
      await root.query('CREATE DATABASE chartgate_state');
      await root.query(`CREATE USER 'chartgate'@'127.0.0.1' IDENTIFIED BY '${PASSWORD}'`);
      await root.query("GRANT ALL ON chartgate_state.* TO 'chartgate'@'127.0.0.1'");
      await root.end();
      settings = {
        kind: 'mysql',
        host: '127.0.0.1',
        port: server.port,
        socketPath: undefined,
        database: 'chartgate_state',
        user: 'chartgate',
        password: secretOf(Buffer.from(PASSWORD)),
        authority: undefined,
      };
    }
    const open = async (): Promise<Accounts> => {
      const store = await openState(settings);
      stores.push(store);
      return createAccounts({ store, settings: QUICK, issuer: 'https://id.clinic.example' });
    };
    [one, two] = [await open(), await open()];
  });
  afterAll(async () => {
    for (const store of stores) await store.close();
    await server?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  test('of three administrators who disable each other, two stay', async () => {
    for (let round = 0; round < ROUNDS; round += 1) {
      const name = `ring-${round}`;
      const [a, b] = await clinic(one, name);
      const c = await enrolled(one, [a, b], name, `third@${name}`, ['admin']);
      await Promise.all([
        one.alone.disableAccount(a, b),
        two.alone.disableAccount(b, c),
        one.alone.removeAccount(c, a),
        two.alone.disableAccount(a, c),
      ]);
      const left = await Promise.all([a, b, c].map((id) => two.account(id)));
      expect(left.filter((each) => each?.status === 'active')).toHaveLength(2);
    }
  });

  test('an approval and the dismissal of whoever asked: never an account with one person behind it', async () => {
    const name = 'dismissed';
    const [a, b] = await clinic(one, name);
    const seen = new Set<string>();
    for (let round = 0; round < ROUNDS; round += 1) {
      const c = await enrolled(one, [a, b], name, `asks-${round}`, ['admin']);
      const asked = must(
        await one.asking.createAccount(c, {
          organisation: name,
          login: `asked-${round}`,
          name: 'Asked',
          roles: ['user'],
        }),
      );
      const [approved, disabled] = await Promise.all([
        one.deciding.approve(a, asked.request?.id ?? ''),
        two.alone.disableAccount(b, c),
      ]);
      expect(disabled.ok).toBe(true);
      const account = await one.account(asked.account.id);
      expect(account?.status).toBe(approved.ok ? 'active' : 'pending');
      // Either order is right; whichever it was, the events are in that order, and both were whole.
      seen.add(approved.ok ? 'approved first' : approved.reason);
      const { items } = must(await one.looking.events(a, name, { limit: 500 }));
      const about = items.filter(
        ({ what, subject }) =>
          (what === 'account-created' && subject === asked.account.id) ||
          (what === 'account-disabled' && subject === c),
      );
      expect(about).toHaveLength(approved.ok ? 2 : 1);
    }
    for (const outcome of seen) expect(['approved first', 'requester-gone']).toContain(outcome);
  });

  test('one login, asked for thirty times at once, is given once', async () => {
    const [a, b] = await clinic(one, 'crowded');
    const outcomes = await Promise.all(
      Array.from({ length: 30 }, (_, i) =>
        (i % 2 ? one : two).asking.createAccount(i % 3 ? a : b, {
          organisation: 'crowded',
          login: 'wanted',
          name: 'Wanted',
          roles: ['user'],
        }),
      ),
    );
    expect(outcomes.filter(({ ok }) => ok)).toHaveLength(1);
    const reasons = outcomes.flatMap((outcome) => (outcome.ok ? [] : [outcome.reason]));
    for (const reason of reasons) expect(['login-taken', 'changed-meanwhile']).toContain(reason);
  });

  test('forty guesses at once are five guesses', async () => {
    await clinic(one, 'guessed');
    const guesses = await Promise.all(
      Array.from({ length: 40 }, (_, i) =>
        (i % 2 ? one : two).signIn.authenticate({
          login: 'anna@guessed.example',
          password: `${OTHER_PASSWORD} ${i}`,
          source: `192.0.2.${i}`,
        }),
      ),
    );
    const checked = guesses.filter((each) => !each.ok && each.detail === 'wrong-password');
    expect(checked).toHaveLength(5);
  });
});
