import type { RequestFacts } from '../../contracts/facts.ts';
import type { RouteMatch } from '../../contracts/policy.ts';

/** Ids of one request that are counted; whoever names more names enough. */
const MOST = 1000;
/** Search parameters that take a patient (FHIR R4 §3.1.1.4.12), and what EMRs call theirs. */
const PARAMETERS = [
  'patient',
  'subject',
  'beneficiary',
  'individual',
  'pid',
  'set_pid',
  'patient_id',
  'patientId',
];
const REFERENCE = /^(?:.*\/)?Patient\/([^/|]+)(?:\/.*)?$/;

/**
 * Ids of the patients that a request names, as it writes them: by the route's own word, by `/Patient/ID`, and by the
 * search parameters for a patient. Whether they are there is not asked.
 */
export function patientsNamed(
  facts: Pick<RequestFacts, 'path' | 'parameters'>,
  match: RouteMatch | undefined,
): readonly string[] {
  const { segments } = facts.path;
  const found = new Set<string>();
  const add = (id: string | undefined) => {
    if (id !== undefined && id !== '' && found.size < MOST) found.add(id);
  };
  const at = match?.route.patientAt;
  if (at !== undefined) {
    if ('segment' in at) add(segments[at.segment]);
    else for (const value of facts.parameters.get(at.parameter) ?? []) for (const id of idsOf(value)) add(id);
  }
  for (let index = 0; index < segments.length - 1; index += 1) {
    const next = segments[index + 1];
    // `$everything` is an operation, `_search` and `_history` are interactions.
    if (segments[index] === 'Patient' && next !== undefined && !/^[$_]/.test(next)) add(next);
  }
  if (facts.parameters.size > 0) {
    for (const id of patientsOfFields(facts.parameters, segments)) add(id);
  }
  return found.size === 0 ? NONE : [...found];
}

const NONE: readonly string[] = Object.freeze([]);

/** The same of the fields of a form, such as the body of a `POST _search`. */
export function* patientsOfFields(
  fields: ReadonlyMap<string, readonly string[]>,
  segments: readonly string[],
): Iterable<string> {
  const ofPatients = segments.includes('Patient');
  for (const [name, values] of fields) {
    const base = name.replace(/:.*$/, '');
    if (PARAMETERS.includes(base)) for (const value of values) yield* idsOf(value);
    else if (ofPatients && (base === '_id' || base === 'identifier'))
      for (const value of values) yield* idsOf(value);
    // Chained: `subject:Patient._id`, `patient.identifier`.
    else if (/^(?:patient|subject)[:.]/.test(name)) for (const value of values) yield* idsOf(value);
  }
}

/** `Patient/1,Patient/2` is two (FHIR R4 §3.1.1.3.1: a comma is "or"). */
function* idsOf(value: string): Iterable<string> {
  for (const part of value.split(',', MOST)) yield REFERENCE.exec(part)?.[1] ?? part;
}
