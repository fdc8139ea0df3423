import type { Clock } from '../../../contracts/clock.ts';
import { type MysqlStateSettings, STATE_KINDS } from '../../../contracts/state.ts';
import { findingsOf, type StateFinding, type StateReport } from '../report.ts';
import { schemaVersion } from './migrate.ts';
import { MysqlPool } from './pool.ts';
import { MIGRATIONS } from './schema.ts';
import type { Session } from './session.ts';

/** Milliseconds that the clocks of those who share a store may differ before anybody is told. */
const CLOCK_MS = 1_000;

/** A store of millions takes its time to count. */
const LONGEST_MS = 600_000;

/** @throws ChartgateError `state-unavailable` */
export async function inspectMysql(settings: MysqlStateSettings, clock: Clock): Promise<StateReport> {
  const pool = new MysqlPool(settings);
  try {
    return await pool.session((session) => inspect(session, clock), LONGEST_MS);
  } finally {
    await pool.close();
  }
}

async function inspect(session: Session, clock: Clock): Promise<StateReport> {
  const one = async (sql: string, values: readonly number[] = []): Promise<unknown> =>
    Object.values((await session.rows(sql, values))[0] ?? {})[0];
  const engine = /mariadb/i.test(String(await one('SELECT @@version'))) ? 'mariadb' : 'mysql';
  const schema = await schemaVersion(session);
  const newest = MIGRATIONS.length;
  const around = [...(await durability(one)), ...(await clocks(one, clock))];
  if (schema === 0) {
    const findings = [...findingsOf({ schema, newest, orphans: 0, unknown: [] }), ...around];
    return { engine, schema, newest, documents: {}, expired: 0, findings };
  }
  const now = Math.floor(clock.wall());
  const kinds = await session.rows(
    'SELECT kind, COUNT(*) AS held FROM chartgate_document WHERE expires_at > ? GROUP BY kind ORDER BY kind',
    [now],
  );
  const documents = Object.fromEntries(kinds.map(({ kind, held }) => [String(kind), Number(held)]));
  let orphans = 0;
  for (const table of ['chartgate_entry', 'chartgate_claim']) {
    orphans += Number(
      await one(
        `SELECT COUNT(*) FROM ${table} v WHERE NOT EXISTS
         (SELECT 1 FROM chartgate_document d WHERE d.kind = v.kind AND d.id = v.id)`,
      ),
    );
  }
  const expired = Number(await one('SELECT COUNT(*) FROM chartgate_document WHERE expires_at <= ?', [now]));
  const unknown = Object.keys(documents).filter((kind) => !Object.hasOwn(STATE_KINDS, kind));
  return {
    engine,
    schema,
    newest,
    documents,
    expired,
    findings: [...findingsOf({ schema, newest, orphans, unknown }), ...around],
  };
}

type One = (sql: string) => Promise<unknown>;

async function durability(one: One): Promise<readonly StateFinding[]> {
  const found = Number(await one('SELECT @@GLOBAL.innodb_flush_log_at_trx_commit'));
  if (found === 1) return [];
  return [
    {
      code: 'not-durable',
      sentence: `The server has innodb_flush_log_at_trx_commit=${found}: a crash may undo what it confirmed, and a code that was used could be used again. Set it to 1.`,
    },
  ];
}

async function clocks(one: One, clock: Clock): Promise<readonly StateFinding[]> {
  const before = clock.wall();
  const there = Number(await one('SELECT UNIX_TIMESTAMP(SYSDATE(6))')) * 1_000;
  const apart = Math.max(before - there, there - clock.wall(), 0);
  if (apart <= CLOCK_MS) return [];
  return [
    {
      code: 'clock-differs',
      sentence: `The server's clock and this machine's differ by ${(apart / 1_000).toFixed(1)} s; let both follow one source of time.`,
    },
  ];
}
