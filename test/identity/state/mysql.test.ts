import { chmodSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type mysql from 'mysql2/promise';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { systemClock } from '../../../contracts/clock.ts';
import type { MysqlStateSettings } from '../../../contracts/state.ts';
import { type Authority, createAuthority } from '../../../examples/support/local-authority.ts';
import type { PrivateDatabase } from '../../../examples/support/private-database.ts';
import { openState } from '../../../identity/state/index.ts';
import { migrateMysql } from '../../../identity/state/mysql/migrate.ts';
import { MIGRATIONS } from '../../../identity/state/mysql/schema.ts';
import { openMysql } from '../../../identity/state/mysql/store.ts';
import { inspectState } from '../../../identity/state/upkeep.ts';
import { ENGINES, startServer } from '../../audit-sql/support.ts';
import { secretOf } from '../../integrity-checker/support/secret.ts';
import { until } from '../../support/process.ts';
import { contendedContract } from './contended.ts';
import { stateContract } from './contract.ts';
import { lossContract } from './loss.ts';
import { modelContract } from './model.ts';
import type { Subject } from './support/subject.ts';

const PASSWORD = 'state-password-of-a-test';

describe.each(ENGINES)('the state store on a real %s', (engine) => {
  let server: PrivateDatabase;
  let administrator: mysql.Connection;
  let subject: Subject;
  let settings: MysqlStateSettings;
  let ours: Authority;
  let other: Authority;
  const folder = join(import.meta.dirname, '../../../.work', `identity-state-tls-${engine}`);

  beforeAll(async () => {
    [ours, other] = await Promise.all([createAuthority('ours'), createAuthority('another')]);
    const issued = await ours.issue({ commonName: 'database', hosts: ['127.0.0.1'], days: 1 });
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const files = { cert: issued.certificatePem, key: issued.keyPem, ca: ours.certificatePem };
    const tls = Object.entries(files).map(([name, text]) => {
      writeFileSync(join(folder, name), text);
      chmodSync(join(folder, name), 0o600);
      return `--ssl-${name}=${join(folder, name)}`;
    });
    // What was confirmed must be there after a crash.
    const options = [...tls, '--innodb-flush-log-at-trx-commit=1'];
    server = await startServer('identity-state', engine, options);
    administrator = await server.connect();
    // As unhelpful as servers come: a collation that takes much for equal, and no strictness.
    for (const database of ['state', 'state_next', 'state_empty']) {
      await administrator.query(
        `CREATE DATABASE ${database} CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci`,
      );
    }
    await administrator.query("SET GLOBAL sql_mode = ''");
    for (const [user, rights] of [
      ['state', 'SELECT, INSERT, UPDATE, DELETE'],
      ['state_owner', 'SELECT, INSERT, UPDATE, DELETE, CREATE, ALTER, INDEX'],
    ]) {
      for (const host of ['localhost', '127.0.0.1']) {
        await administrator.query(`CREATE USER '${user}'@'${host}' IDENTIFIED BY '${PASSWORD}'`);
        for (const database of ['state', 'state_next', 'state_empty']) {
          await administrator.query(`GRANT ${rights} ON ${database}.* TO '${user}'@'${host}'`);
        }
      }
    }
    settings = {
      kind: 'mysql',
      host: undefined,
      port: undefined,
      socketPath: server.socket,
      database: 'state',
      user: 'state',
      password: secretOf(PASSWORD),
      authority: undefined,
    };
    await migrateMysql({ ...settings, user: 'state_owner' });
    subject = {
      settings,
      open: (clock) => openState(settings, clock),
      lose: () => server.kill(),
      regain: () => server.restart(options),
    };
  });
  afterAll(async () => {
    await administrator?.end().catch(() => undefined);
    await server?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  const empty = (): MysqlStateSettings => ({ ...settings, database: 'state_empty' });

  it('says what to do where there are no tables and its account may make none', async () => {
    await expect(openState(empty())).rejects.toMatchObject({
      code: 'state-unavailable',
      message: expect.stringMatching(/refuses the account.*privileges/),
    });
  });

  it('is made by an account that may, also by five at once, and then needs no such right', async () => {
    const owner = { ...empty(), user: 'state_owner' };
    expect(await inspectState(empty())).toMatchObject({
      schema: 0,
      findings: [{ code: 'migration-needed', sentence: expect.stringContaining('chartgate state migrate') }],
    });
    const stores = await Promise.all(Array.from({ length: 5 }, () => openState(owner)));
    await Promise.all(stores.map((store) => store.close()));
    const store = await openState(empty());
    expect(await store.healthy()).toBe(true);
    await store.insert('session', 'a', { body: {} });
    expect(await inspectState(empty())).toMatchObject({
      engine,
      schema: 1,
      documents: { session: 1 },
      findings: [],
    });
    await store.remove('session', 'a');
    await store.close();
  });

  it('is found not durable on a server that confirms before it has written', async () => {
    await administrator.query('SET GLOBAL innodb_flush_log_at_trx_commit = 2');
    expect((await inspectState(settings)).findings.map(({ code }) => code)).toEqual(['not-durable']);
    await administrator.query('SET GLOBAL innodb_flush_log_at_trx_commit = 1');
  });

  stateContract(() => subject);
  contendedContract(() => subject);
  modelContract(() => subject, 20);
  lossContract(() => subject);

  it('says unavailable, to everybody and within seconds, while the server hangs; then it goes on', async () => {
    const store = await openState(settings);
    expect(await store.healthy()).toBe(true);
    process.kill(server.pid, 'SIGSTOP');
    const begun = performance.now();
    try {
      const results = await Promise.allSettled(
        Array.from({ length: 50 }, (_, n) =>
          n % 2 === 0 ? store.get('session', 'a') : store.insert('session', `hung-${n}`, { body: {} }),
        ),
      );
      for (const result of results) {
        expect(result).toMatchObject({ status: 'rejected', reason: { code: 'state-unavailable' } });
      }
      expect(performance.now() - begun).toBeLessThan(30_000);
    } finally {
      process.kill(server.pid, 'SIGCONT');
    }
    await until('recovers', () => store.healthy(), 10_000);
    await store.close();
  }, 60_000);

  it('is not migrated before somebody said that there is a backup, and once by all who start together', async () => {
    const owner = { ...settings, user: 'state_owner', database: 'state_next' };
    await (await openState(owner)).close();
    const migrations = [
      ...MIGRATIONS,
      ['ALTER TABLE chartgate_entry ADD COLUMN added INT NOT NULL DEFAULT 0'],
    ];
    await expect(openMysql(owner, systemClock, { migrations })).rejects.toMatchObject({
      code: 'state-unavailable',
      message: expect.stringContaining('--backed-up'),
    });
    const made = await Promise.all(
      Array.from({ length: 3 }, () => migrateMysql(owner, { migrations, backedUp: true })),
    );
    expect(made.toSorted()).toEqual([0, 0, 1]);
    // This program is now the older one.
    await expect(openState(owner)).rejects.toMatchObject({
      code: 'state-unavailable',
      message: expect.stringContaining('newer Chartgate'),
    });
  });

  describe('over TLS', () => {
    const over = (change: Partial<MysqlStateSettings>): Promise<void> =>
      openState({ ...settings, socketPath: undefined, host: '127.0.0.1', port: server.port, ...change }).then(
        (store) => store.close(),
      );
    const pem = (authority: Authority): Buffer => Buffer.from(authority.certificatePem);

    it("is reached with the authority of the server's certificate", async () => {
      await over({ authority: pem(ours) });
    });

    it.each([
      ["an authority that is not the server's", () => ({ authority: pem(other) }), 'state-unavailable'],
      // The certificate is for 127.0.0.1 alone; without care the driver would compare one for an address with localhost.
      [
        'a name that is not in the certificate',
        () => ({ authority: pem(ours), host: 'localhost' }),
        'state-unavailable',
      ],
      ['no authority, beyond loopback', () => ({ host: '0.0.0.0' }), 'configuration-invalid'],
      [
        'a wrong password',
        () => ({ authority: pem(ours), password: secretOf('guessed') }),
        'state-unavailable',
      ],
    ])('is refused with %s', async (_, change, code) => {
      await expect(over(change())).rejects.toMatchObject({ name: 'ChartgateError', code });
    });
  });
});
