import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { Connection, RowDataPacket } from 'mysql2/promise';
import { apply, auditNames, describeServer, generateAudit, readModel } from '../../audit-sql/index.ts';
import { GUARD_PROCEDURES, qualified } from '../../audit-sql/names.ts';
import { type DatabaseId, parseDatabaseId } from '../../contracts/identifiers.ts';
import type { CheckedDatabase, Secret } from '../../contracts/settings.ts';
import type { PrivateDatabase } from '../../examples/support/private-database.ts';
import { mysqlIsHere } from '../../examples/support/private-mysql.ts';
import {
  noteSigner,
  openSealSession,
  originOf,
  readVerifier,
  Sealer,
} from '../../integrity-checker/seal/index.ts';
import { verifySeal } from '../../integrity-checker/seal/verify/index.ts';
import { readCheckpoints } from '../../integrity-checker/seal/verify/source.ts';
import { createTable, insertRows } from '../audit/cost/table.ts';
import { administrator, ENGINES, type Engine, startMeasured } from '../audit/servers.ts';
import { processorSeconds } from '../machine.ts';
import { median } from '../statistics.ts';
import type { SealingLoad, SealingLoadDone } from './sealing-load.ts';

const SCHEMA = 'sealing';
const CHECKER = 'chartgate_checker';
const STANDING_ROWS = 1_000;
const ROWS_PER_SECOND = 1_000;
const CONNECTIONS = 4;

export interface SealingOptions {
  readonly short: boolean;
  /** Emptied first. */
  readonly directory: string;
  readonly progress: (line: string) => void;
}

export interface SealingFigures {
  /** Milliseconds from a row's statement to the checkpoint that signs it. */
  readonly lagP50: number;
  readonly lagMax: number;
  /** Audit rows written meanwhile. */
  readonly rowsPerSecond: number;
  /** The server's processor time for sealing, as a share of what it used for everything else. */
  readonly databaseCpuShare: number;
  /** The sealer's own processor time, of one core. */
  readonly checkerCpuShare: number;
  /** Rows that an audit then compares in a second. */
  readonly verifiedPerSecond: number;
}

/**
 * How far sealing is behind at 1,000 audit rows a second, and what it costs the database: 40 columns, three
 * indexes beside the key, durable commits, four connections. Of both engines the worse figure counts; each
 * engine's own have its name in front.
 */
export async function measureSealing(options: SealingOptions): Promise<Readonly<Record<string, number>>> {
  const figures: Record<string, number> = {};
  const worst: Record<string, number> = {};
  await rm(options.directory, { recursive: true, force: true });
  for (const engine of ENGINES) {
    if (engine === 'mysql' && !mysqlIsHere()) continue;
    options.progress(`sealing at ${ROWS_PER_SECOND} audit rows/s on ${engine}`);
    for (const [name, value] of Object.entries(await measureOn(engine, options))) {
      figures[`${engine} ${name}`] = value;
      const least = name.endsWith('PerSecond');
      const before = worst[name];
      worst[name] = before === undefined ? value : least ? Math.min(before, value) : Math.max(before, value);
    }
  }
  return { ...worst, ...figures };
}

async function measureOn(engine: Engine, options: SealingOptions): Promise<SealingFigures> {
  const server = await startMeasured(engine, options.directory, {
    durable: true,
    binaryLog: false,
    // It says which of the server's threads does the sealing's work.
    extra: engine === 'mysql' ? ['--performance-schema=ON'] : [],
  });
  const admin = await administrator(server);
  try {
    const database = await prepare(admin, server);
    return await run(admin, server, database, join(options.directory, `${engine}-sealed`), options);
  } finally {
    await admin.end();
    await server.stop();
  }
}

function secret(text: string): Secret {
  return { reveal: () => Buffer.from(text), toString: () => '[secret]', toJSON: () => '[secret]' };
}

async function prepare(admin: Connection, server: PrivateDatabase): Promise<CheckedDatabase> {
  await admin.query(`CREATE DATABASE ${SCHEMA}; ${createTable(`${SCHEMA}.patients`)}`);
  await admin.query(insertRows(`${SCHEMA}.patients`, 0, STANDING_ROWS));
  const names = auditNames({ emrSchema: SCHEMA });
  const { start, guard } = generateAudit(await readModel(admin, SCHEMA), {
    names,
    server: await describeServer(admin),
  });
  await apply(admin, start);
  await apply(admin, guard);
  const password = randomBytes(18).toString('base64url');
  await admin.query(`CREATE USER ${CHECKER}@localhost IDENTIFIED BY '${password}'`);
  for (const procedure of GUARD_PROCEDURES) {
    await admin.query(
      `GRANT EXECUTE ON PROCEDURE ${qualified(names.auditSchema, procedure)} TO ${CHECKER}@localhost`,
    );
  }
  return {
    id: parseDatabaseId(SCHEMA) as DatabaseId,
    host: undefined,
    port: undefined,
    socketPath: server.socket,
    authority: undefined,
    user: CHECKER,
    password: secret(password),
    emrSchema: SCHEMA,
    auditSchema: names.auditSchema,
    baseline: '',
    baselineTrust: { keys: [], required: 2 },
    fullCheckMs: 5_000,
    timeoutMs: 1_000,
    clockDifferenceMs: 5_000,
  };
}

