import { createHash } from 'node:crypto';
import type { Connection } from 'mysql2/promise';
import {
  DEFAULT_PASSWORD,
  DOSAGES,
  FORMULARY,
  LIST_OPTIONS,
  PROBLEMS,
  REASONS,
  SERVICES,
  STAFF,
  SUBSTANCES,
  VITAL_SIGNS,
} from './catalogue.ts';
import { day, inventor, moment, phone } from './people.ts';
import type { Random } from './random.ts';

type Value = string | number | Buffer | null;
type Row = readonly Value[];

const ZERO_DAY = '0000-00-00';
const ZERO_MOMENT = '0000-00-00 00:00:00';
const CLINICIANS = STAFF.filter((member) => member.role === 'clinician');

async function insert(
  connection: Connection,
  table: string,
  columns: string,
  rows: readonly Row[],
): Promise<void> {
  if (rows.length > 0) await connection.query(`INSERT INTO ${table} (${columns}) VALUES ?`, [rows]);
}

/**
 * Fills empty tables with `count` invented patients and their records.
 * @param prefix of record and invoice numbers
 * @returns the charts that only their own clinician may open
 */
export async function fill(
  connection: Connection,
  clinic: string,
  random: Random,
  prefix: string,
  count: number,
): Promise<{ id: number; clinician: string }[]> {
  await insert(connection, 'facilities', 'name, street, city, phone, closed_on', [
    [clinic, '1 Ward Street', 'Exampleton', phone(random), ZERO_DAY],
    [`${clinic}, old annexe`, '2 Ward Street', 'Exampleton', phone(random), '1999-12-31'],
  ]);
  const md5 = createHash('md5').update(DEFAULT_PASSWORD).digest('hex');
  await insert(
    connection,
    'users',
    'username, password, full_name, role, facility_id',
    STAFF.map((member) => [member.username, md5, member.fullName, member.role, 1]),
  );
  await insert(connection, 'medications', 'code, name, form, unit_price, withdrawn_on', FORMULARY);
  await insert(connection, 'list_options', 'list, code, label, position', LIST_OPTIONS);
  const restricted = await fillPatients(connection, random, prefix, count);
  const encounters = await fillEncounters(connection, random, count);
  await fillChart(connection, random, encounters);
  await fillFront(connection, random, prefix, count, encounters);
  await insert(connection, 'access_log', 'at, who, action', [['2024-01-01 08:00:00', 'admin', 'install']]);
  return restricted;
}

async function fillPatients(
  connection: Connection,
  random: Random,
  prefix: string,
  count: number,
): Promise<{ id: number; clinician: string }[]> {
  const invent = inventor(random);
  const restricted: { id: number; clinician: string }[] = [];
  const rows: Row[] = [];
  const contacts: Row[] = [];
  for (let id = 1; id <= count; id += 1) {
    const person = invent();
    const owner = random.below(CLINICIANS.length);
    // Every tenth chart, from number 5 on: sequential ids put them between the open ones.
    const closed = id % 10 === 5;
    const clinician = CLINICIANS[owner]?.username;
    if (closed && clinician !== undefined) restricted.push({ id, clinician });
    rows.push([
      `${prefix}-${String(id).padStart(5, '0')}`,
      `INS${String(random.below(1_000_000_000)).padStart(9, '0')}`,
      person.title,
      person.last,
      person.first,
      person.first.slice(0, 4),
      person.sex,
      person.birth,
      random.chance(5) ? day(random, 2020, 6) : ZERO_DAY,
      random.pick(['S', 'M', 'D', 'W', 'U']),
      person.home,
      person.mobile,
      person.email,
      person.street,
      person.city,
      'Nonesuchshire',
      person.postcode,
      owner + 1,
      id > 10 && random.chance(10) ? 1 + random.below(10) : null,
      closed ? 1 : 0,
      random.chance(30) ? 'Prefers to be called in the afternoon.' : null,
      moment(random, 2024, 2),
    ]);
    const next = invent();
    contacts.push([
      id,
      1,
      `${next.first} ${next.last}`,
      random.pick(['spouse', 'parent', 'child', 'friend']),
      next.home,
    ]);
  }
  await insert(
    connection,
    'patients',
    'mrn, insurance_no, title, last_name, first_name, nickname, sex, birth_date, death_date, marital, phone_home, phone_mobile, email, street, city, region, postcode, clinician_id, guardian_id, restricted, notes, updated_at',
    rows,
  );
  await insert(connection, 'patient_contacts', 'patient_id, position, name, relation, phone', contacts);
  return restricted;
}

interface EncounterSeed {
  readonly id: number;
  readonly patient: number;
  readonly at: string;
}

