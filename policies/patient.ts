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
  const alias = spelling(source.name, true);
  for (const name of facts.parameters.keys()) {
    if (name === source.name) continue;
    if (spelling(name, true) === alias || spelling(name, false) === alias) return undefined;
  }
  return nonEmpty(values[0]);
}

function nonEmpty(text: string | undefined): string | undefined {
  return text === '' ? undefined : text;
}

/**
 * The name under which common servers would file a parameter: PHP drops leading spaces, cuts at `[` that a `]` follows
 * and at NUL, and turns space, `.` and a `[` that is never closed into `_`; Rack cuts at that one too; others ignore
 * case; FHIR cuts a modifier off at `:`. `?patient=1&patient[]=2` reaches a PHP system as patient 2, and so does
 * `?patient_id=1&patient[id=2`.
 *
 * @param php as PHP reads a bracket that is never closed
 */
function spelling(name: string, php: boolean): string {
  const trimmed = name.replace(/^\s+/, '');
  const open = trimmed.indexOf('[', 1);
  const kept = php && open > 0 && trimmed.indexOf(']', open) < 0;
  const cut = trimmed.search(kept ? /[\]:\0]/ : /[[\]:\0]/);
  return (cut > 0 ? trimmed.slice(0, cut) : trimmed)
    .replace(/[\s.[]/g, '_')
    .normalize('NFKC')
    .toLowerCase();
}
