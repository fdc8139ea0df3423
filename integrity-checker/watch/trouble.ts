import { ChartgateError } from '../../contracts/errors.ts';
import type { CheckFinding } from './types.ts';

/** Why there is no verdict. Its code goes to the gateway; the sentence only to the checker's own log. */
export class Trouble extends ChartgateError {
  readonly finding: CheckFinding;

  constructor(code: string, sentence: string, options?: ErrorOptions) {
    super('database-unavailable', sentence, options);
    this.finding = Object.freeze({ code, object: '', sentence });
  }
}

export const late = (): Trouble => new Trouble('database-timeout', 'The database did not answer in time.');

/**
 * What may be said of any error. A driver's message can quote a query or a value, so only its stable
 * code is kept.
 */
export function describe(error: unknown): CheckFinding {
  if (error instanceof Trouble) return error.finding;
  if (error instanceof ChartgateError) return { code: error.code, object: '', sentence: error.message };
  const code = (error as { code?: unknown } | null)?.code;
  const known = typeof code === 'string' && /^[A-Z][A-Z0-9_]{0,63}$/.test(code) ? ` (${code})` : '';
  return {
    code: 'database-unavailable',
    object: '',
    sentence: `The database cannot be reached or refused${known}.`,
  };
}
