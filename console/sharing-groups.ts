/** Parts of a record in words that patients know, and the FHIR resource types that each stands for. */
export const SHARING_GROUPS = Object.freeze({
  person: ['Patient'],
  conditions: ['Condition'],
  medicines: ['MedicationAdministration', 'MedicationDispense', 'MedicationRequest', 'MedicationStatement'],
  allergies: ['AllergyIntolerance'],
  results: ['DiagnosticReport', 'Observation', 'Specimen'],
  immunizations: ['Immunization'],
  visits: ['Appointment', 'Encounter'],
  procedures: ['Procedure', 'ServiceRequest'],
  documents: ['Composition', 'DocumentReference'],
  care: ['CarePlan', 'CareTeam', 'Goal'],
} as const);
export type SharingGroup = keyof typeof SHARING_GROUPS;

/** The types of groups that were ticked. */
export function typesOfGroups(groups: readonly string[]): readonly string[] {
  return Object.entries(SHARING_GROUPS)
    .filter(([group]) => groups.includes(group))
    .flatMap(([, types]) => types);
}

/** Types as groups, and the names of those that make no whole group. */
export function groupsOfTypes(types: readonly string[]): {
  readonly groups: readonly SharingGroup[];
  readonly others: readonly string[];
} {
  const whole = (Object.entries(SHARING_GROUPS) as [SharingGroup, readonly string[]][]).filter(([, each]) =>
    each.every((type) => types.includes(type)),
  );
  const named = new Set(whole.flatMap(([, each]) => each));
  return { groups: whole.map(([group]) => group), others: types.filter((type) => !named.has(type)) };
}
