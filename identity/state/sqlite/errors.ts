import { ChartgateError } from '../../../contracts/errors.ts';

/** SQLite's primary result codes (sqlite.org/rescode.html); extended ones have more bits above. */
const BUSY = 5;
const LOCKED = 6;

function primary(error: unknown): number | undefined {
  const { code, errcode } = error as { code?: unknown; errcode?: unknown };
  return code === 'ERR_SQLITE_ERROR' && typeof errcode === 'number' ? errcode & 0xff : undefined;
}

/** Another connection has the lock; worth trying again. */
export function isBusy(error: unknown): boolean {
  const code = primary(error);
  return code === BUSY || code === LOCKED;
}

/** What SQLite says goes to nobody as it is: a message may quote a value. */
export function translated(error: unknown, file: string): ChartgateError {
  if (error instanceof ChartgateError) return error;
  const code = primary(error);
  return new ChartgateError(
    'state-unavailable',
    `${file}: the state store ${code === undefined ? 'failed' : (SAID[code] ?? `failed (SQLite code ${code})`)}.`,
    { cause: error },
  );
}

const SAID: Readonly<Record<number, string>> = {
  [BUSY]: 'is locked by another process',
  [LOCKED]: 'is locked by another process',
  8: 'cannot be written',
  10: 'cannot be read or written (input/output error)',
  11: 'is damaged; restore a backup',
  13: 'cannot be written: the disk is full',
  14: 'cannot be opened',
  23: 'cannot be reached by this user',
  26: 'is not a SQLite file',
};
