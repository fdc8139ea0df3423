import type { JsonBody, StateOperation } from '../../contracts/state.ts';
import { halfHash, joinHalves, newHalf } from './codes.ts';
import type { Account, ApprovalRequest, Grants, RequestAction } from './model.ts';
import { newId, requestDocument } from './repository.ts';
import { administers, type Concern } from './rules.ts';
import type { View } from './transaction.ts';

/** A half, or both, of a one-time code, for the person who shall hand it on. Shown once, kept nowhere. */
export interface IssuedCode {
  readonly account: string;
  readonly login: string;
  readonly part: 'first half' | 'second half' | 'whole code';
  readonly text: string;
}

export interface Asked {
  readonly request: ApprovalRequest;
  /** For whoever asked. */
  readonly codes: readonly IssuedCode[];
}

export interface RequestInput {
  readonly organisation: string;
  readonly action: RequestAction;
  readonly subject: string;
  readonly change: JsonBody;
  readonly seen: number;
  /** Accounts that get a code when it is approved. */
  readonly coded: readonly Pick<Account, 'id' | 'login'>[];
}

/** A new request with its step. The first halves of its codes go to whoever asks. */
export function newRequest(
  { actor, now }: Pick<View, 'actor' | 'now'>,
  lifetimeMs: number,
  input: RequestInput,
): Asked & { readonly step: StateOperation } {
  const { coded, ...rest } = input;
  const codes = coded.map(({ id, login }) => ({
    account: id,
    login,
    part: 'first half' as const,
    text: newHalf(),
  }));
  const fields: Omit<ApprovalRequest, 'id' | 'version'> = {
    ...rest,
    requestedBy: actor.id,
    requestedAt: now,
    expiresAt: now + lifetimeMs,
    state: 'open',
    decidedBy: undefined,
    decidedAt: undefined,
    halves: codes.map(({ account, text }) => ({ account, hash: halfHash(text) })),
  };
  const id = newId();
  return {
    // Nobody replaces it by this version: whoever decides reads it first.
    request: Object.freeze({ id, version: 0, ...fields }),
    codes,
    step: { do: 'insert', kind: 'approval', id, document: requestDocument(fields) },
  };
}

/** The step that makes a code usable, once both halves are known to be there. */
export function codeStep(
  account: string,
  firstHash: string,
  second: string,
  expiresAt: number,
): StateOperation {
  return {
    do: 'insert',
    kind: 'account-code',
    id: firstHash,
    document: { body: { account, second: halfHash(second) }, indexes: { account }, expiresAt },
  };
}

/** A code of which one person sees both halves: only while there is no second one. */
export function wholeCode(
  account: Pick<Account, 'id' | 'login'>,
  expiresAt: number,
): { readonly code: IssuedCode; readonly step: StateOperation } {
  const [first, second] = [newHalf(), newHalf()];
  return {
    code: {
      account: account.id,
      login: account.login,
      part: 'whole code',
      text: joinHalves(first, second),
    },
    step: codeStep(account.id, halfHash(first), second, expiresAt),
  };
}

/** What a request is about, in the words of the rules. */
export function concernOf(request: ApprovalRequest, account: Account | undefined): Concern {
  const { action, organisation } = request;
  if (action === 'create-organisation') return { organisation, account: undefined, about: 'organisation' };
  if (action === 'set-role') return { organisation, account: undefined, about: 'role' };
  const wanted = request.change.roles;
  const after = Array.isArray(wanted) ? wanted.map(String) : [];
  const administrator =
    (account !== undefined && administers(account)) || administers({ organisation, roles: after });
  return { organisation, account: request.subject, about: administrator ? 'administrator' : 'user' };
}

export const concernOfAccount = (account: Account): Concern => ({
  organisation: account.organisation,
  account: account.id,
  about: administers(account) ? 'administrator' : 'user',
});

export const grantsBody = ({ roles, patients, fhirUser }: Grants): JsonBody => ({
  roles,
  patients,
  fhirUser: fhirUser ?? null,
});

export function grantsFrom(body: JsonBody): Grants {
  const list = (value: unknown): readonly string[] => (Array.isArray(value) ? value.map(String) : []);
  return {
    roles: list(body.roles),
    patients: list(body.patients),
    fhirUser: typeof body.fhirUser === 'string' ? body.fhirUser : undefined,
  };
}
