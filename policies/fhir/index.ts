export { type CapabilitySite, rewriteCapabilities } from './capabilities.ts';
export { buildFhirDecider, type FhirQuestion } from './decide.ts';
export { resourceTypes } from './definitions/index.ts';
export { offersOf } from './offers.ts';
export { compileFhir, type FhirRule, hideOf, routeFhir } from './rule.ts';
export { parseScopes } from './scopes.ts';