async function fillEncounters(
  connection: Connection,
  random: Random,
  count: number,
): Promise<EncounterSeed[]> {
  const encounters: EncounterSeed[] = [];
  const rows: Row[] = [];
  for (let patient = 1; patient <= count; patient += 1) {
    const visits = 1 + random.below(3);
    for (let visit = 0; visit < visits; visit += 1) {
      const at = moment(random, 2024, 2);
      const open = random.chance(10);
      encounters.push({ id: encounters.length + 1, patient, at });
      rows.push([
        patient,
        1 + random.below(CLINICIANS.length),
        1,
        random.pick(['AMB', 'AMB', 'AMB', 'HH', 'VR', 'EMER']),
        open ? 'in-progress' : 'finished',
        random.pick(REASONS),
        at,
        open ? ZERO_MOMENT : `${at.slice(0, 14)}58:00`,
        at,
      ]);
    }
  }
  await insert(
    connection,
    'encounters',
    'patient_id, clinician_id, facility_id, class, status, reason, started_at, ended_at, updated_at',
    rows,
  );
  return encounters;
}

/** What is written at a visit: observations, prescriptions, letters. */
async function fillChart(
  connection: Connection,
  random: Random,
  encounters: readonly EncounterSeed[],
): Promise<void> {
  const observations: Row[] = [];
  const prescriptions: Row[] = [];
  const documents: Row[] = [];
  for (const { id, patient, at } of encounters) {
    for (let i = 0; i < 3; i += 1) {
      const sign = random.pick(VITAL_SIGNS);
      const value = sign.low + (random.below(1001) / 1000) * (sign.high - sign.low);
      observations.push([
        patient,
        id,
        sign.code,
        sign.display,
        value.toFixed(sign.decimals),
        sign.unit,
        at,
        at,
      ]);
    }
    if (random.chance(70)) {
      const medication = random.pick(FORMULARY);
      prescriptions.push([
        patient,
        id,
        1 + random.below(CLINICIANS.length),
        medication[0],
        random.pick(DOSAGES),
        `${10 * (1 + random.below(9))}.00`,
        random.below(4),
        medication[4] === ZERO_DAY ? random.pick(['active', 'active', 'completed']) : 'stopped',
        at,
        at,
      ]);
    }
    if (random.chance(40)) {
      const text = `Letter about visit ${id} of record ${patient}, ${at}.\r\nAll findings are invented.\r\n`;
      const content = Buffer.from(text, 'latin1');
      const sha256 = createHash('sha256').update(content).digest('hex');
      documents.push([patient, id, 1, 'Letter', 'text/plain', content.length, sha256, content, at]);
    }
  }
  await insert(
    connection,
    'observations',
    'patient_id, encounter_id, code, display, value, unit, observed_at, updated_at',
    observations,
  );
  await insert(
    connection,
    'prescriptions',
    'patient_id, encounter_id, prescriber_id, medication_code, dosage, quantity, refills, status, written_at, updated_at',
    prescriptions,
  );
  await insert(
    connection,
    'documents',
    'patient_id, encounter_id, author_id, title, mime, bytes, sha256, content, updated_at',
    documents,
  );
}

/** What the front desk writes: allergies, problems, appointments, bills. */
async function fillFront(
  connection: Connection,
  random: Random,
  prefix: string,
  count: number,
  encounters: readonly EncounterSeed[],
): Promise<void> {
  const allergies: Row[] = [];
  const problems: Row[] = [];
  const appointments: Row[] = [];
  for (let patient = 1; patient <= count; patient += 1) {
    if (random.chance(50)) {
      allergies.push([
        patient,
        random.pick(SUBSTANCES),
        random.pick(['mild', 'moderate', 'severe']),
        ZERO_DAY,
      ]);
    }
    if (random.chance(80)) {
      const resolved = random.chance(30) ? day(random, 2021, 5) : ZERO_DAY;
      problems.push([patient, random.pick(PROBLEMS), day(random, 2008, 12), resolved]);
    }
    const clinician = 1 + random.below(CLINICIANS.length);
    appointments.push([patient, clinician, 1, moment(random, 2027, 1), 15, 'booked']);
  }
  const invoices: Row[] = [];
  const items: Row[] = [];
  for (const { id, patient, at } of encounters) {
    if (!random.chance(60)) continue;
    const cents = 1500 + 5 * random.below(2000);
    const price = (cents / 100).toFixed(2);
    const issued = at.slice(0, 10);
    invoices.push([
      `${prefix}${String(invoices.length + 1).padStart(6, '0')}`,
      patient,
      issued,
      random.chance(70) ? issued : ZERO_DAY,
      price,
    ]);
    items.push([invoices.length, id, random.pick(SERVICES), '1.00', price]);
  }
  await insert(connection, 'allergies', 'patient_id, substance, severity, noted_on', allergies);
  await insert(connection, 'problems', 'patient_id, title, onset_on, resolved_on', problems);
  await insert(
    connection,
    'appointments',
    'patient_id, clinician_id, facility_id, starts_at, minutes, state',
    appointments,
  );
  await insert(connection, 'invoices', 'number, patient_id, issued_on, paid_on, total', invoices);
  await insert(connection, 'invoice_items', 'invoice_id, encounter_id, text, quantity, price', items);
}
