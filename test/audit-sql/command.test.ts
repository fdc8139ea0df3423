import { chmodSync, existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Command } from 'commander';
import type { Connection, RowDataPacket } from 'mysql2/promise';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { connectServer } from '../../audit-sql/connect.ts';
import { compareSnapshot, openBaseline, readSnapshot } from '../../audit-sql/fingerprint/index.ts';
import { auditNames } from '../../audit-sql/index.ts';
import { register } from '../../cli/commands/audit-sql/index.ts';
import type { PrivateMariadb } from '../../examples/support/private-mariadb.ts';
import { connectAs, lenient, makeEmrUser, startServer, trusting } from './support.ts';

describe('chartgate audit-sql', () => {
  let server: PrivateMariadb;
  let admin: Connection;
  let folder: string;
  let common: readonly string[];

  beforeAll(async () => {
    server = await startServer('audit-sql-command');
    admin = await lenient(server);
    await admin.query('CREATE DATABASE emr; CREATE TABLE emr.patient (id INT PRIMARY KEY, name TEXT)');
    await makeEmrUser(admin);
    folder = join(server.directory, 'files');
    mkdirSync(folder);
    secret('admin', server.administrator.password);
    secret('checker', 'secret-of-the-checker');
    common = [
      '--schema',
      'emr',
      '--socket',
      server.socket,
      '--user',
      'root',
      '--password-file',
      join(folder, 'admin'),
    ];
  });

  afterAll(async () => {
    await admin?.end();
    await server?.stop();
  });

  function secret(name: string, text: string, mode = 0o600): string {
    const file = join(folder, name);
    writeFileSync(file, `${text}\n`, { mode });
    chmodSync(file, mode);
    return file;
  }

  /** Runs the command in this process and returns what it printed. */
  async function run(...arguments_: readonly string[]): Promise<string> {
    const printed: string[] = [];
    const write = vi.spyOn(process.stdout, 'write').mockImplementation(((text: string, done?: () => void) => {
      printed.push(String(text));
      done?.();
      return true;
    }) as typeof process.stdout.write);
    try {
      const program = new Command('chartgate').exitOverride();
      register(program);
      for (const command of program.commands) {
        command.exitOverride().configureOutput({ writeErr: () => {} });
        for (const sub of command.commands) sub.exitOverride().configureOutput({ writeErr: () => {} });
      }
      await program.parseAsync(['audit-sql', ...arguments_], { from: 'user' });
    } finally {
      write.mockRestore();
    }
    return printed.join('');
  }

  it('executes nothing without --apply', async () => {
    const text = await run('start', ...common);
    expect(text).toContain('CREATE OR REPLACE DEFINER');
    expect(await run('start', ...common, '--out', join(folder, 'sql'))).toContain('Nothing was executed');
    expect(readFileSync(join(folder, 'sql', 'start.sql'), 'utf8')).toBe(text);
    const [rows] = await admin.query<RowDataPacket[]>("SHOW DATABASES LIKE 'emr_audit'");
    expect(rows).toEqual([]);
  });

  it('takes a schema from nothing to a signed baseline that the checker finds intact', async () => {
    expect(JSON.parse(await run('start', ...common, '--apply', '--json'))).toMatchObject({
      script: 'start',
      tables: 1,
      applied: true,
    });
    await run('guard', ...common, '--apply');
    await run(
      'protect',
      ...common,
      '--apply',
      '--emr-user',
      'emr@localhost',
      '--checker-password-file',
      join(folder, 'checker'),
    );
    const privateKey = join(folder, 'baseline.key');
    const publicKey = join(folder, 'baseline.pub');
    await run('keygen', '--private-key', privateKey, '--public-key', publicKey);
    expect(statSync(privateKey).mode & 0o777).toBe(0o600);
    const file = join(folder, 'baseline.json');
    await run('baseline', ...common, '--private-key', privateKey, '--out', file);
    const baseline = openBaseline(readFileSync(file), trusting(readFileSync(publicKey)));
    await approval(file, privateKey, publicKey);
    const checker = await connectAs(server, 'chartgate_checker', 'secret-of-the-checker');
    const names = auditNames({ emrSchema: 'emr' });
    expect(compareSnapshot(baseline, await readSnapshot(checker, names))).toEqual([]);
    await run('stop', ...common, '--apply');
    expect(compareSnapshot(baseline, await readSnapshot(checker, names))).not.toEqual([]);
    await checker.end();
  });

  /** Another administrator looks at a new baseline and signs it too. */
  async function approval(file: string, privateKey: string, publicKey: string): Promise<void> {
    const otherKey = join(folder, 'other.key');
    await run('keygen', '--private-key', otherKey, '--public-key', join(folder, 'other.pub'));
    const both = trusting(readFileSync(publicKey), readFileSync(join(folder, 'other.pub')));
    expect(() => openBaseline(readFileSync(file), both)).toThrow(/1 of the 2 signatures/);

    await admin.query("GRANT FILE ON *.* TO 'emr'@'localhost'");
    const next = join(folder, 'next.json');
    const taken = await run(
      'baseline',
      ...common,
      '--private-key',
      privateKey,
      '--out',
      next,
      '--compare',
      file,
    );
    expect(taken).toMatch(/changes 1 thing:\n {2}added +privilege emr\.localhost\.global\.FILE/);
    expect(taken).toContain('with one signature');
    const before = readFileSync(next);
    expect(await run('approve', next, '--compare', file)).toContain('Nothing was signed');
    expect(readFileSync(next)).toEqual(before);
    await expect(run('approve', next, '--private-key', privateKey)).rejects.toThrow(/signed it already/);
    expect(
      JSON.parse(await run('approve', next, '--private-key', otherKey, '--compare', file, '--json')),
    ).toMatchObject({
      signers: [expect.any(String), expect.any(String)],
      changes: [{ change: 'added', what: 'privilege emr.localhost.global.FILE' }],
    });
    expect(openBaseline(readFileSync(next), both).signers).toHaveLength(2);
    await admin.query("REVOKE FILE ON *.* FROM 'emr'@'localhost'");
  }

  const REFUSED: readonly (readonly [string, string, (c: readonly string[]) => readonly string[]])[] = [
    ['a schema that is not there', 'privilege-missing', (c) => ['start', ...c.with(1, 'nowhere')]],
    ["the server's own schema", 'usage', (c) => ['start', ...c.with(1, 'mysql')]],
    [
      'a password that others can read',
      'secret-exposed',
      (c) => ['start', ...c.with(7, secret('open', 'x', 0o644))],
    ],
    ['a password file that is not there', 'secret-unreadable', (c) => ['start', ...c.with(7, '/nowhere')]],
    ['a wrong password', 'privilege-missing', (c) => ['start', ...c.with(7, secret('wrong', 'wrong'))]],
    ['a server that is not there', 'database-unavailable', (c) => ['start', ...c.with(3, '/nowhere')]],
    ['socket and host at once', 'usage', (c) => ['start', ...c, '--host', 'localhost']],
    ['a port that is none', 'usage', (c) => ['start', ...c.slice(0, 2), ...c.slice(4), '--port', '0x50']],
    ['protect that compares and executes at once', 'usage', (c) => ['protect', ...c, '--check', '--apply']],
    ['a policy that is not there', 'usage', (c) => ['protect', ...c, '--policy', '/nowhere']],
    [
      'a policy that is none',
      'configuration-invalid',
      (c) => ['protect', ...c, '--policy', secret('policy', 'roles: 7')],
    ],
    [
      'protect for an account that is not there',
      'usage',
      (c) => ['protect', ...c, '--emr-user', 'nobody@nowhere'],
    ],
    [
      "the checker's password without --apply",
      'usage',
      (c) => [
        'protect',
        ...c,
        '--emr-user',
        'emr@localhost',
        '--checker-password-file',
        join(folder, 'checker'),
      ],
    ],
    [
      'a key that is there already',
      'usage',
      () => ['keygen', '--private-key', join(folder, 'admin'), '--public-key', join(folder, 'p')],
    ],
    [
      'a baseline key that is no key',
      'baseline-invalid',
      (c) => ['baseline', ...c, '--private-key', join(folder, 'checker'), '--out', join(folder, 'b')],
    ],
  ];

  it.each(REFUSED)('refuses %s: %s', async (_, code, arguments_) => {
    const attempt = run(...arguments_(common));
    await expect(attempt).rejects.toMatchObject({ code });
    await attempt.catch((error: Error) => {
      expect(error.message).not.toContain(server.administrator.password);
      expect(error.message).not.toContain('secret-of-the-checker');
    });
    expect(existsSync(join(folder, 'b'))).toBe(false);
  });

  it('refuses an unencrypted server wherever TLS is asked for', async () => {
    const authority = readFileSync(join(import.meta.dirname, '../../package.json'));
    const attempt = connectServer({
      host: '127.0.0.1',
      port: server.port,
      user: 'root',
      password: Buffer.from(server.administrator.password),
      authority,
    });
    await expect(attempt).rejects.toMatchObject({ code: 'database-unavailable' });
  });
});
