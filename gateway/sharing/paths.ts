import { OWN_SEGMENT } from '../own-pages/paths.ts';

/** Below `/.chartgate/`, for programs with a token; pages for people are in own-pages/paths.ts. */
export const SHARING_PATHS = Object.freeze({
  description: ['consents', 'openapi.json'],
  consents: ['consents'],
  consent: ['consents', '{id}'],
  withdraw: ['consents', '{id}', 'withdraw'],
  fhirConsents: ['fhir', 'Consent'],
  fhirConsent: ['fhir', 'Consent', '{id}'],
  emergency: ['emergency'],
  emergencyEnd: ['emergency', 'end'],
  emergencies: ['emergencies'],
  emergencyOf: ['emergencies', '{id}'],
  review: ['emergencies', '{id}', 'review'],
  endOther: ['emergencies', '{id}', 'end'],
} as const);
export type SharingPath = keyof typeof SHARING_PATHS;

const ID = /^[0-9a-f-]{36}$/;

export interface SharingPlace {
  readonly path: SharingPath;
  /** Of the consent or the emergency access; empty where the path names none. */
  readonly id: string;
}

/** Where a path leads; undefined: to nothing of this. */
export function sharingPlace(segments: readonly string[]): SharingPlace | undefined {
  if (segments[0] !== OWN_SEGMENT) return undefined;
  const rest = segments.slice(1);
  for (const [path, wanted] of Object.entries(SHARING_PATHS)) {
    if (wanted.length !== rest.length) continue;
    const fits = wanted.every((each, index) =>
      each === '{id}' ? ID.test(rest[index] ?? '') : each === rest[index],
    );
    if (!fits) continue;
    const id = rest[(wanted as readonly string[]).indexOf('{id}')] ?? '';
    return { path: path as SharingPath, id };
  }
  return undefined;
}
