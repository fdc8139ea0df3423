import { randomInt } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { RowDataPacket } from 'mysql2/promise';
import { parse, stringify } from 'yaml';
import { systemClock } from '../../../contracts/clock.ts';
import { type DatabaseId, parseDatabaseId } from '../../../contracts/identifiers.ts';
import { approve, type Installer, prepareDatabase } from '../../../examples/demo/emr-side.ts';
import { give } from '../../../examples/demo/isolation.ts';
import { writeSecret } from '../../../examples/demo/layout.ts';
import { createOracle } from '../../../gateway/integrity/oracle.ts';
import { family, processorSeconds } from '../../machine.ts';
import { Pace } from '../client.ts';
import type { Clinic } from '../clinic.ts';
import { secretOf } from '../clinic.ts';
import { quantile } from '../parts.ts';

export interface TenantsFound {
  readonly tenants: number;
  /** From starting the checker until every database was verified. */
  readonly readyMs: number;
  readonly perSecond: number;
  readonly p50: number;
  readonly p99: number;
  /** Verdicts other than "intact" of databases that nobody touched. */
  readonly notIntact: number;
  /** One of them was tampered with: verdicts of it that did not say so, and of others that did. */
  readonly missed: number;
  readonly blamed: number;
  readonly queriesPerSecond: number;
  readonly checker: number;
  readonly database: number;
  /** The same with nobody asking. */
  readonly idleChecker: number;
  readonly idleDatabase: number;
}

/** Small: what is shown is that many do not get into each other's way, not how large each may be. */
const install: Installer = async (connection, schema) => {
  await connection.query(`CREATE DATABASE \`${schema}\`; USE \`${schema}\``);
  await connection.query(`CREATE TABLE patient (id INT PRIMARY KEY AUTO_INCREMENT, name VARCHAR(80)) ENGINE=InnoDB;
    CREATE TABLE visit (id INT PRIMARY KEY AUTO_INCREMENT, patient INT NOT NULL, note TEXT,
      FOREIGN KEY (patient) REFERENCES patient (id)) ENGINE=InnoDB`);
};

/** Many databases on one checker: strict verdicts of all of them at random, at a steady rate. */
export async function manyTenants(
  clinic: Clinic,
  count: number,
  perSecond: number,
  seconds: number,
  progress: (line: string) => void,
): Promise<TenantsFound> {
  const { stack } = clinic;
  const folder = join(stack.layout.checker, 'many');
  mkdirSync(folder, { mode: 0o700 });
  give(folder, stack.isolation.checker);
  const ids: DatabaseId[] = [];
  const databases: Record<string, unknown>[] = [];
  const file = join(stack.layout.checker, 'checker.yaml');
  const configuration = parse(readFileSync(file, 'utf8')) as { databases: Record<string, unknown>[] };
  const [model] = configuration.databases;
  for (let n = 0; n < count; n += 1) {
    const id = parseDatabaseId(`many-${n}`);
    if (id === undefined) throw new Error('no name of a database');
    const prepared = await prepareDatabase(stack.mariadb, {
      schema: `many_${n}`,
      clinic: id,
      seed: id,
      install,
    });
    ids.push(id);
    databases.push({
      ...model,
      id,
      port: stack.mariadb.port,
      user: prepared.checkerUser.user,
      password: { file: secret(`${id}.password`, prepared.checkerUser.password) },
      emrSchema: prepared.schema,
      auditSchema: prepared.auditSchema,
    });
    if ((n + 1) % 10 === 0) progress(`${n + 1} databases`);
  }
  // Signed once all are there: privileges of one may cover the next.
  for (const [n, id] of ids.entries()) {
    const entry = databases[n] ?? {};
    const approved = await approve(stack.mariadb, `many_${n}`);
    entry.baseline = secret(`${id}.json`, approved.baseline);
    entry.baselineKeys = approved.publicKeys.map((key, index) => secret(`${id}.${index}.pub`, key));
  }
  await stack.checker.stop();
  writeSecret(
    file,
    stringify({ ...configuration, databases }, { aliasDuplicateObjects: false }),
    stack.isolation.checker,
  );
  const began = performance.now();
  await stack.checker.start();
  const oracle = createOracle({
    socket: stack.layout.socket,
    secret: secretOf(join(stack.layout.checker, 'attestation.secret')),
    timeoutMs: 3_000,
    databases: ids,
    clock: systemClock,
  });
  const administrator = await stack.mariadb.connect();
  try {
    const strict = async (id: DatabaseId) => oracle.attest(id, { mode: 'strict' }, systemClock.monotonic());
    while ((await Promise.all(ids.map(strict))).some(({ state }) => state !== 'intact')) {
      if (performance.now() - began > 30_000) break;
      await sleep(50);
    }
    const readyMs = performance.now() - began;
    const usage = async () => {
      const [[row]] = await administrator.query<RowDataPacket[]>("SHOW GLOBAL STATUS LIKE 'Questions'");
      return {
        at: performance.now(),
        questions: Number(row?.Value),
        checker: processorSeconds(family(stack.checker.pid)),
        database: processorSeconds([stack.mariadb.pid]),
      };
    };
    const idleBefore = await usage();
    await sleep(seconds * 500);
    const idleAfter = await usage();
    const times: number[] = [];
    let notIntact = 0;
    const waiting = new Set<Promise<void>>();
    const before = await usage();
    const pace = new Pace(perSecond, () => {
      const since = performance.now();
      const asked = strict(ids[randomInt(ids.length)] ?? clinic.database).then(({ state }) => {
        times.push(performance.now() - since);
        if (state !== 'intact') notIntact += 1;
        waiting.delete(asked);
      });
      waiting.add(asked);
    });
    await sleep(seconds * 1_000);
    await pace.stop();
    await Promise.all(waiting);
    const after = await usage();
    const passed = (after.at - before.at) / 1_000;
    const idled = (idleAfter.at - idleBefore.at) / 1_000;

    const victim = randomInt(ids.length);
    await administrator.query(`CREATE TABLE \`many_${victim}\`.shadow (a INT)`);
    const verdicts = await Promise.all(ids.map(strict));
    await administrator.query(`DROP TABLE \`many_${victim}\`.shadow`);
    return {
      tenants: count,
      readyMs,
      perSecond: times.length / passed,
      p50: quantile(times, 0.5),
      p99: quantile(times, 0.99),
      notIntact,
      missed: verdicts[victim]?.state === 'broken' ? 0 : 1,
      blamed: verdicts.filter(({ state }, index) => index !== victim && state !== 'intact').length,
      queriesPerSecond: (after.questions - before.questions) / passed,
      checker: (after.checker - before.checker) / passed,
      database: (after.database - before.database) / passed,
      idleChecker: (idleAfter.checker - idleBefore.checker) / idled,
      idleDatabase: (idleAfter.database - idleBefore.database) / idled,
    };
  } finally {
    await administrator.end();
    await oracle.close();
  }

  function secret(name: string, content: string | Buffer): string {
    const path = join(folder, name);
    writeFileSync(path, content, { mode: 0o600 });
    give(path, stack.isolation.checker);
    return path;
  }
}
