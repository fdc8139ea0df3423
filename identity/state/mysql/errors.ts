import { ChartgateError } from '../../../contracts/errors.ts';

const DUPLICATE = 1062;
const LOCK_TIMEOUT = 1205;
const DEADLOCK = 1213;
/** MariaDB: the row changed since the transaction's snapshot (innodb_snapshot_isolation, from 11.6 the default). */
const CHANGED_SINCE = 1020;
export const NO_SUCH_TABLE = 1146;

/** The server's error number; undefined when the trouble is not an answer of the server. */
export function numberOf(error: unknown): number | undefined {
  const { errno, sqlState } = error as { errno?: unknown; sqlState?: unknown };
  return typeof sqlState === 'string' && typeof errno === 'number' ? errno : undefined;
}

/**
 * The server undid the transaction, or refused a row that somebody else inserted meanwhile: made again from its
 * beginning, it sees what they did.
 */
export function isCollision(error: unknown): boolean {
  const number = numberOf(error);
  return number === DUPLICATE || number === LOCK_TIMEOUT || number === DEADLOCK || number === CHANGED_SINCE;
}

/** The connection ended, as those do that were open when the server was started anew; not one that is silent. */
export function isBroken(error: unknown): boolean {
  if (error instanceof ChartgateError || numberOf(error) !== undefined) return false;
  return (error as { code?: unknown }).code !== 'ETIMEDOUT';
}

const DENIED: ReadonlySet<number> = new Set([1044, 1045, 1142, 1143, 1227, 1698, 1370]);
const READ_ONLY: ReadonlySet<number> = new Set([1290, 1792, 1836, 3100]);

/** What the server says goes to nobody as it is: a message may quote a value. */
export function translated(error: unknown): ChartgateError {
  if (error instanceof ChartgateError) return error;
  const number = numberOf(error);
  return new ChartgateError('state-unavailable', `The state store's database ${said(number, error)}.`, {
    cause: error,
  });
}

function said(number: number | undefined, error: unknown): string {
  if (number === undefined) {
    const { code, message } = error as { code?: unknown; message?: unknown };
    // The driver's own word for it has no code.
    if (message === 'Queue limit reached.') return 'has more to do than it can';
    // Codes of the driver and of Node are constants.
    const plain = typeof code === 'string' && /^[A-Z][A-Z0-9_]*$/.test(code) ? ` (${code})` : '';
    return `cannot be reached or broke off${plain}`;
  }
  if (DENIED.has(number))
    return `refuses the account (error ${number}); see docs/decisions/0014-state.md for its privileges`;
  if (READ_ONLY.has(number)) return `is read-only (error ${number})`;
  return `failed (error ${number})`;
}
