import type { Database, Row } from '../database.ts';
import type { Emr } from '../exchange.ts';
import type { Resource } from './outcome.ts';

/** A piece of a WHERE clause and the values of its question marks. */
export type Condition = readonly [sql: string, ...values: unknown[]];

/** How one FHIR resource type is kept in one table. */
export interface ResourceKind {
  readonly type: string;
  readonly table: string;
  /**
   * `SELECT … FROM … AS t …`, to which a WHERE clause is added. Gives `restricted` and `owner` (the
   * user name of the patient's clinician) besides the record itself.
   */
  readonly select: string;
  /** Search parameters by name. `withinChart`: the search names a patient as well. */
  readonly search: Readonly<Record<string, (value: string, withinChart: boolean) => Condition>>;
  toResource(row: Row, emr: Emr): Resource;
  /** The columns that a resource sets; what it does not mention is kept. */
  toColumns(body: unknown): Readonly<Record<string, unknown>>;
  /** Columns of a new record that the body need not bring. */
  defaults?(): Readonly<Record<string, unknown>>;
  /** Whose chart the resource belongs to, for the check on restricted charts; undefined for a new chart. */
  patientOf(columns: Readonly<Record<string, unknown>>): unknown;
  /** What to say when a unique key was hit. */
  describeDuplicate?(database: Database, columns: Readonly<Record<string, unknown>>): Promise<string>;
}

/** The chart's join, for records that belong to a patient. */
export const CHART_JOIN =
  'LEFT JOIN patients p ON p.id = t.patient_id LEFT JOIN users o ON o.id = p.clinician_id';

export const PROFILE = 'http://hl7.org/fhir/StructureDefinition/';

/** `2025-03-01 10:00:00` → `2025-03-01T10:00:00Z`; undefined for a zero date. */
export function instant(value: unknown): string | undefined {
  const text = String(value ?? '');
  return text === '' || text.startsWith('0000-00-00') ? undefined : `${text.replace(' ', 'T')}Z`;
}

/** undefined for a zero date. */
export function date(value: unknown): string | undefined {
  const text = String(value ?? '');
  return text === '' || text === '0000-00-00' ? undefined : text;
}

/** `2025-03-01T10:00:00Z` → `2025-03-01 10:00:00`; anything else as it is, for the database to bend. */
export function fromInstant(value: string | undefined): string | undefined {
  return value === undefined ? undefined : value.replace('T', ' ').replace(/(\.\d+)?Z$/, '');
}

export function meta(row: Row, type: string): object {
  return {
    versionId: String(row.version),
    lastUpdated: instant(row.updated_at) ?? '1970-01-01T00:00:00Z',
    profile: [PROFILE + type],
  };
}

/** The value at a place in parsed JSON, such as `name`, 0, `family`. */
export function at(value: unknown, ...path: readonly (string | number)[]): unknown {
  let here = value;
  for (const key of path) {
    if (typeof here !== 'object' || here === null) return undefined;
    here = (here as Readonly<Record<string | number, unknown>>)[key];
  }
  return here;
}

/** The same as text; numbers are written out; undefined for anything else. */
export function textAt(value: unknown, ...path: readonly (string | number)[]): string | undefined {
  const found = at(value, ...path);
  if (typeof found === 'number') return String(found);
  return typeof found === 'string' ? found : undefined;
}

/** `Patient/7`, `http://…/Patient/7` or `7` → `7`. */
export function idOf(reference: string | undefined): string | undefined {
  return reference?.slice(reference.lastIndexOf('/') + 1);
}

/** Leaves out what the resource did not mention. */
export function mentioned(columns: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(columns).filter(([, value]) => value !== undefined));
}

/** A search by the patient of a record, `7` or `Patient/7`. */
export const byPatient = (value: string): Condition => ['t.patient_id = ?', idOf(value)];
export const byStatus = (value: string): Condition => ['t.status = ?', value];
export const byId = (value: string): Condition => ['t.id = ?', value];
