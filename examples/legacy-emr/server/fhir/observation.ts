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

export const observation: ResourceKind = {
  type: 'Observation',
  table: 'observations',
  select: `SELECT t.*, p.restricted, o.username owner, p.first_name, p.last_name
    FROM observations t ${CHART_JOIN}`,
  search: {
    _id: byId,
    patient: byPatient,
    status: byStatus,
    // Two developers, two ways. Within a chart the value is bound; in the search over all charts, which came
    // first, it becomes part of the SQL text: insecure on purpose.
    code: (value, withinChart) => {
      const code = value.slice(value.indexOf('|') + 1);
      return withinChart ? ['t.code = ?', code] : [`t.code = '${code}'`];
    },
  },

  toResource: (row) => ({
    resourceType: 'Observation',
    id: String(row.id),
    meta: meta(row, 'Observation'),
    status: row.status,
    category: [
      {
        coding: [
          {
            system: 'http://terminology.hl7.org/CodeSystem/observation-category',
            code: 'vital-signs',
            display: 'Vital Signs',
          },
        ],
      },
    ],
    code: {
      coding: [{ system: 'http://loinc.org', code: row.code, display: row.display }],
      text: row.display,
    },
    subject: { reference: `Patient/${row.patient_id}`, display: `${row.first_name} ${row.last_name}` },
    encounter: row.encounter_id === null ? undefined : { reference: `Encounter/${row.encounter_id}` },
    effectiveDateTime: instant(row.observed_at),
    valueQuantity:
      row.value === null
        ? undefined
        : { value: Number(row.value), unit: row.unit, system: 'http://unitsofmeasure.org', code: row.unit },
  }),

  toColumns: (body) =>
    mentioned({
      patient_id: idOf(textAt(body, 'subject', 'reference')),
      encounter_id: idOf(textAt(body, 'encounter', 'reference')),
      code: textAt(body, 'code', 'coding', 0, 'code'),
      display: textAt(body, 'code', 'coding', 0, 'display') ?? textAt(body, 'code', 'text'),
      value: textAt(body, 'valueQuantity', 'value'),
      unit: textAt(body, 'valueQuantity', 'unit'),
      status: textAt(body, 'status'),
      observed_at: fromInstant(textAt(body, 'effectiveDateTime')),
    }),
  patientOf: (columns) => columns.patient_id,
};
