import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import type { Connection } from 'mysql2/promise';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { PrivateDatabase } from '../../../examples/support/private-database.ts';
import { ENGINES, lenient, startServer } from '../support.ts';
import { SMALL_EMR } from './schema.ts';
import { type Cli, commandLine, runMain } from './support.ts';

// Each command is a process of its own, and a fresh server takes its time on a busy machine.
vi.setConfig({ testTimeout: 120_000 });

describe.each(ENGINES)('chartgate audit-sql refuses on %s', (engine) => {
  let server: PrivateDatabase;
  let admin: Connection;
  let cli: Cli;

  beforeAll(async () => {
    server = await startServer(`audit-sql-refusals-${engine}`, engine);
    cli = commandLine(server);
    admin = await lenient(server);
    await admin.query('CREATE DATABASE emr');
    for (const statement of SMALL_EMR) await admin.query(statement);
    await admin.query("CREATE USER 'half'@'localhost' IDENTIFIED BY 'half-of-an-administrator'");
    await admin.query("GRANT SELECT ON *.* TO 'half'@'localhost'");
    await admin.query("GRANT TRIGGER ON emr.* TO 'half'@'localhost'");
  });

  afterAll(async () => {
    await admin?.end().catch(() => {});
    await server?.stop();
  });

  it('an administrator who lacks a privilege, says which, and leaves everything as it was', async () => {
    const password = cli.secret('half', 'half-of-an-administrator');
    const options = [
      '--schema',
      'emr',
      '--socket',
      server.socket,
      '--user',
      'half',
      '--password-file',
      password,
    ];
    const ran = await cli.raw('start', ...options, '--apply');
    expect(ran.status).toBe(4);
    expect(ran.stderr).toMatch(/CREATE/);
    const [schemas] = await admin.query("SHOW DATABASES LIKE 'emr_audit'");
    expect(schemas).toEqual([]);
    const plan = await cli.raw('plan', ...options);
    expect(plan.status).toBe(1);
    expect(plan.stdout).toMatch(/What stands in the way[\s\S]*CREATE USER/);
  });

  const REFUSED: readonly (readonly [string, number, RegExp, readonly string[]])[] = [
    ['a schema that is not there', 4, /The schema "nowhere" does not exist/, ['--schema', 'nowhere']],
    ["the server's own schema", 2, /cannot be the server's own "mysql"/, ['--schema', 'mysql']],
    [
      'a schema whose audit schema would have too long a name',
      2,
      /The name of the audit schema must have 1 to 64 characters/,
      ['--schema', 'x'.repeat(60)],
    ],
    [
      'an audit schema that no grant can name',
      2,
      /Nothing can be granted on the schema .* 68 characters, and the server takes 64/,
      ['--audit-schema', 'a_'.repeat(23).slice(0, -1).padEnd(46, 'b')],
    ],
    ['a name that GRANT would read as a pattern', 2, /no backslash/, ['--schema', 'a\\_b']],
    ['an audit schema that is the EMR', 2, /must not be the EMR schema/, ['--audit-schema', 'emr']],
    ['a port that is none', 2, /--port must be a number/, ['--host', '127.0.0.1', '--port', '0']],
    ['a lock timeout that is none', 2, /--lock-timeout must be a number/, ['--lock-timeout', 'long']],
    ['an unknown option', 2, /unknown option/, ['--aply']],
  ];

  it.each(REFUSED)('%s with exit code %i and a message', async (_, status, said, more) => {
    const withoutSocket = more.includes('--host')
      ? ['audit-sql', 'start', '--schema', 'emr', '--user', 'root', ...more]
      : undefined;
    const ran = withoutSocket === undefined ? await cli.run('start', ...more) : await runMain(withoutSocket);
    expect(ran.stderr).toMatch(said);
    expect(ran.status).toBe(status);
    expect(ran.stderr).not.toMatch(/\n\s+at /);
  });

  it.each([['--schema', 'nowhere'], ['--lock-timeout', 'long'], ['--aply']])(
    'in JSON when JSON was asked for: %s %s',
    async (...more: string[]) => {
      const ran = await cli.run('start', '--json', ...more);
      const { error } = JSON.parse(ran.stdout) as { error: { code: string; message: string } };
      expect(ran.status).not.toBe(0);
      expect([error.code, ran.stderr.includes(error.message)]).toEqual([
        expect.stringMatching(/^[a-z-]+$/),
        true,
      ]);
    },
  );

  it('a folder that cannot be written', async () => {
    const ran = await cli.run('start', '--out', join(cli.secret('file', ''), 'below'));
    expect(ran.status).toBe(2);
    expect(ran.stderr).toMatch(/cannot be (?:made|written)/);
  });
});

describe('chartgate audit-sql', () => {
  it('says that what answers is no database when something else listens there', async () => {
    const other: Server = createServer((socket) => socket.end('SSH-2.0-OpenSSH_9.9\r\n'));
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
    const address = other.address();
    const port = typeof address === 'object' && address !== null ? String(address.port) : '';
    const options = ['--schema', 'emr', '--user', 'root', '--host', '127.0.0.1', '--port', port];
    const ran = await runMain(['audit-sql', 'plan', ...options]);
    other.close();
    expect(ran.status).toBe(4);
    expect(ran.stderr).toMatch(/No connection to the database at 127\.0\.0\.1/);
  });

  const COMMANDS = [
    'plan',
    'start',
    'stop',
    'protect',
    'guard',
    'baseline',
    'coverage',
    'verify',
    'history',
    'keygen',
  ];

  it.each(COMMANDS)('%s explains itself with an example', async (command) => {
    const ran = await runMain(['audit-sql', command, '--help']);
    expect(ran.status).toBe(0);
    expect(ran.stdout).toContain(`$ chartgate audit-sql ${command}`);
    expect(ran.stdout).toContain('--json');
  });
});
