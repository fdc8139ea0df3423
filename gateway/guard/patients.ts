import type { Content } from '../../contracts/content.ts';
import type { RequestFacts } from '../../contracts/facts.ts';
import type { RouteMatch } from '../../contracts/policy.ts';
import { folded, foldedAtOpenBracket } from '../canonical/parameter-names.ts';

/** Ids of one request that are counted; whoever names more names enough. */
const MOST = 1000;
/** As many texts of one body are looked at, those that are there again included. */
const MOST_LOOKED_AT = 10 * MOST;
/** No id or reference is longer; of a longer text so much is counted as one. */
const LONGEST_ID = 256;
/** Search parameters that take a patient (FHIR R4 §3.1.1.4.12), and what EMRs call theirs, as `folded` has them. */
const PARAMETERS: ReadonlySet<string> = new Set([
  'patient',
  'subject',
  'beneficiary',
  'individual',
  'pid',
  'set_pid',
  'patient_id',
  'patientid',
]);
/** The same where the path says that the request is about patients. */
const OF_PATIENTS: ReadonlySet<string> = new Set(['_id', 'identifier']);
const CHAINED = /^\s*(?:patient|subject)[:.]/i;
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
    else for (const id of idsAt(at.parameter, facts.parameters)) add(id);
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

/** Where a route says which parameter names the patient, in any spelling that a server takes for it. */
function* idsAt(parameter: string, parameters: ReadonlyMap<string, readonly string[]>): Iterable<string> {
  const wanted = folded(parameter);
  for (const [name, values] of parameters)
    if (name === parameter || folded(name) === wanted || foldedAtOpenBracket(name) === wanted)
      for (const value of values) yield* idsOf(value);
}

/** The same of the fields of a body, such as the form of a `POST _search`; at most as many as of a query. */
export function patientsOfContent(content: Content, segments: readonly string[]): readonly string[] {
  const found = new Set<string>();
  let left = MOST_LOOKED_AT;
  const take = (ids: Iterable<string>): boolean => {
    for (const id of ids) {
      left -= 1;
      if (found.size >= MOST || left < 0) return false;
      if (id !== '') found.add(id);
    }
    return true;
  };
  if (content.kind === 'form') take(patientsOfFields(content.fields, segments));
  else if (content.kind === 'multipart') {
    const ofPatients = segments.includes('Patient');
    for (const { name, fileName, bytes } of content.parts) {
      if (fileName !== undefined || !namesPatient(name, ofPatients)) continue;
      if (!take(idsOf(bytes.toString('utf8', 0, MOST * LONGEST_ID)))) break;
    }
  }
  return found.size === 0 ? NONE : [...found];
}

function* patientsOfFields(
  fields: ReadonlyMap<string, readonly string[]>,
  segments: readonly string[],
): Iterable<string> {
  const ofPatients = segments.includes('Patient');
  for (const [name, values] of fields) {
    if (!namesPatient(name, ofPatients)) continue;
    for (const value of values) yield* idsOf(value);
  }
}

/** `set.pid` and `set[pid` are `set_pid` to PHP, `PID` is `pid` to ASP.NET; FHIR's modifiers come after a colon. */
function namesPatient(name: string, ofPatients: boolean): boolean {
  const colon = name.indexOf(':');
  const base = colon < 0 ? name : name.slice(0, colon);
  const form = folded(base);
  if (PARAMETERS.has(form) || (ofPatients && OF_PATIENTS.has(form))) return true;
  // Chained: `subject:Patient._id`, `patient.identifier`.
  if (CHAINED.test(name)) return true;
  const cut = foldedAtOpenBracket(base);
  return cut !== undefined && PARAMETERS.has(cut);
}

/** `Patient/1,Patient/2` is two (FHIR R4 §3.1.1.3.1: a comma is "or"). */
function* idsOf(value: string): Iterable<string> {
  for (const part of value.split(',', MOST)) {
    // Long texts would also be long to look through: a line end at the end of many slashes.
    const id = part.length > LONGEST_ID ? part.slice(0, LONGEST_ID) : part;
    yield REFERENCE.exec(id)?.[1] ?? id;
  }
}
