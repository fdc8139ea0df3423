import { ChartgateError } from '../../contracts/errors.ts';
import type { JsonBody, JsonValue, StateKind, StoredDocument } from '../../contracts/state.ts';

/** The person at the issuer's own machine, who may read its settings: the first of the Staff. No account. */
export const HOST = 'host';

export const ACCOUNT_STATUSES = ['pending', 'active', 'disabled'] as const;
export type AccountStatus = (typeof ACCOUNT_STATUSES)[number];

/** Who stood behind an account becoming active: ids of two different accounts, or the bootstrap. */
export type Provenance =
  | { readonly by: 'two'; readonly requestedBy: string; readonly approvedBy: string }
  /** Made by the host while there was no Staff yet that could have approved it. */
  | { readonly by: 'bootstrap' }
  | { readonly by: 'nobody-yet'; readonly requestedBy: string };

/** What an account may be: changed only by two people. */
export interface Grants {
  /** Built-in roles and names of custom roles of the organisation. */
  readonly roles: readonly string[];
  /** Ids of the patients whose records the account stands for, as its own or as a representative. */
  readonly patients: readonly string[];
  /** FHIR reference of the person (SMART App Launch 2.2, `fhirUser`). */
  readonly fhirUser: string | undefined;
}

export const ELSEWHERE: unique symbol = Symbol('elsewhere');

export interface Account extends Grants {
  /** Never used again: 128 random bits, base64url. The `sub` of tokens. */
  readonly id: string;
  readonly version: number;
  readonly organisation: string;
  readonly login: string;
  readonly name: string;
  readonly status: AccountStatus;
  /** Has set a password of its own. */
  readonly enrolled: boolean;
  readonly provenance: Provenance;
  /** Wall-clock milliseconds. */
  readonly createdAt: number;
  /**
   * Another organisation has an account of this login, which whoever asked for this one must not learn. Nobody can
   * ever sign in with it; to its own organisation it looks like one that was never enrolled. Under a symbol, so that no
   * answer, command or page that shows an account ever writes it down.
   */
  readonly [ELSEWHERE]?: true;
}

export interface Organisation {
  /** Its short name; never changes. */
  readonly id: string;
  readonly version: number;
  readonly name: string;
  readonly status: AccountStatus;
  /** Grows with every change of its accounts and roles: whoever changes one has seen all others. */
  readonly changes: number;
  readonly createdAt: number;
}

export interface Role {
  readonly id: string;
  readonly version: number;
  readonly organisation: string;
  readonly name: string;
  readonly scopes: readonly string[];
}

/** What takes two people. */
export const REQUEST_ACTIONS = [
  'create-organisation',
  'create-account',
  'change-account',
  'enable-account',
  'reset-password',
  'reset-factors',
  'set-role',
] as const;
export type RequestAction = (typeof REQUEST_ACTIONS)[number];

export const REQUEST_STATES = ['open', 'approved', 'rejected', 'withdrawn', 'expired'] as const;
export type RequestState = (typeof REQUEST_STATES)[number];

export interface ApprovalRequest {
  readonly id: string;
  readonly version: number;
  readonly organisation: string;
  readonly action: RequestAction;
  /** Id of the account, role or organisation that it is about. */
  readonly subject: string;
  readonly requestedBy: string;
  readonly requestedAt: number;
  readonly expiresAt: number;
  /** As it was kept; an open one may have expired by now (`stateOf`). */
  readonly state: Exclude<RequestState, 'expired'>;
  readonly decidedBy: string | undefined;
  readonly decidedAt: number | undefined;
  /** What is asked for: grants of an account, scopes of a role. Shown to whoever approves. */
  readonly change: JsonBody;
  /** Version of the subject that the asking person saw; 0 where there was none. */
  readonly seen: number;
  /** For each account that gets a code: its id and the hash of the half that the asking person was given. */
  readonly halves: readonly { readonly account: string; readonly hash: string }[];
}

export interface PasswordRecord {
  readonly account: string;
  readonly version: number;
  /** PHC string; undefined after a reset was approved and until its code is used. */
  readonly current: string | undefined;
  /** Newest first, without the present one. */
  readonly former: readonly string[];
  readonly changedAt: number;
  /** Must be changed at the next sign-in. */
  readonly temporary: boolean;
}

export const stateOf = (request: ApprovalRequest, now: number): RequestState =>
  request.state === 'open' && now >= request.expiresAt ? 'expired' : request.state;

/** Reads the values of a document; one that we did not write is refused as a whole. */
class Reader {
  readonly #kind: StateKind;
  readonly #body: JsonBody;

