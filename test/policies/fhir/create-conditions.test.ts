import { describe, expect, it } from 'vitest';
import { bodyOf, decide, jsonContent, observation, outcomeOf, patientA, staff } from './support.ts';

/** `If-None-Exist` of somebody whose scopes reach all of a type, and not all types. */
const CREATE = 'POST /fhir/Observation';
const OBSERVATIONS = staff('user/Observation.crus');

function sent(condition: string, token = OBSERVATIONS): string {
  const decision = decide(CREATE, token, { headers: { 'if-none-exist': condition } });
  if (decision.effect === 'deny')
    return `${decision.denial} ${decision.reasons.findLast(({ held }) => !held)?.code}`;
  const headers = decision.obligations?.headers;
  return headers === undefined ? 'as it is' : decodeURIComponent(headers['if-none-exist'] ?? 'none');
}

const REFUSED = 'forbidden search-unsupported';

describe('the condition of a create', () => {
  it.each<[string, string, string]>([
    ['within the type', 'identifier=http://x.example|1', 'identifier=http://x.example|1'],
    ['with an empty part', 'identifier=1&', 'identifier=1'],
    ['by a name twice', 'date=ge2020&date=le2021', 'as it is'],
    ['as the URL that clients make of it', 'Observation?identifier=1', 'identifier=1'],
    ['as a whole URL', 'https://clinic.example/fhir/Observation?identifier=1', 'identifier=1'],
    ['with a question mark first', '?identifier=1', 'identifier=1'],
    [
      'with a question mark in a value',
      'identifier=http://x.example/?y|1',
      'identifier=http://x.example/?y|1',
    ],
    ['by a chain', 'patient.family=Smith', REFUSED],
    ['by a chain with its type', 'subject:Patient.family=Smith', REFUSED],
    ['by a chain that is encoded', 'patient%2Efamily=Smith', REFUSED],
    ['by a chain behind the type', 'Observation?patient.family=Smith', REFUSED],
    ['by a reversed chain', '_has:Condition:encounter:code=1', REFUSED],
    ['by a reversed chain behind the type', 'Observation?_has:Condition:encounter:code=1', REFUSED],
    ['by the URL of another type', 'Patient?family=Smith', REFUSED],
    ['by a filter', '_filter=patient.family eq Smith', REFUSED],
    ['with a control character', 'identifier=1%00', REFUSED],
    ['with an escape that is none', 'identifier=%zz', REFUSED],
    ['of more parameters than a query may have', 'ct&'.repeat(300), REFUSED],
  ])('%s: %s is sent as %s', (_what, condition, expected) => {
    expect(sent(condition)).toBe(expected);
    expect(outcomeOf(`GET /fhir/Observation?patient.family=Smith`, OBSERVATIONS)).toBe(REFUSED);
  });

  it('sends what some servers take for a separator encoded', () => {
    const headers = { 'if-none-exist': 'code=1;_has:Condition:encounter:code=2' };
    const decision = decide(CREATE, OBSERVATIONS, { headers });
    expect(decision).toMatchObject({
      obligations: { headers: { 'if-none-exist': 'code=1%3B_has%3ACondition%3Aencounter%3Acode%3D2' } },
    });
  });

  it('follows a chain to what may be searched as well', () => {
    const token = staff('user/Observation.crus', 'user/Patient.rs');
    expect(sent('patient.family=Smith', token)).toBe('as it is');
    expect(sent('patient.organization.name=x', token)).toBe(REFUSED);
  });

  it('is left as it is where everything may be searched, and where there is none', () => {
    expect(sent('Observation?patient.family=Smith', staff('user/*.cruds'))).toBe('as it is');
    expect(decide(CREATE, OBSERVATIONS)).not.toHaveProperty('obligations');
  });

  it('is treated alike in a bundle', () => {
    const judge = (ifNoneExist: string) =>
      bodyOf(
        'POST /fhir',
        OBSERVATIONS,
        jsonContent({
          resourceType: 'Bundle',
          type: 'transaction',
          entry: [
            {
              request: { method: 'POST', url: 'Observation', ifNoneExist },
              resource: observation('1', 'Patient/b'),
            },
          ],
        }),
      );
    expect(judge('patient.family=Smith')).toMatchObject({ effect: 'deny', denial: 'forbidden' });
    expect(judge('Observation?identifier=x|1')).toMatchObject({
      effect: 'permit',
      replacement: { entry: [{ request: { ifNoneExist: 'identifier=x%7C1' } }] },
    });
  });

  it('of a patient may be written as a URL too, and stays within the record', () => {
    const token = patientA('patient/*.cruds');
    expect(sent('Observation?identifier=1', token)).toBe('patient=a&identifier=1');
    expect(sent('Observation?patient=b', token)).toBe('record-hidden patient-mismatch');
  });
});
