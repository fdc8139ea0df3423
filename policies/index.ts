export { type Bundle, bundleDigest, signBundle, verifyBundle } from './bundle.ts';
export { type CompiledPolicy, compilePolicy, type PolicyDefaults } from './compile.ts';
export {
  clockOf,
  compileHours,
  type Hours,
  isOpen,
  WEEK_MINUTES,
  type ZoneClock,
} from './conditions/hours.ts';
export { conditionText } from './conditions/text.ts';
export { type Candidate, type ConditionLine, type Explanation, explain } from './explain.ts';
export { type CapabilitySite, rewriteCapabilities } from './fhir/index.ts';
export { builtInPack, PACKS } from './packs/index.ts';
export { deniesOf, type Parts, rulesOf } from './policy-set.ts';
export { OPEN, type SamplePath, type SamplePerson, samplePaths, samplePersons } from './samples.ts';
