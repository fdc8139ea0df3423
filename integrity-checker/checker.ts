import { join } from 'node:path';
import { type Baseline, openBaseline } from '../audit-sql/fingerprint/index.ts';
import type { CheckedDatabase, CheckerSettings, SealSettings } from '../contracts/settings.ts';
import { BaselineFile } from './database/baseline-file.ts';
import { LastBaseline, lastBaselineFile } from './database/last-baseline.ts';
import { openSession } from './database/session.ts';
import type { Log } from './log.ts';
import { noteSigner, openSealSession, originOf, Sealer } from './seal/index.ts';
import { Listener } from './server/listener.ts';
import { DatabaseWatch } from './watch/watch.ts';

/** How often baseline files are looked at for a new version. */
const BASELINE_POLL_MS = 500;

export interface Checker {
  /** Protocol violations since the start. */
  readonly alarms: number;
  close(): Promise<void>;
}

/**
 * Starts the checker: one watch per database, then the socket. A database that cannot be reached and
 * a baseline that does not verify are states it reports, not reasons to fail.
 * @throws ChartgateError `checker-unavailable` when the socket's path cannot be taken
 */
export async function startChecker(settings: CheckerSettings, log: Log): Promise<Checker> {
  const kept = await Promise.all(settings.databases.map((database) => keep(database, settings.seal, log)));
  const watches = new Map(kept.map(({ watch }) => [watch.id as string, watch]));
  const listener = new Listener({ path: settings.socket, secret: settings.secret, watches, log });
  const poll = setInterval(() => {
    for (const { look } of kept) look();
  }, BASELINE_POLL_MS);
  const close = async (): Promise<void> => {
    clearInterval(poll);
    await listener.close();
    await Promise.all(kept.flatMap(({ watch, sealer }) => [watch.close(), sealer?.close()]));
  };
  try {
    await listener.listen();
  } catch (error) {
    await close();
    throw error;
  }
  log({ level: 'info', event: 'started', sentence: `Watching ${kept.length} databases.` });
  return {
    get alarms() {
      return listener.alarms;
    },
    close,
  };
}

async function keep(
  database: CheckedDatabase,
  seal: SealSettings | undefined,
  log: Log,
): Promise<{ watch: DatabaseWatch; sealer: Sealer | undefined; look: () => void }> {
  const last = new LastBaseline(
    seal === undefined ? undefined : lastBaselineFile(seal.directory, database.id),
  );
  const file = new BaselineFile<Baseline>(database.baseline, (bytes) =>
    last.admit(openBaseline(bytes, database.baselineTrust)),
  );
  if (database.baselineTrust.required < 2) {
    log({
      level: 'warning',
      event: 'baseline',
      database: database.id,
      codes: ['single-administrator-baseline'],
      sentence:
        'singleAdministratorBaseline is set: one administrator alone can approve a database without triggers.',
    });
  }
  const say = (): void => {
    const { state } = file;
    log({
      level: state.ok ? 'info' : 'error',
      event: 'baseline',
      database: database.id,
      codes: state.ok ? [] : [state.finding.code],
      sentence: state.ok ? `Comparing with baseline ${state.baseline.digest}.` : state.finding.sentence,
    });
  };
  await file.refresh();
  say();
  const sealer =
    seal === undefined
      ? undefined
      : new Sealer({
          database: database.id,
          directory: join(seal.directory, database.id),
          signer: noteSigner(originOf(database.id), seal.key.reveal()),
          open: () => openSealSession(database),
          timeoutMs: database.timeoutMs,
          log,
          changed: () => watch.recheck(),
        });
  const watch = new DatabaseWatch({
    id: database.id,
    open: () => openSession(database, file, sealer),
    fullCheckMs: database.fullCheckMs,
    timeoutMs: database.timeoutMs,
    log,
  });
  let looking = false;
  const look = (): void => {
    if (looking) return;
    looking = true;
    void file
      .refresh()
      .then((changed) => {
        if (!changed) return;
        say();
        watch.recheck();
      })
      .finally(() => {
        looking = false;
      });
  };
  return { watch, sealer, look };
}
