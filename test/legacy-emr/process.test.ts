import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { launchEmr } from '../../examples/legacy-emr/launch.ts';
import { freePort } from '../../examples/support/ports.ts';
import { type Clinic, openClinic } from './support.ts';

const MAIN = join(import.meta.dirname, '..', '..', 'examples', 'legacy-emr', 'main.ts');
let clinic: Clinic;

beforeAll(async () => {
  clinic = await openClinic('legacy-emr-process');
});
afterAll(() => clinic?.stop());

function database(): { host: string; port: number; name: string; user: string; passwordFile: string } {
  const { mariadb, passwordFile } = clinic;
  return { host: mariadb.host, port: mariadb.port, name: 'emr_a', user: 'emr', passwordFile };
}

/** Runs main.ts with exactly this environment until it ends by itself. */
function run(environment: Readonly<Record<string, string>>): Promise<{ code: number | null; err: string }> {
  const child = spawn(process.execPath, [MAIN], { env: environment, stdio: ['ignore', 'ignore', 'pipe'] });
  let err = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    err += text;
  });
  return new Promise((resolve) => child.once('close', (code) => resolve({ code, err })));
}

describe('the process', () => {
  it('listens where it is told, believes in the address it is given, and stops on SIGTERM', async () => {
    const port = await freePort();
    const publicUrl = 'http://emr.inner.example:8080/';
    const emr = await launchEmr({ clinic: 'B', database: database(), port, publicUrl });
    expect(emr.port).toBe(port);
    const answer = await fetch(`http://127.0.0.1:${port}/patients`, { redirect: 'manual' });
    expect(answer.headers.get('location')).toBe('http://emr.inner.example:8080/login?next=%2Fpatients');
    // A request that is being answered does not hold the stop up.
    const hanging = fetch(`http://127.0.0.1:${port}/slow?ms=20000`).catch(() => 'cut');
    await sleep(100);
    expect(await emr.stop()).toBe(0);
    expect(await hanging).toBe('cut');
    await expect(fetch(`http://127.0.0.1:${port}/healthz`)).rejects.toThrow();
  });

  it('says everything that is missing and ends with 1', async () => {
    const { code, err } = await run({
      EMR_PORT: '99999',
      EMR_DB_PASSWORD_FILE: '/nowhere',
      EMR_PUBLIC_URL: '::',
    });
    expect(code).toBe(1);
    for (const text of [
      'EMR_PORT is not a port',
      'EMR_CLINIC is not set',
      'EMR_DB_HOST is not set',
      'EMR_DB_PASSWORD_FILE cannot be read',
      'EMR_PUBLIC_URL is not a URL',
    ]) {
      expect(err).toContain(text);
    }
  });

  it('ends with 1 when the port is taken or the database is not there', async () => {
    const options = { clinic: 'B', database: database() };
    await expect(launchEmr({ ...options, port: clinic.emr.port })).rejects.toThrow(/EADDRINUSE/);
    const elsewhere = { ...options.database, port: await freePort() };
    await expect(launchEmr({ ...options, database: elsewhere })).rejects.toThrow(/ended at once \(1\)/);
  });

  it('fails while the database is away and works when it is back', async () => {
    expect((await clinic.ask('/fhir/Patient/1')).status).toBe(200);
    await clinic.mariadb.kill();
    expect((await clinic.ask('/fhir/Patient/1')).status).toBe(500);
    await clinic.mariadb.restart();
    const deadline = performance.now() + 10_000;
    let status = 0;
    while (status !== 200 && performance.now() < deadline) ({ status } = await clinic.ask('/fhir/Patient/1'));
    expect(status).toBe(200);
  });

  it('works with no more than the four rights on rows', async () => {
    const administrator = await clinic.mariadb.connect();
    await administrator.query("REVOKE ALL PRIVILEGES ON `emr\\_a`.* FROM 'emr'@'127.0.0.1'");
    await administrator.query("GRANT SELECT, INSERT, UPDATE, DELETE ON `emr\\_a`.* TO 'emr'@'127.0.0.1'");
    await administrator.end();
    const emr = await launchEmr({ clinic: 'B', database: database() });
    const made = await fetch(`${emr.origin}/fhir/Patient`, {
      method: 'POST',
      body: JSON.stringify({ resourceType: 'Patient', name: [{ family: 'Briefly' }] }),
    });
    expect(made.status).toBe(201);
    const { id } = (await made.json()) as { id: string };
    expect((await fetch(`${emr.origin}/fhir/Patient/${id}`, { method: 'DELETE' })).status).toBe(204);
    await emr.stop();
  });
});
