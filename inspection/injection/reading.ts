import type { Route } from '../../contracts/policy.ts';
import type { Reading } from './rule.ts';

const FHIR = /^application\/(?:fhir\+(?:json|xml)|(?:json|xml)\+fhir)$/;

/**
 * Strings of FHIR resources are read as clinical text. What is FHIR is for the route to say, by its `fhir` or by the
 * media types that it takes; a client that calls its body FHIR on any other route has it read as strictly as before.
 */
export function bodyReading(route: Route, mediaType: string): Reading {
  return isFhir(route) || (FHIR.test(mediaType) && route.mediaTypes.has(mediaType))
    ? 'clinical'
    : 'parameter';
}

/** Searches name systems and references: addresses belong there. */
export function queryReading(route: Route): Reading {
  return isFhir(route) ? 'plain' : 'parameter';
}

function isFhir(route: Route): boolean {
  return 'fhir' in route && route.fhir !== undefined;
}

const TEXT =
  /^(?:text\/.*|multipart\/.*|application\/(?:json|xml|x-www-form-urlencoded|javascript|.*\+(?:json|xml)|json\+fhir|xml\+fhir))$/;

/** Whether there are texts in a body of this type. Of pictures, scans and the like only the kind can be judged. */
export function holdsText(mediaType: string | undefined): boolean {
  return mediaType === undefined || TEXT.test(mediaType);
}
