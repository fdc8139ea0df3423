export { Consents, type Granted, MOST_IN_FORCE, type Withdrawn } from './consents.ts';
export { consentFromFhir, type ReadFhirConsent } from './fhir/in.ts';
export { consentBundle, consentToFhir, dateTime } from './fhir/out.ts';
export { ConsentIndex } from './index-of-consents.ts';
export type { ConsentFault, ConsentRules, WantedConsent } from './inputs.ts';
export { consentView } from './view.ts';
