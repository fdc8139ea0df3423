import type { InspectionFinding, InspectionStatus } from '../../contracts/inspection.ts';
import { safeName } from './place.ts';

/** What is wrong with a payload, and where: a JSON Pointer or `query:NAME`, `form:NAME`, …; never a value. */
export interface PayloadFault {
  readonly place: string;
  readonly rule: string;
  /** `bad-request` when left out. */
  readonly status?: InspectionStatus;
}

export function fault(place: string, rule: string, status?: InspectionStatus): PayloadFault {
  return status === undefined ? { place, rule } : { place, rule, status };
}

/** A parameter, field or part, by name. */
export function named(kind: 'query' | 'form' | 'part' | 'file' | 'header' | 'cookie', name: string): string {
  return `${kind}:${safeName(name)}`;
}

export function findingOf(found: PayloadFault): InspectionFinding {
  const status = found.status ?? 'bad-request';
  const reason = status === 'unsupported-media' ? 'media-type-unsupported' : 'payload-invalid';
  return Object.freeze({ status, reason, place: found.place, rule: found.rule });
}