  constructor(kind: StateKind, document: StoredDocument) {
    this.#kind = kind;
    this.#body = document.body;
  }

  #refuse(name: string): never {
    throw new ChartgateError('state-invalid', `a document of kind ${this.#kind} has no proper "${name}"`);
  }

  text(name: string): string {
    const value = this.#body[name];
    return typeof value === 'string' ? value : this.#refuse(name);
  }

  optionalText(name: string): string | undefined {
    return this.#body[name] === undefined || this.#body[name] === null ? undefined : this.text(name);
  }

  number(name: string): number {
    const value = this.#body[name];
    return typeof value === 'number' && Number.isFinite(value) ? value : this.#refuse(name);
  }

  optionalNumber(name: string): number | undefined {
    return this.#body[name] === undefined || this.#body[name] === null ? undefined : this.number(name);
  }

  flag(name: string): boolean {
    const value = this.#body[name];
    return typeof value === 'boolean' ? value : this.#refuse(name);
  }

  texts(name: string): readonly string[] {
    const value = this.#body[name];
    if (!Array.isArray(value)) return this.#refuse(name);
    return Object.freeze(
      value.map((each: JsonValue) => (typeof each === 'string' ? each : this.#refuse(name))),
    );
  }

  oneOf<T extends string>(name: string, allowed: readonly T[]): T {
    const value = this.text(name);
    return allowed.find((each) => each === value) ?? this.#refuse(name);
  }

  record(name: string): JsonBody {
    const value = this.#body[name];
    if (value === null || typeof value !== 'object' || Array.isArray(value)) return this.#refuse(name);
    return value as JsonBody;
  }
}

function provenanceOf(value: JsonBody): Provenance {
  const { by, requestedBy, approvedBy } = value;
  if (by === 'bootstrap') return { by };
  if (by === 'nobody-yet' && typeof requestedBy === 'string') return { by, requestedBy };
  if (by === 'two' && typeof requestedBy === 'string' && typeof approvedBy === 'string') {
    return { by, requestedBy, approvedBy };
  }
  throw new ChartgateError('state-invalid', 'a document of kind account does not say who stood behind it');
}

export function accountOf(document: StoredDocument): Account {
  const read = new Reader('account', document);
  return Object.freeze({
    id: document.id,
    version: document.version,
    organisation: read.text('organisation'),
    login: read.text('login'),
    name: read.text('name'),
    status: read.oneOf('status', ACCOUNT_STATUSES),
    enrolled: read.flag('enrolled'),
    roles: read.texts('roles'),
    patients: read.texts('patients'),
    fhirUser: read.optionalText('fhirUser'),
    provenance: Object.freeze(provenanceOf(read.record('provenance'))),
    createdAt: read.number('createdAt'),
    ...(document.body.elsewhere === true ? { [ELSEWHERE]: true as const } : {}),
  });
}

export function organisationOf(document: StoredDocument): Organisation {
  const read = new Reader('organisation', document);
  return Object.freeze({
    id: document.id,
    version: document.version,
    name: read.text('name'),
    status: read.oneOf('status', ACCOUNT_STATUSES),
    changes: read.number('changes'),
    createdAt: read.number('createdAt'),
  });
}

export function roleOf(document: StoredDocument): Role {
  const read = new Reader('role', document);
  return Object.freeze({
    id: document.id,
    version: document.version,
    organisation: read.text('organisation'),
    name: read.text('name'),
    scopes: read.texts('scopes'),
  });
}

export function requestOf(document: StoredDocument): ApprovalRequest {
  const read = new Reader('approval', document);
  const halves = read.record('halves');
  return Object.freeze({
    id: document.id,
    version: document.version,
    organisation: read.text('organisation'),
    action: read.oneOf('action', REQUEST_ACTIONS),
    subject: read.text('subject'),
    requestedBy: read.text('requestedBy'),
    requestedAt: read.number('requestedAt'),
    expiresAt: read.number('expiresAt'),
    state: read.oneOf('state', ['open', 'approved', 'rejected', 'withdrawn'] as const),
    decidedBy: read.optionalText('decidedBy'),
    decidedAt: read.optionalNumber('decidedAt'),
    change: read.record('change'),
    seen: read.number('seen'),
    halves: Object.entries(halves).map(([account, hash]) => ({ account, hash: String(hash) })),
  });
}

export function passwordOf(document: StoredDocument): PasswordRecord {
  const read = new Reader('password', document);
  return Object.freeze({
    account: document.id,
    version: document.version,
    current: read.optionalText('current'),
    former: read.texts('former'),
    changedAt: read.number('changedAt'),
    temporary: read.flag('temporary'),
  });
}
