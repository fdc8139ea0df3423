import { ChartgateError } from '../../contracts/errors.ts';
import { printable } from '../names.ts';

const FORM = /^(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d)(?::(\d\d)(?:\.(\d{1,6}))?)?(Z|[+-]\d\d:?\d\d)?)?$/;

/**
 * Reads a moment as a person types it: `2026-11-22`, `2026-11-22T01:02`, with seconds, a fraction and an
 * offset if wanted; UTC where there is none. A day means its first or its last microsecond.
 * @returns in the form of `AuditEntry.at`
 * @throws ChartgateError `usage`
 */
export function parseMoment(text: string, edge: 'first' | 'last'): string {
  const parts = FORM.exec(text.trim());
  const [, day, minute, second, fraction, offset] = parts ?? [];
  const zone = offset === undefined || offset === 'Z' ? 'Z' : offset.replace(/^(...):?/, '$1:');
  const last = edge === 'last';
  const time =
    minute === undefined ? (last ? '23:59:59' : '00:00:00') : `${minute}:${second ?? (last ? '59' : '00')}`;
  const milliseconds = day === undefined ? Number.NaN : Date.parse(`${day}T${time}${zone}`);
  // 2026-02-30 would otherwise become a day in March.
  const real = day !== undefined && new Date(`${day}T00:00:00Z`).toJSON()?.startsWith(day) === true;
  if (!Number.isFinite(milliseconds) || !real) {
    throw new ChartgateError(
      'usage',
      `A moment is written 2026-11-22 or 2026-11-22T13:05:00 (UTC, or with an offset such as +01:00), not ${printable(text)}.`,
    );
  }
  const exact = second === undefined || fraction === undefined ? (last ? '999999' : '000000') : fraction;
  return `${new Date(milliseconds).toISOString().slice(0, 19)}.${exact.padEnd(6, last ? '9' : '0')}Z`;
}
