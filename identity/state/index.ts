import { type Clock, systemClock } from '../../contracts/clock.ts';
import type { StateSettings, StateStore } from '../../contracts/state.ts';

export { hashId } from './hash.ts';
export { createSealer, type Place, type Sealer } from './seal.ts';

/**
 * Opens the store and brings its schema up to date, unless that needs somebody's word first (`migrate.ts`).
 * The engine's driver is loaded only here: a process without SQLite never holds `node:sqlite`.
 * @throws ChartgateError `state-unavailable` when it cannot be opened, is exposed to other users, or is newer
 *   than this program
 */
export async function openState(settings: StateSettings, clock: Clock = systemClock): Promise<StateStore> {
  if (settings.kind === 'sqlite') {
    const { openSqlite } = await import('./sqlite/store.ts');
    return openSqlite(settings, clock);
  }
  const { openMysql } = await import('./mysql/store.ts');
  return openMysql(settings, clock);
}
