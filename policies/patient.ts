import type { RequestFacts } from '../contracts/facts.ts';
import type { RouteMatch } from '../contracts/policy.ts';
import type { PatientSource } from './access.ts';

/**
 * The patient that the request names, as the route says; undefined when it names none, or when a
 * back end could read another name out of the same request.
 */
export function patientNamed(
  source: PatientSource | undefined,
  facts: Pick<RequestFacts, 'parameters'>,
  match: Pick<RouteMatch, 'captures'>,
): string | undefined {
  if (source === undefined) return undefined;
  if (source.from === 'capture') return nonEmpty(match.captures[source.index]);
  const values = facts.parameters.get(source.name);
  if (values === undefined || values.length !== 1) return undefined;
  const alias = spelling(source.name);
  for (const name of facts.parameters.keys()) {
    if (name !== source.name && spelling(name) === alias) return undefined;
  }
  return nonEmpty(values[0]);
}

function nonEmpty(text: string | undefined): string | undefined {
  return text === '' ? undefined : text;
}

/**
 * The name under which common servers would file a parameter: PHP drops leading spaces, cuts at `[`
 * and NUL and turns space and `.` into `_`; others ignore case; FHIR cuts a modifier off at `:`.
 * `?patient=1&patient[]=2` reaches a PHP system as patient 2.
 */
function spelling(name: string): string {
  const trimmed = name.replace(/^\s+/, '');
  const cut = trimmed.search(/[[\]:\0]/);
  return (cut > 0 ? trimmed.slice(0, cut) : trimmed).replace(/[\s.]/g, '_').normalize('NFKC').toLowerCase();
}
