/** What an old practice system knows by heart: vital signs (LOINC), a formulary of its own, lists. */

export interface VitalSign {
  readonly code: string;
  readonly display: string;
  readonly unit: string;
  readonly low: number;
  readonly high: number;
  readonly decimals: number;
}

export const VITAL_SIGNS: readonly VitalSign[] = [
  { code: '8867-4', display: 'Heart rate', unit: '/min', low: 52, high: 110, decimals: 0 },
  { code: '8480-6', display: 'Systolic blood pressure', unit: 'mm[Hg]', low: 95, high: 165, decimals: 0 },
  { code: '8462-4', display: 'Diastolic blood pressure', unit: 'mm[Hg]', low: 55, high: 100, decimals: 0 },
  { code: '29463-7', display: 'Body weight', unit: 'kg', low: 45, high: 120, decimals: 1 },
  { code: '8302-2', display: 'Body height', unit: 'cm', low: 148, high: 199, decimals: 1 },
  { code: '8310-5', display: 'Body temperature', unit: 'Cel', low: 36, high: 39, decimals: 1 },
];

/** code, name, form, price per unit, withdrawn on */
export const FORMULARY: readonly (readonly [string, string, string, string, string])[] = [
  ['PL-0001', 'Lisinopril 10 mg', 'tablet', '0.085', '0000-00-00'],
  ['PL-0002', 'Metformin 500 mg', 'tablet', '0.042', '0000-00-00'],
  ['PL-0003', 'Amlodipine 5 mg', 'tablet', '0.051', '0000-00-00'],
  ['PL-0004', 'Amoxicillin 250 mg', 'capsule', '0.110', '0000-00-00'],
  ['PL-0005', 'Salbutamol 100 micrograms', 'inhaler', '4.990', '0000-00-00'],
  ['PL-0006', 'Hydrocortisone 1 %', 'cream', '3.250', '0000-00-00'],
  ['PL-0007', 'Paracetamol 250 mg/5 ml', 'solution', '0.019', '0000-00-00'],
  ['PL-0008', 'Rofecoxib 25 mg', 'tablet', '1.200', '2004-09-30'],
];

export const DOSAGES = [
  '1 daily',
  '1 twice a day',
  '1 three times a day after meals',
  '2 at night',
  'as needed',
];
export const REASONS = [
  'Check-up',
  'Cough',
  'Back pain',
  'Blood pressure control',
  'Vaccination',
  'Headache',
];
export const SUBSTANCES = ['Penicillin', 'Peanut', 'Latex', 'Pollen', 'House dust mite'];
export const PROBLEMS = ['Hypertension', 'Asthma', 'Type 2 diabetes', 'Migraine', 'Low back pain', 'Eczema'];
export const SERVICES = ['Consultation', 'Blood test', 'Vaccination', 'Home visit', 'Medical certificate'];

/** list, code, label, position */
export const LIST_OPTIONS: readonly (readonly [string, string, string, number])[] = [
  ['marital', 'S', 'Never married', 1],
  ['marital', 'M', 'Married', 2],
  ['marital', 'D', 'Divorced', 3],
  ['marital', 'W', 'Widowed', 4],
  ['marital', 'U', 'Unknown', 5],
  ['sex', 'F', 'female', 1],
  ['sex', 'M', 'male', 2],
  ['sex', 'O', 'other', 3],
  ['sex', 'U', 'unknown', 4],
];

export interface StaffMember {
  readonly username: string;
  readonly fullName: string;
  readonly role: 'clinician' | 'nurse' | 'clerk' | 'admin';
}

/** The same accounts in every clinic, so that a demo can name them. The first three own charts. */
export const STAFF: readonly StaffMember[] = [
  { username: 'dr.quill', fullName: 'Dr Petra Quillfeather', role: 'clinician' },
  { username: 'dr.moss', fullName: 'Dr Anselm Mossington', role: 'clinician' },
  { username: 'dr.thimble', fullName: 'Dr Odile Thimblewood', role: 'clinician' },
  { username: 'nurse.fern', fullName: 'Fern Bandagely', role: 'nurse' },
  { username: 'clerk.tab', fullName: 'Tab Ledgerby', role: 'clerk' },
  { username: 'admin', fullName: 'Administrator', role: 'admin' },
];

/** Everybody's password, as delivered. An old system's default, not a secret. */
export const DEFAULT_PASSWORD = 'paperleaf';
