import {
  byId,
  byPatient,
  byStatus,
  CHART_JOIN,
  fromInstant,
  idOf,
  instant,
  mentioned,
  meta,
  type ResourceKind,
  textAt,
} from './kind.ts';

/** The formulary's own codes. */
const FORMULARY = 'urn:oid:2.999.1.4713';

export const medicationRequest: ResourceKind = {
  type: 'MedicationRequest',
  table: 'prescriptions',
  select: `SELECT t.*, p.restricted, o.username owner, p.first_name, p.last_name,
    m.name medication, m.form, w.full_name prescriber
    FROM prescriptions t ${CHART_JOIN} JOIN medications m ON m.code = t.medication_code
    LEFT JOIN users w ON w.id = t.prescriber_id`,
  search: {
    _id: byId,
    patient: byPatient,
    status: byStatus,
    code: (value) => ['t.medication_code = ?', value.slice(value.indexOf('|') + 1)],
  },

  toResource: (row) => ({
    resourceType: 'MedicationRequest',
    id: String(row.id),
    meta: meta(row, 'MedicationRequest'),
    status: row.status,
    intent: 'order',
    medicationCodeableConcept: {
      coding: [{ system: FORMULARY, code: row.medication_code, display: row.medication }],
      text: row.medication,
    },
    subject: { reference: `Patient/${row.patient_id}`, display: `${row.first_name} ${row.last_name}` },
    encounter: row.encounter_id === null ? undefined : { reference: `Encounter/${row.encounter_id}` },
    authoredOn: instant(row.written_at),
    requester:
      row.prescriber_id === null
        ? undefined
        : { reference: `Practitioner/${row.prescriber_id}`, display: row.prescriber },
    dosageInstruction: [{ text: row.dosage }],
    dispenseRequest: {
      numberOfRepeatsAllowed: row.refills,
      quantity: { value: Number(row.quantity), unit: row.form },
    },
  }),

  toColumns: (body) =>
    mentioned({
      patient_id: idOf(textAt(body, 'subject', 'reference')),
      encounter_id: idOf(textAt(body, 'encounter', 'reference')),
      prescriber_id: idOf(textAt(body, 'requester', 'reference')),
      medication_code: textAt(body, 'medicationCodeableConcept', 'coding', 0, 'code'),
      dosage: textAt(body, 'dosageInstruction', 0, 'text'),
      quantity: textAt(body, 'dispenseRequest', 'quantity', 'value'),
      refills: textAt(body, 'dispenseRequest', 'numberOfRepeatsAllowed'),
      status: textAt(body, 'status'),
      written_at: fromInstant(textAt(body, 'authoredOn')),
    }),
  patientOf: (columns) => columns.patient_id,
};
