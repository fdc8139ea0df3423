import type { PasswordFault } from '../accounts/index.ts';

/** What the issuer needs of the accounts (`identity/accounts`), and nothing more. */
export interface Person {
  /** The `sub` of tokens. */
  readonly id: string;
  readonly login: string;
  readonly name: string;
  readonly organisation: string;
  readonly status: 'pending' | 'active' | 'disabled';
  readonly roles: readonly string[];
  /** Ids of the patients that the account stands for. */
  readonly patients: readonly string[];
  readonly fhirUser: string | undefined;
}

export type PasswordSignIn =
  | { readonly ok: true; readonly account: Person; readonly change: 'temporary' | 'expired' | undefined }
  | { readonly ok: false; readonly reason: 'refused' | 'busy'; readonly detail: string };

export type PasswordChange =
  | { readonly ok: true }
  | {
      readonly ok: false;
      readonly reason: 'refused' | 'busy' | 'unacceptable';
      readonly faults: readonly PasswordFault[];
    };

export interface People {
  readonly signIn: {
    authenticate(attempt: {
      readonly login: string;
      readonly password: string;
      readonly source: string;
    }): Promise<PasswordSignIn>;
  };
  readonly passwords: {
    change(change: {
      readonly account: string;
      readonly present: string;
      readonly next: string;
      readonly source: string;
    }): Promise<PasswordChange>;
    /** With a one-time code of two administrators. */
    redeem(change: {
      readonly code: string;
      readonly next: string;
      readonly source: string;
    }): Promise<PasswordChange>;
  };
  /** Undefined for one that is not there; its status says whether it may sign in. */
  account(id: string): Promise<Person | undefined>;
  /** Scopes that its roles permit. */
  scopesOf(account: Person): Promise<ReadonlySet<string>>;
  /** Ids of the accounts of an organisation that have a custom role. @param role its name, or its id */
  holdersOf(organisation: string, role: string): Promise<readonly string[]>;
}

/** The account if it may hold tokens now. */
export async function activePerson(people: People, id: string): Promise<Person | undefined> {
  const person = await people.account(id);
  return person?.status === 'active' ? person : undefined;
}

/**
 * The name of a patient that the account stands for, as far as its own record has one: of the person's own FHIR record
 * it is the account's name, which administrators wrote. The EMR is not asked, nor are other people's accounts.
 */
export function patientName({ name, patients, fhirUser }: Person, patient: string): string | undefined {
  const own = fhirUser === `Patient/${patient}` || fhirUser?.endsWith(`/Patient/${patient}`) === true;
  return own && patients.includes(patient) ? name : undefined;
}
