import type { Secret } from './secret.ts';

/**
 * What the gateway and the embedded issuer must remember: sessions, accounts, factors, clients. One narrow
 * store of documents with versions, so that SQLite and MySQL promise the same (`identity/state`).
 *
 * Nothing in it may let the holder of a dump sign in: identifiers of sessions, codes and secrets are kept as
 * hashes, what must be read again is sealed (`identity/state/seal.ts`), passwords are Argon2id.
 */

/** How documents of one kind can be found besides by their id. */
export interface KindShape {
  /** Names of values that documents may be found by. */
  readonly indexes: readonly string[];
  /** Of these, the ones whose value no two live documents of the kind may share. */
  readonly unique: readonly string[];
}

const kind = (indexes: readonly string[] = [], unique: readonly string[] = []): KindShape =>
  Object.freeze({ indexes: Object.freeze(indexes), unique: Object.freeze(unique) });

/** Every kind of document. Closed: a store refuses a kind, or an index, that is not here. */
export const STATE_KINDS = Object.freeze({
  // Browsers at the gateway (identity/sessions): ids are hashes of what the cookie holds.
  session: kind(['tenant', 'principal', 'issuerSession']),
  'sign-in': kind(),
  'held-form': kind(['session']),
  'logout-token': kind(),

  // Second factors (identity/factors); `principal` is the hash of issuer and subject.
  totp: kind(['principal'], ['principal']),
  'recovery-code': kind(['principal']),
  passkey: kind(['principal']),
  challenge: kind(['principal']),
  'used-code': kind(),
  'factor-reset': kind(['principal']),

  // Failed attempts and lockouts.
  attempts: kind(),
  // Whom the enumeration guard locked; ids are hashes of tenant and principal.
  'guard-lock': kind(),

  // Accounts of the embedded issuer (identity/accounts).
  organisation: kind(['name'], ['name']),
  account: kind(['organisation', 'login'], ['login']),
  password: kind(['account']),
  approval: kind(['organisation', 'subject']),
  role: kind(['organisation', 'name']),
  'account-code': kind(['account']),
  'account-event': kind(['organisation']),

  // API clients (identity/clients).
  client: kind(['tenant', 'clientId'], ['clientId']),
  'client-secret': kind(['client']),
  'client-event': kind(['client']),

  // What patients share (identity/consents), and emergency access (identity/emergency). `record`: hash of tenant and
  // patient; `principal`: of issuer and subject. `sharing-feed` has one document, the number of the last change.
  consent: kind(['tenant', 'record']),
  emergency: kind(['tenant', 'principal']),
  'sharing-feed': kind(),
  'sharing-change': kind(),
  'sharing-note': kind(),

  // The embedded issuer (identity/issuer): models of `oidc-provider`, and its sealed signing keys.
  'signing-key': kind(),
  'issuer-model': kind(['model', 'grant', 'uid', 'userCode', 'account']),
  revocation: kind(['subject']),
} as const);
export type StateKind = keyof typeof STATE_KINDS;

/** Where the documents are. */
export type StateSettings = SqliteStateSettings | MysqlStateSettings;

/** A file on a local disk, shared by the processes of one machine and one OS user. */
export interface SqliteStateSettings {
  readonly kind: 'sqlite';
  /** Absolute. Made when missing, mode 0600; its folder must be there, of this user, closed to all others. */
  readonly file: string;
}

/** MySQL from 8.0 or MariaDB from 10.6, shared by several machines whose clocks agree. */
export interface MysqlStateSettings {
  readonly kind: 'mysql';
  /** Either `host` and `port`, or `socketPath`. */
  readonly host: string | undefined;
  readonly port: number | undefined;
  readonly socketPath: string | undefined;
  readonly database: string;
  readonly user: string;
  readonly password: Secret;
  /** PEM of the authority of the server's certificate. With it TLS is used; beyond loopback it must be given. */
  readonly authority: Buffer | undefined;
}

/** What no document may exceed. */
export const STATE_LIMITS = Object.freeze({
  /** Characters of an id, printable ASCII. */
  id: 191,
  /** Characters (UTF-16 units) of an index's value. */
  value: 255,
  /** Bytes of a body as JSON, in UTF-8. */
  body: 1_048_576,
  /** Documents of one page. */
  page: 1_000,
  /** Operations of one commit. */
  operations: 100,
});

