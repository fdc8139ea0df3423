import { OUTCOMES, type Outcome } from '../contracts/activity.ts';
import { NAME_PATTERN } from '../contracts/identifiers.ts';
import { REASONS } from '../contracts/reasons.ts';
import { type LabelRule, OVERFLOW } from './pair-table.ts';

const NAME = new RegExp(NAME_PATTERN);
/** As a checker's finding or an alarm is spelt. */
const CODE = /^[a-z][a-z0-9-]{0,62}$/;

/** A configured name (tenant, route, database); anything else, such as an unknown host, is ''. */
export const nameLabel: LabelRule = (value) => (typeof value === 'string' && NAME.test(value) ? value : '');

export const codeLabel: LabelRule = (value) =>
  typeof value === 'string' && CODE.test(value) ? value : OVERFLOW;

const KNOWN_REASONS: ReadonlySet<unknown> = new Set(REASONS);
export const reasonLabel: LabelRule = (value) => (KNOWN_REASONS.has(value) ? String(value) : OVERFLOW);

export const STATUS_CLASSES = ['none', '1xx', '2xx', '3xx', '4xx', '5xx'] as const;

/** Position in STATUS_CLASSES; `none` when no status was sent, or none that HTTP knows. */
export function statusClass(status: number): number {
  const hundreds = Math.trunc(status / 100);
  return hundreds >= 1 && hundreds <= 5 ? hundreds : 0;
}

const OUTCOME_INDEX: Readonly<Record<Outcome, number>> = { permitted: 0, denied: 1, failed: 2 };

/** Position in OUTCOMES. What is none of them counts as failed. */
export function outcomeIndex(outcome: Outcome): number {
  return OUTCOME_INDEX[outcome] ?? OUTCOMES.indexOf('failed');
}
