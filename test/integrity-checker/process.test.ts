import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { systemClock } from '../../contracts/clock.ts';
import type { IntegrityOracle, Verdict } from '../../contracts/integrity.ts';
import { type PrivateMariadb, startPrivateMariadb } from '../../examples/support/private-mariadb.ts';
import { createOracle } from '../../gateway/integrity/oracle.ts';
import { keyPair } from '../audit-sql/support.ts';
import { freeze } from '../support/signals.ts';
import { type CheckerProcess, startCheckerProcess, writeConfiguration } from './support/checker-process.ts';
import { type ProtectedDatabase, protectDatabase } from './support/protected-database.ts';
import { secretOf } from './support/secret.ts';
import { until } from './support/wait.ts';

const SECRET = 'a shared secret of good length, for tests';

let server: PrivateMariadb;
let clinic: ProtectedDatabase;
let folder: string;
let configuration: string;
let checker: CheckerProcess;
let oracle: IntegrityOracle;

beforeAll(async () => {
  server = await startPrivateMariadb({
    directory: join(import.meta.dirname, '..', '..', '.work', 'integrity-process'),
  });
  clinic = await protectDatabase(server, 'clinic');
  folder = await mkdtemp(join(tmpdir(), 'cg-'));
  const socket = join(folder, 'c.sock');
  configuration = await writeConfiguration(join(folder, 'etc'), socket, SECRET, [clinic.settings], {
    privatePem: keyPair().privatePem,
    directory: join(folder, 'seal'),
  });
  checker = await startCheckerProcess(configuration);
  oracle = createOracle({
    socket,
    secret: secretOf(SECRET),
    timeoutMs: 500,
    databases: [clinic.settings.id],
    clock: systemClock,
  });
});
afterAll(async () => {
  await oracle?.close();
  await checker?.end('SIGKILL');
  await server?.stop();
  await rm(folder, { recursive: true, force: true });
});

async function strict(): Promise<Verdict> {
  return await oracle.attest(clinic.settings.id, { mode: 'strict' }, systemClock.monotonic());
}

async function recovered(): Promise<void> {
  await until(async () => (await strict()).state === 'intact', 5_000);
}

it('says that it is ready, and logs what it sees as JSON', async () => {
  expect(checker.ready).toMatchObject({ event: 'ready', databases: ['clinic'], pid: checker.child.pid });
  await recovered();
  expect(checker.log.find((line) => line.event === 'state')).toMatchObject({
    level: 'info',
    database: 'clinic',
    codes: ['intact'],
    time: expect.stringMatching(/^\d{4}-.*Z$/),
  });
});

it('remembers which baseline it accepted, and refuses an older one after it was started again', async () => {
  await recovered();
  const old = await readFile(clinic.settings.baseline);
  const administrator = await server.connect();
  await clinic.approve(administrator);
  await administrator.end();
  await until(() => checker.log.filter((line) => line.event === 'baseline').length > 1);
  await recovered();
  await checker.end('SIGTERM');
  const approved = await readFile(clinic.settings.baseline);
  await writeFile(clinic.settings.baseline, old);
  checker = await startCheckerProcess(configuration);
  await until(async () => (await strict()).findings[0] === 'baseline-invalid', 5_000);
  expect(JSON.stringify(checker.log)).toContain('take it anew to go back');
  await writeFile(clinic.settings.baseline, approved);
  await recovered();
});

it('killed, it is unverified at once; started again, it is found by itself', async () => {
  await recovered();
  await checker.end('SIGKILL');
  expect((await strict()).state).toBe('unverified');
  // The killed process left its socket file behind.
  checker = await startCheckerProcess(configuration);
  await recovered();
});

it('stopped (SIGSTOP), it is unverified within the time limit; continued, it is used again', async () => {
  await recovered();
  await freeze(checker.child.pid ?? 0);
  try {
    expect((await strict()).state).toBe('unverified');
    expect((await strict()).state).toBe('unverified');
  } finally {
    checker.child.kill('SIGCONT');
  }
  await recovered();
});

it('a write that spans a tamper which was put right again sees two epochs', async () => {
  await recovered();
  const before = await strict();
  const administrator = await server.connect({ database: 'clinic' });
  await administrator.query(`DROP TRIGGER ${clinic.trigger}`);
  await clinic.restoreTrigger(administrator);
  await administrator.end();
  const after = await strict();
  expect(after.state).toBe('intact');
  expect(after.epoch).not.toBe(before.epoch);
});

it('SIGHUP does not end it; SIGTERM ends it in order and removes its socket', async () => {
  checker.child.kill('SIGHUP');
  await until(() => checker.log.some((line) => line.event === 'signal'));
  await recovered();
  expect(await checker.end('SIGTERM')).toBe(0);
  expect(existsSync(join(folder, 'c.sock'))).toBe(false);
  expect(checker.log.at(-1)).toMatchObject({ event: 'stopped' });
});

it('a configuration with faults ends it at once, with the faults', async () => {
  const wrong = await writeConfiguration(join(folder, 'wrong'), join(folder, 'w.sock'), 'short', []);
  await expect(startCheckerProcess(wrong)).rejects.toThrow(/ended with 3/);
});
