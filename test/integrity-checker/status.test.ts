import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { PrivateDatabase } from '../../examples/support/private-database.ts';
import { ENGINES, startServer } from '../audit-sql/support.ts';
import { writeConfiguration } from './support/checker-process.ts';
import { type ProtectedDatabase, protectDatabase } from './support/protected-database.ts';

const MAIN = join(import.meta.dirname, '..', '..', 'cli', 'main.ts');
const run = promisify(execFile);

describe.each(ENGINES)('chartgate checker status, on %s', (engine) => {
  let server: PrivateDatabase;
  let clinic: ProtectedDatabase;
  let configuration: string;

  beforeAll(async () => {
    server = await startServer('integrity-status', engine);
    clinic = await protectDatabase(server, 'clinic');
    configuration = await writeConfiguration(
      join(server.directory, 'configuration'),
      join(server.directory, 'status.sock'),
      'a shared secret of good length',
      [clinic.settings],
    );
  });
  afterAll(() => server?.stop());

  async function status(
    ...more: readonly string[]
  ): Promise<{ readonly code: number; readonly out: string }> {
    try {
      const { stdout } = await run(process.execPath, [
        MAIN,
        'checker',
        'status',
        '--config',
        configuration,
        ...more,
      ]);
      return { code: 0, out: stdout };
    } catch (error) {
      const { code, stdout, stderr } = error as { code: number; stdout: string; stderr: string };
      return { code, out: stdout + stderr };
    }
  }

  it('says that all is as approved', async () => {
    const { code, out } = await status();
    expect(out).toMatch(/^clinic: intact, compared with baseline [0-9a-f]{16}…\n$/);
    expect(code).toBe(0);
  });

  it('says what differs, in words, and what would restore it; following that restores it', async () => {
    const administrator = await server.connect();
    await administrator.query('GRANT DROP ON clinic.* TO clinic_emr');
    await administrator.query('ALTER USER clinic_guard@localhost ACCOUNT UNLOCK');
    const page = await status();
    expect(page.code).toBe(1);
    expect(page.out).toContain('clinic: broken');
    expect(page.out).toContain('privilege-added  clinic_emr.%.schema.clinic.DROP');
    expect(page.out).toContain("REVOKE DROP ON `clinic`.* FROM 'clinic_emr'@'%';");
    const json = await status('--json');
    const [told] = JSON.parse(json.out) as { state: string; remedies: string[] }[];
    expect(told?.state).toBe('broken');
    for (const remedy of told?.remedies ?? []) await administrator.query(remedy);
    expect((await status()).code).toBe(0);
    await administrator.end();
  });

  it('says when the baseline does not count', async () => {
    const administrator = await server.connect();
    await writeFile(clinic.settings.baseline, '{}');
    const { code, out } = await status();
    expect(code).toBe(1);
    expect(out).toContain('baseline-invalid');
    await clinic.approve(administrator);
    await administrator.end();
  });

  it('says when the database cannot be asked, and nothing of the password', async () => {
    await server.stop();
    const { code, out } = await status();
    expect(code).toBe(1);
    expect(out).toContain('clinic: unverified');
    expect(out).not.toContain(clinic.settings.password.reveal().toString());
  });
});
