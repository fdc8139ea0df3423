import type { InspectionStatus } from '../../contracts/inspection.ts';

/** Why a body has no single meaning: which rule, and where. Never a value. */
export interface ContentFault {
  readonly status: InspectionStatus;
  /** Stable: `json-duplicate-name`, `form-encoding`, … */
  readonly rule: string;
  /** A JSON pointer (RFC 6901), `field:NAME` or `part:N`; empty: the body as a whole. */
  readonly place: string;
}

/**
 * A name that only the request gave, as it may be repeated to whoever sent it: at most 64 plain characters, so that it
 * brings nothing into a log or a page.
 */
export function plainName(name: string): string {
  return name.slice(0, 64).replaceAll(/[^A-Za-z0-9_.:-]/g, '_');
}

/** A JSON pointer of names that may be repeated; at most 16 steps of it. */
export function pointerOf(steps: readonly (string | number)[]): string {
  return steps
    .slice(0, 16)
    .map((step) => `/${typeof step === 'number' ? step : plainName(step)}`)
    .join('');
}
