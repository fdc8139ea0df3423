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

export const encounter: ResourceKind = {
  type: 'Encounter',
  table: 'encounters',
  select: `SELECT t.*, p.restricted, o.username owner, p.first_name, p.last_name,
    s.full_name seen_by, f.name facility
    FROM encounters t ${CHART_JOIN} LEFT JOIN users s ON s.id = t.clinician_id
    LEFT JOIN facilities f ON f.id = t.facility_id`,
  search: { _id: byId, patient: byPatient, status: byStatus },

  toResource: (row) => ({
    resourceType: 'Encounter',
    id: String(row.id),
    meta: meta(row, 'Encounter'),
    status: row.status,
    class: { system: 'http://terminology.hl7.org/CodeSystem/v3-ActCode', code: row.class },
    subject: { reference: `Patient/${row.patient_id}`, display: `${row.first_name} ${row.last_name}` },
    participant:
      row.clinician_id === null
        ? undefined
        : [{ individual: { reference: `Practitioner/${row.clinician_id}`, display: row.seen_by } }],
    period: { start: instant(row.started_at), end: instant(row.ended_at) },
    reasonCode: row.reason === '' ? undefined : [{ text: row.reason }],
    serviceProvider: row.facility === null ? undefined : { display: row.facility },
  }),

  toColumns: (body) =>
    mentioned({
      patient_id: idOf(textAt(body, 'subject', 'reference')),
      clinician_id: idOf(textAt(body, 'participant', 0, 'individual', 'reference')),
      class: textAt(body, 'class', 'code'),
      status: textAt(body, 'status'),
      reason: textAt(body, 'reasonCode', 0, 'text'),
      started_at: fromInstant(textAt(body, 'period', 'start')),
      ended_at: fromInstant(textAt(body, 'period', 'end')),
    }),
  patientOf: (columns) => columns.patient_id,
};