async function run(
  admin: Connection,
  server: PrivateDatabase,
  database: CheckedDatabase,
  directory: string,
  options: SealingOptions,
): Promise<SealingFigures> {
  const keys = generateKeyPairSync('ed25519');
  const sealer = new Sealer({
    database: database.id,
    directory,
    signer: noteSigner(
      originOf(database.id),
      Buffer.from(keys.privateKey.export({ type: 'pkcs8', format: 'pem' })),
    ),
    open: () => openSealSession(database),
    timeoutMs: database.timeoutMs,
    log: ({ level, sentence }) => {
      if (level !== 'info') options.progress(`sealing: ${sentence}`);
    },
    changed: () => {},
  });
  try {
    while (sealer.size === 0) await pause(20);
    const thread = await sealingThread(admin, server);
    const before = { thread: threadSeconds(server.pid, thread), server: processorSeconds([server.pid]) };
    const own = process.threadCpuUsage();
    const seconds = options.short ? 6 : 30;
    const load = await sendLoad({
      socket: server.socket,
      user: server.administrator.user,
      password: server.administrator.password,
      table: `${SCHEMA}.patients`,
      perSecond: ROWS_PER_SECOND,
      connections: CONNECTIONS,
      seconds,
      standing: STANDING_ROWS,
    });
    const ofThread = threadSeconds(server.pid, thread) - before.thread;
    const ofServer = processorSeconds([server.pid]) - before.server;
    const { user, system } = process.threadCpuUsage(own);
    const total = await countRows(admin, database);
    for (let waited = 0; sealer.size < total && waited < 10_000; waited += 50) await pause(50);
    const public_ = keys.publicKey.export({ type: 'spki', format: 'pem' }).toString();
    const lags = await lagsOf(admin, database, directory, public_);
    const verifiedPerSecond = await verified(database, directory, public_);
    return {
      lagP50: median(lags),
      lagMax: Math.max(...lags),
      rowsPerSecond: load.done / load.seconds,
      databaseCpuShare: ofThread / (ofServer - ofThread),
      checkerCpuShare: (user + system) / 1e6 / load.seconds,
      verifiedPerSecond,
    };
  } finally {
    await sealer.close();
  }
}

/** What was sealed under load must also be right. @returns rows a second */
async function verified(database: CheckedDatabase, directory: string, publicKey: string): Promise<number> {
  const session = await openSealSession(database);
  try {
    const begun = performance.now();
    const verifier = readVerifier(publicKey, originOf(database.id));
    const report = await verifySeal({ path: directory, verifier, reader: session.reader });
    if (!report.ok) throw new Error(`sealed rows differ: ${report.findings[0]?.code}`);
    return report.figures.rows / ((performance.now() - begun) / 1000);
  } finally {
    session.destroy();
  }
}

function sendLoad(load: SealingLoad): Promise<SealingLoadDone> {
  const worker = new Worker(new URL('./sealing-load.ts', import.meta.url), { workerData: load });
  return new Promise((resolve, reject) => {
    worker.once('message', resolve);
    worker.once('error', reject);
  });
}

/** Its id in the operating system. */
async function sealingThread(admin: Connection, server: PrivateDatabase): Promise<number> {
  const [[row]] = await admin.query<RowDataPacket[]>(
    server.engine === 'mariadb'
      ? `SELECT TID AS tid FROM information_schema.PROCESSLIST WHERE USER = '${CHECKER}'`
      : `SELECT THREAD_OS_ID AS tid FROM performance_schema.threads WHERE PROCESSLIST_USER = '${CHECKER}'`,
  );
  return Number(row?.tid);
}

/** Processor time of one thread, from the scheduler: nanoseconds, where `stat` has hundredths. */
function threadSeconds(pid: number, tid: number): number {
  return Number(readFileSync(`/proc/${pid}/task/${tid}/schedstat`, 'utf8').split(' ')[0]) / 1e9;
}

async function countRows(admin: Connection, { auditSchema }: CheckedDatabase): Promise<number> {
  const [[row]] = await admin.query<RowDataPacket[]>(
    `SELECT (SELECT COUNT(*) FROM ${auditSchema}.audit_row) + (SELECT COUNT(*) FROM ${auditSchema}.audit_instatement_log) AS n`,
  );
  return Number(row?.n);
}

/** From each row's own time to the time of the checkpoint that signs it; both clocks are this machine's. */
async function lagsOf(
  admin: Connection,
  { auditSchema, id }: CheckedDatabase,
  directory: string,
  publicKey: string,
): Promise<readonly number[]> {
  const [rows] = await admin.query<RowDataPacket[]>(
    `SELECT id, TIMESTAMPDIFF(MICROSECOND, '2020-01-01', at) AS micros FROM ${auditSchema}.audit_row ORDER BY id`,
  );
  const written = new Map(
    rows.map(({ id: row, micros }) => [Number(row), Date.UTC(2020, 0, 1) + Number(micros) / 1000]),
  );
  const files = [join(directory, 'checkpoints-00000001.txt')];
  const verifier = readVerifier(publicKey, originOf(id));
  const signed = new Map<number, number>();
  let head = 0;
  for await (const { checkpoint } of readCheckpoints(files, verifier)) {
    const table = checkpoint?.tables.audit_row;
    if (checkpoint === undefined || table === undefined) throw new Error('a checkpoint is not valid');
    const time = Date.parse(checkpoint.time);
    // An id that was passed over is listed as late by the checkpoint that has it, and that one counts.
    for (let row = head + 1; row <= table.head; row++) signed.set(row, time);
    for (const [first, last] of table.late) for (let row = first; row <= last; row++) signed.set(row, time);
    head = table.head;
  }
  return [...written].map(([row, at]) => (signed.get(row) ?? Number.POSITIVE_INFINITY) - at);
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
