/** Names that people type: logins, organisations, roles, and what accounts are bound to. Parse once. */

const CONTROL = /\p{C}|\p{Zl}|\p{Zp}/u;
const LOGIN = /^[\p{L}\p{N}](?:[\p{L}\p{N}\p{M}._+@-]{0,126}[\p{L}\p{N}\p{M}])?$/u;
const ORGANISATION = /^[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?$/;
const ROLE = /^[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?$/;
/** RFC 6749 §3.3 `scope-token`. */
const SCOPE = /^[\x21\x23-\x5b\x5d-\x7e]{1,200}$/;
/** FHIR R4 `id`. */
const PATIENT = /^[A-Za-z0-9.-]{1,64}$/;
const FHIR_USER = /^(?:Practitioner|Patient|PractitionerRole|RelatedPerson|Person)\/[A-Za-z0-9.-]{1,64}$/;

const LONGEST_TYPED = 512;
const LONGEST_NAME = 120;

/**
 * A login as it is compared and kept: NFKC, lower case, no white space around it (RFC 8265 §3.3, case-mapped
 * user names). Undefined for what can be nobody's.
 */
export function parseLogin(typed: string): string | undefined {
  if (typed.length > LONGEST_TYPED) return undefined;
  const login = typed.trim().normalize('NFKC').toLowerCase().normalize('NFKC');
  return LOGIN.test(login) && Buffer.byteLength(login) <= 191 ? login : undefined;
}

/** What people see of an account; any script, no control characters. */
export function parseDisplayName(typed: string): string | undefined {
  if (typed.length > LONGEST_TYPED) return undefined;
  const name = typed.trim().normalize('NFC');
  return name !== '' && [...name].length <= LONGEST_NAME && !CONTROL.test(name) ? name : undefined;
}

/** The short name of an organisation: 1 to 63 of `a-z 0-9 -`. */
export const parseOrganisationName = (typed: string): string | undefined =>
  ORGANISATION.test(typed) ? typed : undefined;

/** The name of a custom role: 1 to 63 of `a-z 0-9 -`, none of the built-in ones. */
export const parseRoleName = (typed: string): string | undefined =>
  ROLE.test(typed) && !isBuiltInRole(typed) ? typed : undefined;

/** A scope that a custom role may carry: none of the administration, which belongs to the built-in roles. */
export const parseGrantableScope = (typed: string): string | undefined =>
  SCOPE.test(typed) && !typed.startsWith('admin/') ? typed : undefined;

export const parsePatient = (typed: string): string | undefined => (PATIENT.test(typed) ? typed : undefined);

export const parseFhirUser = (typed: string): string | undefined =>
  FHIR_USER.test(typed) ? typed : undefined;

/** Staff look after organisations, Admins after the accounts of theirs, Users after nobody's. */
export const BUILT_IN_ROLES = ['staff', 'admin', 'user'] as const;
export type BuiltInRole = (typeof BUILT_IN_ROLES)[number];

export const isBuiltInRole = (name: string): name is BuiltInRole =>
  (BUILT_IN_ROLES as readonly string[]).includes(name);

/** The organisation of those who run the issuer; the only one with Staff, made with the first of them. */
export const STAFF_ORGANISATION = 'staff';
