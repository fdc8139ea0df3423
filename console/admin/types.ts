import type { Accounts, AdminScope } from '../../identity/accounts/index.ts';

/** Who asks, as the access token said. The server has verified it: signature, issuer, expiry, not revoked. */
export interface AdminCaller {
  /** `sub`: id of the account. */
  readonly account: string;
  readonly scopes: ReadonlySet<string>;
  readonly audience: string;
  /** How the person signed in; undefined counts as too little. */
  readonly acr: string | undefined;
}

/** A request, independent of the server. */
export interface AdminRequest {
  readonly method: string;
  /** As sent, beginning with `/admin`. */
  readonly path: string;
  readonly query: URLSearchParams;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly body: Buffer;
  /** Undefined: no token, or one that is not good. */
  readonly caller: AdminCaller | undefined;
  readonly requestId: string;
}

export interface AdminAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** JSON Schema 2020-12, as OpenAPI 3.1 takes it. */
export type JsonSchema = Readonly<Record<string, unknown>>;

/** What an operation is given: everything in it was validated against the description. */
export interface Call {
  readonly accounts: Accounts;
  readonly actor: string;
  /** Of the path. */
  readonly names: Readonly<Record<string, string>>;
  readonly limit: number;
  readonly after: string | undefined;
  readonly state: string | undefined;
  readonly body: Readonly<Record<string, unknown>>;
  /** The version that `If-Match` names. */
  readonly seen: number | undefined;
  /** `If-None-Match: *`: only if there is none yet. */
  readonly onlyNew: boolean;
}

/** What an operation answers when it did what was asked. */
export interface Done {
  readonly status: number;
  readonly body?: unknown;
  /** Of `ETag`. */
  readonly version?: number;
  readonly location?: string;
}

/** One operation; the server dispatches by these and the description is written from them, so the two agree. */
export interface Operation {
  readonly id: string;
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  /** With names in braces; each is a segment. */
  readonly path: string;
  readonly summary: string;
  readonly description?: string;
  /** Undefined: open to everybody. */
  readonly scope: AdminScope | undefined;
  readonly paged?: true;
  /** Requests can be listed by their state. */
  readonly byState?: true;
  readonly precondition?: 'if-match' | 'if-match-or-new';
  /** Name of a schema. */
  readonly takes?: string;
  /** Status of success, and the name of the schema of its body. */
  readonly gives: readonly [status: number, schema: string | undefined];
  /** Statuses of problems that this operation can have besides those that all have. */
  readonly problems: readonly number[];
  readonly run: (call: Call) => Promise<Done | import('../../identity/accounts/index.ts').Outcome<never>>;
}
