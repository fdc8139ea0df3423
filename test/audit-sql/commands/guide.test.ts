import { spawn } from 'node:child_process';
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Connection } from 'mysql2/promise';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { PrivateDatabase } from '../../../examples/support/private-database.ts';
import { ENGINES, lenient, startServer } from '../support.ts';

const root = join(import.meta.dirname, '../../..');
const GUIDE = readFileSync(join(root, 'docs/audit-sql.md'), 'utf8');

/** The guide's shell blocks in their order. */
const BLOCKS = [...GUIDE.matchAll(/^```sh\n([\s\S]*?)^```$/gm)].map((match) => match[1] ?? '');

describe.each(ENGINES)("the administrator's guide on %s", (engine) => {
  let server: PrivateDatabase;
  let admin: Connection;
  let folder: string;

  beforeAll(async () => {
    server = await startServer(`audit-sql-guide-${engine}`, engine);
    admin = await lenient(server);
    for (const statement of [
      'CREATE DATABASE openemr',
      'CREATE TABLE openemr.facility (id INT PRIMARY KEY, name VARCHAR(80))',
      "CREATE USER 'openemr'@'localhost' IDENTIFIED BY 'password of an EMR'",
      "GRANT ALL PRIVILEGES ON openemr.* TO 'openemr'@'localhost'",
    ]) {
      await admin.query(statement);
    }
    folder = join(server.directory, 'guide');
    mkdirSync(folder);
    writeFileSync(join(folder, 'root.password'), server.administrator.password, { mode: 0o600 });
    // What an installed package has: `npx` finds the command.
    const command = join(folder, 'npx');
    writeFileSync(
      command,
      `#!/bin/sh\nshift\nexec '${process.execPath}' '${join(root, 'cli/main.ts')}' "$@"\n`,
    );
    chmodSync(command, 0o755);
  });

  afterAll(async () => {
    await admin?.end().catch(() => {});
    await server?.stop();
  });

  function shell(script: string): Promise<{ readonly status: number | null; readonly output: string }> {
    return new Promise((resolve) => {
      const child = spawn('sh', ['-e'], {
        cwd: folder,
        env: { ...process.env, PATH: `${folder}:${process.env.PATH ?? ''}` },
      });
      let output = '';
      child.stdout.on('data', (text) => {
        output += String(text);
      });
      child.stderr.on('data', (text) => {
        output += String(text);
      });
      child.once('close', (status) => resolve({ status, output }));
      child.stdin.end(script);
    });
  }

  it('works as it stands, every command, in its order', async () => {
    expect(BLOCKS.length).toBeGreaterThan(6);
    // One shell for all blocks: they share the variable with the connection.
    const script = BLOCKS.join('\n').replace('/run/mysqld/mysqld.sock', server.socket);
    const ran = await shell(script);
    expect(ran.output).toContain('start applied.');
    expect(ran.output).toContain('COVERED: every insert, update and delete');
    expect(ran.status, ran.output.slice(-1500)).toBe(0);
  }, 180_000);
});

it("the administrator's guide names every command", async () => {
  const help = readFileSync(join(root, 'cli/commands/audit-sql/index.ts'), 'utf8');
  for (const [, name] of help.matchAll(/\.command\('([a-z]+)'\)/g))
    expect(GUIDE).toContain(`\`${name ?? ''}`);
});