/**
 * Kinds of which the last second may be lost when the power fails (never when a process ends): counts of failed
 * guesses, of which there are many, and of which one that is forgotten is one more guess. Whatever makes a code
 * or a token used is on the disk before it is confirmed.
 */
export const LOOSE_KINDS: ReadonlySet<StateKind> = new Set<StateKind>(['attempts']);

export type JsonValue =
  | null
  | boolean
  | number
  | string
  | readonly JsonValue[]
  | { readonly [name: string]: JsonValue };
export type JsonBody = { readonly [name: string]: JsonValue };

/** A document as somebody wants it kept. */
export interface NewDocument {
  /** At most 1 MiB as JSON; no numbers but finite ones. */
  readonly body: JsonBody;
  /** Values of the kind's indexes; an index without a value finds nothing. At most 255 characters each, well-formed Unicode. */
  readonly indexes?: Readonly<Record<string, string>>;
  /** Wall-clock milliseconds from which on the document does not exist any more; never when undefined. */
  readonly expiresAt?: number | undefined;
}

/** A document as it was found. Frozen. */
export interface StoredDocument extends NewDocument {
  readonly id: string;
  /**
   * A positive integer that grows with every replacement and begins anywhere: a document that was made again
   * under the id of one that is gone cannot be replaced by whoever still knows that one's version.
   */
  readonly version: number;
  readonly indexes: Readonly<Record<string, string>>;
  readonly expiresAt: number | undefined;
  /** Wall-clock milliseconds. */
  readonly createdAt: number;
}

/** One step of a change that happens whole or not at all. */
export type StateOperation =
  /** Fails where the id, or the value of a unique index, is taken by a live document. */
  | {
      readonly do: 'insert';
      readonly kind: StateKind;
      readonly id: string;
      readonly document: NewDocument;
    }
  /** Fails where the document is not there in that version. */
  | {
      readonly do: 'replace';
      readonly kind: StateKind;
      readonly id: string;
      readonly version: number;
      readonly document: NewDocument;
    }
  | {
      readonly do: 'remove';
      readonly kind: StateKind;
      readonly id: string;
      readonly version: number;
    };

/**
 * Ids are at most 191 characters of printable ASCII. Every method rejects with `state-unavailable` where the
 * store cannot be asked or written, and with `state-invalid` for a kind, index, id or size that it does not
 * take; nothing else. A document that has expired is not found, whether or not it was purged yet.
 */
export interface StateStore {
  get(kind: StateKind, id: string): Promise<StoredDocument | undefined>;
  /** In order of id. @param limit at most 1,000 */
  find(
    kind: StateKind,
    index: string,
    value: string,
    options?: { readonly limit?: number; readonly after?: string },
  ): Promise<readonly StoredDocument[]>;
  /** Every live document of a kind, page by page in order of id. */
  list(
    kind: StateKind,
    options?: { readonly limit?: number; readonly after?: string },
  ): Promise<readonly StoredDocument[]>;
  /** False, with nothing changed, where the id or a unique value is taken: of many at once exactly one gets true. */
  insert(kind: StateKind, id: string, document: NewDocument): Promise<boolean>;
  /** False, with nothing changed, where the version is another by now. */
  replace(kind: StateKind, id: string, version: number, document: NewDocument): Promise<boolean>;
  /** Whether there was a live one. */
  remove(kind: StateKind, id: string): Promise<boolean>;
  /** Finds and removes in one: of many at once exactly one gets the document. */
  take(kind: StateKind, id: string): Promise<StoredDocument | undefined>;
  removeAll(kind: StateKind, index: string, value: string): Promise<number>;
  /** All of them or, with false, none. At most 100. */
  commit(operations: readonly StateOperation[]): Promise<boolean>;
  /** Removes what has expired, a bounded number at a time. Returns how many. */
  purge(): Promise<number>;
  /** The store answers and can be written. */
  healthy(): Promise<boolean>;
  close(): Promise<void>;
}
