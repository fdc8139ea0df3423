/** Pages that the issuer shows. Whoever wires the process gives them; the issuer knows no HTML. */

export interface ShownPage {
  readonly html: string;
  /** Every header but length and request id; names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
}

export interface PageForm {
  /** A path of this host. */
  readonly action: string;
  readonly csrf: string;
  readonly hidden?: Readonly<Record<string, string>>;
}

/** Origins, or schemes of apps, that the answer to a form may lead to. */
interface Leading {
  readonly formTargets?: readonly string[];
}

export interface SignInPage extends Leading {
  readonly form: PageForm;
  readonly login?: string;
  readonly service?: string;
  readonly problems?: readonly ('wrong' | 'login-missing' | 'password-missing' | 'busy' | 'stale')[];
  readonly passkey?: { readonly form: PageForm; readonly options: unknown };
  readonly recoveryHref?: string;
  readonly cancelHref?: string;
}

export type PasswordPageProblem =
  | 'present-missing'
  | 'present-wrong'
  | 'missing'
  | 'mismatch'
  | 'too-short'
  | 'malformed'
  | 'too-guessable'
  | 'common'
  | 'contains-name'
  | 'needs-four-classes'
  | 'used-before'
  | 'stale'
  | 'busy';

export interface PasswordPage extends Leading {
  readonly form: PageForm;
  readonly login?: string;
  readonly kind: 'change' | 'temporary' | 'expired' | 'reset';
  readonly rules: { readonly minimum: number; readonly classes: boolean; readonly history?: number };
  readonly problems?: readonly PasswordPageProblem[];
  readonly cancelHref?: string;
}

export type FactorPageMethod = 'totp' | 'recovery-code' | 'passkey';

export interface FactorPage extends Leading {
  readonly form: PageForm;
  readonly method: FactorPageMethod;
  readonly options?: unknown;
  readonly others?: readonly { readonly method: FactorPageMethod; readonly href: string }[];
  readonly purpose: 'sign-in' | 'step-up';
  readonly problems?: readonly ('wrong' | 'missing' | 'stale' | 'busy')[];
  readonly cancelHref?: string;
}

export interface EnrolTotpPage extends Leading {
  readonly form: PageForm;
  /** `data:image/svg+xml;base64,…` */
  readonly qr: string;
  readonly key: string;
  readonly account?: string;
  readonly problems?: readonly ('wrong' | 'missing' | 'stale' | 'busy')[];
  readonly otherHref?: string;
  readonly cancelHref?: string;
}

export interface EnrolPasskeyPage extends Leading {
  readonly form: PageForm;
  readonly options: unknown;
  readonly problems?: readonly ('refused' | 'missing' | 'name-missing' | 'stale')[];
  readonly otherHref?: string;
  readonly cancelHref?: string;
}

export interface RecoveryCodesPage {
  readonly form: PageForm;
  readonly codes: readonly string[];
  readonly problems?: readonly ('not-kept' | 'stale')[];
  readonly formTargets?: readonly string[];
}

export interface RecoveryPage {
  readonly form?: PageForm;
  readonly problems?: readonly ('wrong' | 'login-missing' | 'code-missing' | 'stale' | 'busy')[];
  readonly signInHref?: string;
}

export interface ConsentPage extends Leading {
  readonly form: PageForm;
  readonly client: string;
  readonly clientSite?: string;
  readonly scopes: readonly string[];
  readonly patient?: string;
  readonly account?: string;
  readonly choosable?: boolean;
  readonly problems?: readonly ('none-chosen' | 'stale')[];
}

export interface ChoosePatientPage extends Leading {
  readonly form: PageForm;
  readonly client?: string;
  readonly patients: readonly { readonly id: string; readonly name: string; readonly detail?: string }[];
  /** Staff type an id. */
  readonly typed?: boolean;
  readonly problems?: readonly ('missing' | 'unknown' | 'stale')[];
  readonly cancelHref?: string;
}

export interface SignOutPage extends Leading {
  readonly form: PageForm;
}

/** Sends `end` = id of a session, `do` = `end-others`, or `take` = id of an app. Times in wall-clock milliseconds. */
export interface AccountPage {
  readonly form: PageForm;
  readonly name: string;
  readonly login: string;
  readonly passwordHref: string;
  readonly factorsHref: string;
  readonly signOutHref: string;
  readonly sessions: readonly {
    readonly id: string;
    readonly current: boolean;
    readonly startedAt: number;
    readonly services: readonly string[];
    readonly strength?: 'password' | 'second-step' | 'passkey' | undefined;
  }[];
  readonly apps: readonly {
    readonly id: string;
    readonly name: string;
    readonly scopes: readonly string[];
    readonly since: number;
  }[];
  readonly ended?: number;
  readonly taken?: number;
  readonly problems?: readonly 'stale'[];
}

/** Sends `remove` = id of a passkey or `totp`, or `do` = `new-codes`. */
export interface FactorsPage {
  readonly form: PageForm;
  readonly totp: boolean;
  readonly passkeys: readonly {
    readonly id: string;
    readonly name: string;
    readonly addedAt: number;
    readonly lastUsedAt?: number | undefined;
  }[];
  readonly recoveryCodesLeft: number;
  readonly addTotpHref?: string | undefined;
  readonly addPasskeyHref?: string | undefined;
  readonly newCodes: boolean;
  readonly removableTotp: boolean;
  readonly backHref: string;
  readonly problems?: readonly ('last' | 'stale' | 'busy')[];
}

export interface ErrorPage {
  readonly kind: 'bad-request' | 'refused' | 'not-found' | 'expired' | 'too-many' | 'failed';
  readonly requestId: string;
}

export interface IssuerPages {
  signIn(model: SignInPage): ShownPage;
  password(model: PasswordPage): ShownPage;
  factor(model: FactorPage): ShownPage;
  enrolTotp(model: EnrolTotpPage): ShownPage;
  enrolPasskey(model: EnrolPasskeyPage): ShownPage;
  recoveryCodes(model: RecoveryCodesPage): ShownPage;
  recovery(model: RecoveryPage): ShownPage;
  consent(model: ConsentPage): ShownPage;
  choosePatient(model: ChoosePatientPage): ShownPage;
  account(model: AccountPage): ShownPage;
  factors(model: FactorsPage): ShownPage;
  signOut(model: SignOutPage): ShownPage;
  signedOut(): ShownPage;
  error(model: ErrorPage): ShownPage;
  unavailable(requestId: string): ShownPage;
  /** A file that the pages refer to, by its whole path. */
  asset(
    path: string,
  ):
    | { readonly body: Buffer; readonly type: string; readonly headers: Readonly<Record<string, string>> }
    | undefined;
}
