import type { PolicyPack } from '../../contracts/policy-packs.ts';
import { FHIR_DSTU2, FHIR_R4, FHIR_STU3 } from './fhir.ts';
import { OPENEMR_API } from './openemr-api.ts';
import { OPENEMR_PAGES } from './openemr-pages.ts';
import { WEB_EMR } from './web-emr.ts';

/** The packs that come with Chartgate, in the order in which they are listed. */
export const PACKS: readonly PolicyPack[] = Object.freeze([
  FHIR_R4,
  FHIR_STU3,
  FHIR_DSTU2,
  OPENEMR_API,
  OPENEMR_PAGES,
  WEB_EMR,
]);

const byName: ReadonlyMap<string, PolicyPack> = new Map(PACKS.map((pack) => [pack.name, pack]));

/** One of the packs that come with Chartgate. */
export function builtInPack(name: string): PolicyPack | undefined {
  return byName.get(name);
}
