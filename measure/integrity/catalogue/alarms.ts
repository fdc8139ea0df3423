import { setTimeout as sleep } from 'node:timers/promises';
import { Pace, served } from '../client.ts';
import type { Clinic } from '../clinic.ts';

export interface AlarmsFound {
  readonly checks: number;
  /** Verdicts other than "intact". */
  readonly falseAlarms: number;
  readonly codes: readonly string[];
  /** New epochs: each would refuse the writes under way. */
  readonly newEpochs: number;
  readonly seconds: number;
  /** What the server was busy with meanwhile. */
  readonly writes: number;
  readonly writesRefused: number;
  readonly temporaryTables: number;
  readonly statements: number;
}

/** What an EMR does all day that defines nothing for anybody else. */
const BUSY: readonly string[] = [
  'CREATE TEMPORARY TABLE {emr}.worklist (id INT PRIMARY KEY, name VARCHAR(40))',
  'INSERT INTO {emr}.worklist SELECT id, LEFT(display, 40) FROM {emr}.observations LIMIT 20',
  'SELECT COUNT(*) FROM {emr}.worklist w JOIN {emr}.observations o ON o.id = w.id',
  'DROP TEMPORARY TABLE {emr}.worklist',
  'CREATE TEMPORARY TABLE {emr}.report AS SELECT code, COUNT(*) n FROM {emr}.observations GROUP BY code',
  'SELECT * FROM {emr}.report',
  // Without the word, as old systems write it.
  'DROP TABLE {emr}.report',
  "SET SESSION sql_mode = ''",
  'SET @counter = IFNULL(@counter, 0) + 1',
  'START TRANSACTION',
  "UPDATE {emr}.patients SET notes = CONCAT('seen ', NOW()) WHERE id = 1 + @counter % 20",
  "INSERT INTO {emr}.access_log SET action = 'report'",
  'ROLLBACK',
  "PREPARE again FROM 'SELECT COUNT(*) FROM {emr}.encounters WHERE patient_id = ?'",
  'EXECUTE again USING @counter',
  'DEALLOCATE PREPARE again',
  'LOCK TABLES {emr}.facilities READ',
  'UNLOCK TABLES',
  'SELECT SQL_CALC_FOUND_ROWS id FROM {emr}.patients LIMIT 5',
  'SHOW TABLES FROM {emr}',
];

/** Between two rounds of a worker: some checks fall into quiet, some into the midst of temporary tables. */
const ROUND_PAUSE_MS = 100;
/** Clients that ask, each as soon as it has its answer. */
const ASKING = 10;

/** Strict checks of a server that is busy and that nobody tampers with. */
export async function countFalseAlarms(clinic: Clinic, checks: number): Promise<AlarmsFound> {
  let stopped = false;
  let temporaryTables = 0;
  let statements = 0;
  const worker = async (): Promise<void> => {
    const connection = await clinic.stack.mariadb.connect();
    try {
      while (!stopped) {
        for (const sql of BUSY) {
          await connection.query(sql.replaceAll('{emr}', clinic.tenant.schema));
          statements += 1;
          if (sql.startsWith('CREATE TEMPORARY')) temporaryTables += 1;
        }
        await sleep(ROUND_PAUSE_MS);
      }
    } finally {
      await connection.end();
    }
  };
  // A first round, so that what is prepared once is not counted.
  await clinic.write('busy');
  const workers = [worker(), worker()];
  let writes = 0;
  let writesRefused = 0;
  const waiting = new Set<Promise<void>>();
  const pace = new Pace(100, (number, dueAt) => {
    const sent = clinic.write(`busy ${number}`, dueAt).then((answer) => {
      writes += 1;
      if (!served(answer)) writesRefused += 1;
      waiting.delete(sent);
    });
    waiting.add(sent);
  });
  const since = performance.now();
  const codes = new Set<string>();
  let falseAlarms = 0;
  let newEpochs = 0;
  try {
    let { epoch } = await clinic.strict();
    let left = checks;
    const ask = async (): Promise<void> => {
      while (left > 0) {
        left -= 1;
        const verdict = await clinic.strict();
        if (verdict.state !== 'intact') {
          falseAlarms += 1;
          for (const code of verdict.findings) codes.add(code);
        } else if (verdict.epoch !== epoch) {
          newEpochs += 1;
          epoch = verdict.epoch;
        }
      }
    };
    await Promise.all(Array.from({ length: ASKING }, ask));
  } finally {
    stopped = true;
    await pace.stop();
    await Promise.all([...waiting, ...workers]);
  }
  const seconds = (performance.now() - since) / 1_000;
  return {
    checks,
    falseAlarms,
    codes: [...codes],
    newEpochs,
    seconds,
    writes,
    writesRefused,
    temporaryTables,
    statements,
  };
}
