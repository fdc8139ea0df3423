import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { CheckedDatabase } from '../../../contracts/settings.ts';
import type { PrivateDatabase } from '../../../examples/support/private-database.ts';
import { splitNotes } from '../../../integrity-checker/seal/checkpoint.ts';
import { CHECKER, CHECKER_PASSWORD, ENGINES, keyPair, startServer } from '../../audit-sql/support.ts';
import { startCheckerProcess, writeConfiguration } from '../support/checker-process.ts';
import { pause, until } from '../support/wait.ts';
import { type Audited, audited, countRows } from './support.ts';

const ROOT = join(import.meta.dirname, '..', '..', '..');
const SECRET = 'shared-secret-of-a-test';

describe.each(ENGINES)("the checker's process on %s", (engine) => {
  let server: PrivateDatabase;
  let clinic: Audited;
  let folder: string;
  let store: string;
  let configuration: string;

  beforeAll(async () => {
    server = await startServer('seal-process', engine);
    clinic = await audited(server, 'clinic');
    folder = join(server.directory, 'checker');
    rmSync(folder, { recursive: true, force: true });
    const database: CheckedDatabase = {
      ...clinic.database,
      host: server.host,
      port: server.port,
      socketPath: undefined,
      // Sealing does not depend on there being one.
      baseline: join(folder, 'no-baseline.json'),
      baselineTrust: { keys: [clinic.keys.publicPem, keyPair().publicPem], required: 2 },
    };
    // Over TCP the account is found by its address.
    await clinic.admin.query(`CREATE USER '${CHECKER.user}'@'127.0.0.1' IDENTIFIED BY '${CHECKER_PASSWORD}'`);
    for (const procedure of ['chartgate_row_hashes', 'chartgate_transactions', 'chartgate_snapshot']) {
      await clinic.admin.query(
        `GRANT EXECUTE ON PROCEDURE ${clinic.names.auditSchema}.${procedure} TO '${CHECKER.user}'@'127.0.0.1'`,
      );
    }
    const directory = join(folder, 'sealed');
    store = join(directory, database.id);
    configuration = await writeConfiguration(folder, join(folder, 'c.sock'), SECRET, [database], {
      privatePem: clinic.keys.privatePem,
      directory,
    });
    writeFileSync(join(folder, 'seal.pub.pem'), clinic.keys.publicPem);
    writeFileSync(join(folder, 'root.password'), server.administrator.password, { mode: 0o600 });
  }, 60_000);
  afterAll(async () => {
    await clinic.admin.end();
    await server.stop();
  });

  const run = (...args: string[]) =>
    spawnSync(process.execPath, [join(ROOT, 'bin', 'chartgate.mjs'), 'audit', ...args], { encoding: 'utf8' });
  const access = () => [
    ...['--schema', 'clinic', '--socket', server.socket, '--user', 'root'],
    ...['--password-file', join(folder, 'root.password')],
  ];
  const verify = (...args: string[]) =>
    run(
      'verify',
      ...['--sealed', store, '--public-key', join(folder, 'seal.pub.pem'), '--database', 'clinic'],
      ...access(),
      ...args,
    );
  /** Rows that the last checkpoint signs. */
  const sealed = (): number => {
    const sizes = [1, 2, 3, 4, 5, 6, 7, 8, 9].flatMap((segment) => {
      const file = join(store, `checkpoints-0000000${segment}.txt`);
      if (!existsSync(file)) return [];
      return splitNotes(readFileSync(file, 'utf8')).notes.map((note) => Number(note.split('\n')[1]));
    });
    return Math.max(0, ...sizes);
  };

  it('killed in the middle of sealing, again and again, loses no row and seals none twice', async () => {
    let over = false;
    const load = Promise.all(
      [1, 2, 3].map(async (session) => {
        const connection = await server.connect({ multipleStatements: true });
        await connection.query('USE clinic');
        for (let i = 0; !over; i++) {
          const end = i % 7 === 0 ? 'ROLLBACK' : 'COMMIT';
          await connection.query(
            `BEGIN; INSERT INTO patient (name) VALUES ('${session}'), ('${i}'); DO SLEEP(0.002); ${end}`,
          );
        }
        await connection.end();
      }),
    );
    for (let kill = 0; kill < 4; kill++) {
      const checker = await startCheckerProcess(configuration);
      const before = sealed();
      await until(() => sealed() > before, 20_000);
      await pause(kill * 137);
      expect(await checker.end('SIGKILL')).toBe('SIGKILL');
    }
    over = true;
    await load;
    const checker = await startCheckerProcess(configuration);
    const rows = await countRows(clinic);
    await until(() => sealed() === rows, 20_000);
    expect(checker.log.filter(({ event, level }) => event === 'seal' && level !== 'info')).toEqual([]);
    await checker.end('SIGTERM');
    const report = verify('--json');
    expect(report.stderr).toBe('');
    expect(JSON.parse(report.stdout)).toMatchObject({
      ok: true,
      figures: { leaves: rows, rows, unsealed: 0 },
    });
    expect(report.status).toBe(0);
  }, 120_000);

  it('prints a checkpoint that proves later that nothing before it was exchanged', () => {
    const kept = join(folder, 'kept.txt');
    const printed = run('checkpoint', store);
    expect(printed.status).toBe(0);
    writeFileSync(kept, printed.stdout + printed.stdout);
    expect(verify('--expect', kept, '--direct')).toMatchObject({
      status: 0,
      stdout: expect.stringMatching(/intact\n$/),
    });
    const key = run('key', '--public-key', join(folder, 'seal.pub.pem'), '--database', 'clinic');
    expect(key.stdout).toMatch(/^chartgate\/clinic\+[0-9a-f]{8}\+[A-Za-z0-9+/]{43}[A-Za-z0-9+/=]\n$/);
  });

  it('finds a row that was edited, and ends with another code', async () => {
    const { auditSchema } = clinic.names;
    await clinic.admin.query(`DROP TRIGGER ${auditSchema}.chartgate_no_update_audit_row`);
    await clinic.admin.query(`UPDATE ${auditSchema}.audit_row SET login = 'x' ORDER BY id LIMIT 1`);
    const found = verify();
    expect(found.status).toBe(1);
    expect(found.stdout).toMatch(
      /^FOUND {2}row-edited: audit_row id \d+, sealed between .* and checkpoint \d+ \(20.*\)$/m,
    );
    expect(found.stdout).toMatch(/^NOT INTACT: 1 finding$/m);
  });

  it.each<[why: string, args: string[], status: number, says: RegExp]>([
    ['no store', ['--sealed', 'nowhere'], 4, /cannot be read/],
    ['a private key', ['--public-key', 'checker/seal.pem'], 2, /private key/],
    ['no key', ['--public-key', 'nowhere'], 2, /cannot be read/],
    ['a file that is no checkpoint', ['--expect', 'checker/checker.yaml'], 2, /hold none/],
    ['another database', ['--database', 'other'], 1, /checkpoint-invalid/],
  ])('says what is wrong with %s', (_, args, status, says) => {
    const [option = '', value = ''] = args;
    const path = value.includes('/') ? join(server.directory, value) : value;
    const ended = verify(option, path);
    expect(ended.stdout + ended.stderr).toMatch(says);
    expect(ended.status).toBe(status);
  });
});
