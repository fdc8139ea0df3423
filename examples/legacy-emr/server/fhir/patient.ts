import { randomBytes } from 'node:crypto';
import { at, byId, date, idOf, mentioned, meta, type ResourceKind, textAt } from './kind.ts';

/** Under the arc that is kept for examples. */
const MRN = 'urn:oid:2.999.1.4711';
const INSURANCE = 'urn:oid:2.999.1.4712';
const SEX_TO_GENDER: Readonly<Record<string, string>> = { F: 'female', M: 'male', O: 'other', U: 'unknown' };
const GENDER_TO_SEX: Readonly<Record<string, string>> = { female: 'F', male: 'M', other: 'O', unknown: 'U' };
const MARITAL: Readonly<Record<string, string>> = {
  S: 'Never Married',
  M: 'Married',
  D: 'Divorced',
  W: 'Widowed',
  U: 'unknown',
};

function firstWith(list: unknown, key: string, value: string): unknown {
  return Array.isArray(list) ? list.find((entry: unknown) => at(entry, key) === value) : undefined;
}

export const patient: ResourceKind = {
  type: 'Patient',
  table: 'patients',
  select: `SELECT t.*, o.username owner, o.full_name owner_name, f.name facility, c.name contact_name,
    c.relation contact_relation, c.phone contact_phone
    FROM patients t LEFT JOIN users o ON o.id = t.clinician_id LEFT JOIN facilities f ON f.id = o.facility_id
    LEFT JOIN patient_contacts c ON c.patient_id = t.id AND c.position = 1`,
  search: {
    _id: byId,
    patient: (value) => ['t.id = ?', idOf(value)],
    identifier: (value) => ['t.mrn = ?', value.slice(value.indexOf('|') + 1)],
    name: (value) => ['(t.last_name LIKE ? OR t.first_name LIKE ?)', `${value}%`, `${value}%`],
  },

  toResource: (row) => ({
    resourceType: 'Patient',
    id: String(row.id),
    meta: meta(row, 'Patient'),
    identifier: [
      {
        use: 'usual',
        type: {
          coding: [
            {
              system: 'http://terminology.hl7.org/CodeSystem/v2-0203',
              code: 'MR',
              display: 'Medical record number',
            },
          ],
        },
        system: MRN,
        value: row.mrn,
      },
      { use: 'official', system: INSURANCE, value: row.insurance_no },
    ],
    active: true,
    name: [
      {
        use: 'official',
        text: `${row.title} ${row.first_name} ${row.last_name}`.trim(),
        family: row.last_name,
        given: [row.first_name],
        prefix: row.title === '' ? undefined : [row.title],
      },
      ...(row.nickname === '' ? [] : [{ use: 'nickname', given: [row.nickname] }]),
    ],
    telecom: [
      { system: 'phone', value: row.phone_home, use: 'home' },
      { system: 'phone', value: row.phone_mobile, use: 'mobile' },
      { system: 'email', value: row.email },
    ].filter((entry) => entry.value !== ''),
    gender: SEX_TO_GENDER[String(row.sex)] ?? 'unknown',
    birthDate: date(row.birth_date),
    ...(date(row.death_date) === undefined
      ? { deceasedBoolean: false }
      : { deceasedDateTime: row.death_date }),
    address: [
      {
        use: 'home',
        line: [row.street],
        city: row.city,
        district: row.region,
        postalCode: row.postcode,
        country: 'XX',
      },
    ],
    maritalStatus: {
      coding: [
        {
          system: `http://terminology.hl7.org/CodeSystem/v3-${row.marital === 'U' ? 'NullFlavor' : 'MaritalStatus'}`,
          code: row.marital === 'U' ? 'UNK' : row.marital,
          display: MARITAL[String(row.marital)],
        },
      ],
    },
    contact:
      row.contact_name === null
        ? undefined
        : [
            {
              relationship: [{ text: row.contact_relation }],
              name: { text: row.contact_name },
              telecom: [{ system: 'phone', value: row.contact_phone }],
            },
          ],
    communication: [
      { language: { coding: [{ system: 'urn:ietf:bcp:47', code: row.language }] }, preferred: true },
    ],
    generalPractitioner:
      row.clinician_id === null
        ? undefined
        : [{ reference: `Practitioner/${row.clinician_id}`, display: row.owner_name }],
    managingOrganization: row.facility === null ? undefined : { display: row.facility },
  }),

  toColumns: (body) => {
    const identifiers = at(body, 'identifier');
    const telecom = at(body, 'telecom');
    const phones = Array.isArray(telecom)
      ? telecom.filter((entry: unknown) => at(entry, 'system') === 'phone')
      : [];
    return mentioned({
      mrn: textAt(firstWith(identifiers, 'system', MRN) ?? at(identifiers, 0), 'value'),
      insurance_no: textAt(firstWith(identifiers, 'system', INSURANCE), 'value'),
      title: textAt(body, 'name', 0, 'prefix', 0),
      last_name: textAt(body, 'name', 0, 'family'),
      first_name: textAt(body, 'name', 0, 'given', 0),
      nickname: textAt(firstWith(at(body, 'name'), 'use', 'nickname'), 'given', 0),
      sex: GENDER_TO_SEX[textAt(body, 'gender') ?? ''],
      birth_date: textAt(body, 'birthDate'),
      death_date: textAt(body, 'deceasedDateTime')?.slice(0, 10),
      phone_home: textAt(firstWith(phones, 'use', 'home'), 'value'),
      phone_mobile: textAt(firstWith(phones, 'use', 'mobile'), 'value'),
      email: textAt(firstWith(telecom, 'system', 'email'), 'value'),
      street: textAt(body, 'address', 0, 'line', 0),
      city: textAt(body, 'address', 0, 'city'),
      region: textAt(body, 'address', 0, 'district'),
      postcode: textAt(body, 'address', 0, 'postalCode'),
      clinician_id: idOf(textAt(body, 'generalPractitioner', 0, 'reference')),
    });
  },

  defaults: () => ({ mrn: `W-${randomBytes(6).toString('hex').toUpperCase()}`, last_name: '' }),
  patientOf: () => undefined,

  // Helpful for the front desk, and for everybody who wants to know whether somebody is a patient here.
  describeDuplicate: async (database, columns) => {
    const [other] = await database.rows(
      'SELECT id, mrn, first_name, last_name, birth_date FROM patients WHERE mrn = ?',
      [columns.mrn],
    );
    if (other === undefined) return 'Duplicate record number';
    return `Duplicate: record number ${other.mrn} already belongs to Patient/${other.id} (${other.first_name} ${other.last_name}, born ${other.birth_date})`;
  },
};
