/** Where an operation may be called (OperationDefinition.system, .type, .instance). */
export type OperationLevel = 'system' | 'type' | 'instance';

export interface OperationRow {
  readonly name: string;
  /** A resource type; `*`: every type. */
  readonly type: string;
  readonly levels: readonly OperationLevel[];
  /** It may change records (OperationDefinition.affectsState). */
  readonly writes: boolean;
}

/** `name type levels`, as the published OperationDefinitions of a version have them; `!` before a name: it writes. */
function table(text: string): readonly OperationRow[] {
  const level = { s: 'system', t: 'type', i: 'instance' } as const;
  return text
    .trim()
    .split('\n')
    .map((line) => {
      const [name = '', type = '', levels = ''] = line.trim().split(' ');
      return {
        name: name.replace('!', ''),
        type,
        levels: (['s', 't', 'i'] as const)
          .filter((letter) => levels.includes(letter))
          .map((letter) => level[letter]),
        writes: name.startsWith('!'),
      };
    });
}

/** R4 4.0.1: all 46, but for `$graphql`, which is an interaction of its own. */
export const OPERATIONS_R4: readonly OperationRow[] = table(`
  apply ActivityDefinition ti
  data-requirements ActivityDefinition i
  conforms CapabilityStatement t
  implements CapabilityStatement ti
  subset CapabilityStatement ti
  versions CapabilityStatement s
  apply ChargeItemDefinition i
  !submit Claim t
  find-matches CodeSystem ti
  lookup CodeSystem t
  subsumes CodeSystem ti
  validate-code CodeSystem ti
  !document Composition ti
  !closure ConceptMap s
  translate ConceptMap ti
  !submit CoverageEligibilityRequest t
  everything Encounter i
  everything Group i
  data-requirements Library si
  find List t
  care-gaps Measure t
  !collect-data Measure ti
  data-requirements Measure i
  evaluate-measure Measure ti
  !submit-data Measure ti
  everything MedicinalProduct ti
  !process-message MessageHeader s
  preferred-id NamingSystem t
  lastn Observation t
  stats Observation t
  everything Patient ti
  match Patient t
  apply PlanDefinition ti
  data-requirements PlanDefinition i
  convert * s
  graph * i
  meta * sti
  !meta-add * i
  !meta-delete * i
  validate * ti
  questionnaire StructureDefinition ti
  snapshot StructureDefinition ti
  transform StructureMap ti
  expand ValueSet ti
  validate-code ValueSet ti`);

/** STU3 3.0.2. */
export const OPERATIONS_STU3: readonly OperationRow[] = table(`
  apply ActivityDefinition i
  data-requirements ActivityDefinition i
  conforms CapabilityStatement t
  implements CapabilityStatement ti
  subset CapabilityStatement ti
  !submit Claim t
  compose CodeSystem ti
  lookup CodeSystem t
  subsumes CodeSystem ti
  !document Composition ti
  !closure ConceptMap s
  translate ConceptMap ti
  everything Encounter i
  everything Group i
  find List t
  !collect-data Measure ti
  data-requirements Measure i
  evaluate-measure Measure ti
  !submit-data Measure ti
  !process-message MessageHeader s
  lastn Observation t
  stats Observation t
  everything Patient ti
  match Patient t
  apply PlanDefinition i
  data-requirements PlanDefinition i
  convert * s
  meta * sti
  !meta-add * i
  !meta-delete * i
  validate * ti
  evaluate ServiceDefinition i
  data-requirements ServiceDefinition i
  questionnaire StructureDefinition ti
  transform StructureMap ti
  expand ValueSet ti
  validate-code ValueSet ti`);

/** DSTU2 1.0.2. */
export const OPERATIONS_DSTU2: readonly OperationRow[] = table(`
  !closure ConceptMap s
  translate ConceptMap ti
  everything Encounter i
  find List t
  everything Patient ti
  populate Questionnaire ti
  meta * sti
  !meta-add * i
  !meta-delete * i
  validate * ti
  questionnaire StructureDefinition ti
  !document Composition ti
  !process-message MessageHeader s
  expand ValueSet ti
  lookup ValueSet t
  validate-code ValueSet ti`);
