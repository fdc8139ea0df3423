import type { Grants } from './model.ts';
import {
  isBuiltInRole,
  parseDisplayName,
  parseFhirUser,
  parseGrantableScope,
  parseLogin,
  parsePatient,
  STAFF_ORGANISATION,
} from './names.ts';
import { type AccountRepository, roleId } from './repository.ts';
import { type Refused, refuse } from './transaction.ts';

/** Who an account is for. */
export interface Person {
  readonly login: string;
  readonly name: string;
}

/** What an account shall be allowed, as somebody asks for it. */
export interface GrantsInput {
  readonly roles: readonly string[];
  readonly patients?: readonly string[] | undefined;
  readonly fhirUser?: string | undefined;
}

type Parsed<T> = { readonly ok: true; readonly value: T } | Refused;

const MOST_ROLES = 20;
const MOST_PATIENTS = 50;
const MOST_SCOPES = 100;

const repeats = (list: readonly string[]): boolean => new Set(list).size !== list.length;

export function parsePerson(input: Person): Parsed<Person> {
  const login = parseLogin(input.login);
  if (login === undefined) return refuse('invalid', 'login');
  const name = parseDisplayName(input.name);
  return name === undefined ? refuse('invalid', 'name') : { ok: true, value: { login, name } };
}

/** Roles must exist in the organisation; Staff belong to theirs, and nobody else does. */
export async function parseGrants(
  repository: AccountRepository,
  organisation: string,
  input: GrantsInput,
): Promise<Parsed<Grants>> {
  const { roles, patients = [], fhirUser } = input;
  if (roles.length === 0 || roles.length > MOST_ROLES || repeats(roles)) return refuse('invalid', 'roles');
  if (patients.length > MOST_PATIENTS || repeats(patients) || !patients.every((id) => parsePatient(id))) {
    return refuse('invalid', 'patients');
  }
  if (fhirUser !== undefined && parseFhirUser(fhirUser) === undefined) return refuse('invalid', 'fhirUser');
  for (const role of roles) {
    const forStaff = role === 'staff';
    if (forStaff !== (organisation === STAFF_ORGANISATION)) return refuse('unknown-role', role);
    if (
      !isBuiltInRole(role) &&
      (await repository.store.get('role', roleId(organisation, role))) === undefined
    ) {
      return refuse('unknown-role', role);
    }
  }
  return { ok: true, value: { roles: [...roles], patients: [...patients], fhirUser } };
}

export function parseScopes(scopes: readonly string[]): Parsed<readonly string[]> {
  const proper =
    scopes.length <= MOST_SCOPES && !repeats(scopes) && scopes.every((s) => parseGrantableScope(s));
  return proper ? { ok: true, value: [...scopes] } : refuse('invalid', 'scopes');
}
