import { patientRecord } from '../../hot-path/back-end.ts';

/** A made-up FHIR resource of about 2 KB, without an id and a narrative, as an app would create it. */
export function newPatient(): Buffer {
  const {
    id: _,
    meta: __,
    ...patient
  } = JSON.parse(patientRecord().toString('utf8')) as Record<string, unknown>;
  const contacts = ['Otto', 'Ida', 'Emil', 'Rosa'].map((given, index) => ({
    relationship: [
      {
        coding: [{ system: 'http://terminology.hl7.org/CodeSystem/v2-0131', code: 'N' }],
        text: 'next of kin',
      },
    ],
    name: { family: 'Example', given: [given] },
    telecom: [{ system: 'phone', value: `+00 555 02${index}0` }],
  }));
  const body = {
    ...patient,
    contact: contacts,
    extension: [
      {
        url: 'http://example.org/fhir/StructureDefinition/remark',
        valueString: 'prefers mornings; hard of hearing on the left, interpreter not needed',
      },
    ],
  };
  return Buffer.from(JSON.stringify(body));
}
