import { ChartgateError } from '../../contracts/errors.ts';
import { ACR } from '../../contracts/issuer-link.ts';
import type { Accounts, Outcome } from '../../identity/accounts/index.ts';
import { DESCRIPTION_PATH, openApi, queryNames, USUAL_PER_PAGE } from './openapi.ts';
import { OPERATIONS } from './operations.ts';
import { type ProblemName, problem, type RequestFault } from './problems.ts';
import type { AdminAnswer, AdminRequest, Call, Done, Operation } from './types.ts';
import { Validation } from './validation.ts';

export type { AdminAnswer, AdminCaller, AdminRequest } from './types.ts';

export interface AdminOptions {
  readonly accounts: Accounts;
  /** URL of the embedded issuer, which is also the audience of tokens for this interface. */
  readonly issuer: string;
  /** Told of a fault of ours, with the request's id; never with what was in the request. */
  readonly failed?: (requestId: string, what: string) => void;
}

/** Bytes. */
export const LARGEST_BODY = 64 * 1024;

/** The issuer itself is the resource: a token for a tenant's API is none for the administration. */
export const adminAudience = (issuer: string): string => issuer;

/** What a request says, once it was read; or what is wrong with it. */
type Read = { readonly ok: true; readonly call: Call } | { readonly ok: false; readonly answer: AdminAnswer };

/**
 * The administration of accounts over HTTP, independent of any server. It never throws. Order of the checks: the
 * operation, the token, its audience and scope, the second factor, the request's form; what the account may do is
 * decided by `identity/accounts` from its state now, not from the token.
 */
export class Admin {
  readonly #options: AdminOptions;
  readonly #validation = new Validation();
  readonly #description: string;

  constructor(options: AdminOptions) {
    this.#options = options;
    this.#description = JSON.stringify(openApi(options.issuer));
  }

  async answer(request: AdminRequest): Promise<AdminAnswer> {
    const { requestId } = request;
    try {
      return await this.#answer(request);
    } catch (error) {
      const down = error instanceof ChartgateError && error.code === 'state-unavailable';
      this.#options.failed?.(requestId, down ? 'state-unavailable' : 'admin-failed');
      return problem(down ? 'unavailable' : 'internal-error', requestId);
    }
  }

  async #answer(request: AdminRequest): Promise<AdminAnswer> {
    const { method, path, requestId } = request;
    if (path === DESCRIPTION_PATH) {
      if (method !== 'GET') return problem('method-not-allowed', requestId, { headers: { allow: 'GET' } });
      return { status: 200, headers: { 'content-type': 'application/json' }, body: this.#description };
    }
    const found = find(method, path);
    if (found.operation === undefined) {
      if (found.allowed.length === 0) return problem('no-such-operation', requestId);
      return problem('method-not-allowed', requestId, { headers: { allow: found.allowed.join(', ') } });
    }
    const { operation, names } = found;
    const refusal = this.#unauthorised(operation, request);
    if (refusal !== undefined) return refusal;
    const read = this.#read(operation, names, request);
    if (!read.ok) return read.answer;
    const outcome = await operation.run(read.call);
    return 'ok' in outcome ? refused(outcome, read.call, requestId) : this.#done(operation, outcome);
  }

  #unauthorised(operation: Operation, { caller, requestId }: AdminRequest): AdminAnswer | undefined {
    const { scope } = operation;
    if (scope === undefined) return undefined;
    const challenge = (more: string) => ({ headers: { 'www-authenticate': `Bearer${more}` } });
    if (caller === undefined || caller.audience !== adminAudience(this.#options.issuer)) {
      return problem('not-authenticated', requestId, challenge(caller ? ' error="invalid_token"' : ''));
    }
    if (!caller.scopes.has(scope)) {
      return problem(
        'insufficient-scope',
        requestId,
        challenge(` error="insufficient_scope", scope="${scope}"`),
      );
    }
    if (caller.acr !== ACR.two && caller.acr !== ACR.resistant) {
      // RFC 9470 §3
      const more = ` error="insufficient_user_authentication", acr_values="${ACR.two}"`;
      return problem('second-factor-needed', requestId, challenge(more));
    }
    return undefined;
  }

  #read(operation: Operation, names: Call['names'], request: AdminRequest): Read {
    const { headers, query, requestId, caller } = request;
    const wrong = (name: ProblemName, faults?: readonly RequestFault[]): Read => ({
      ok: false,
      answer: problem(name, requestId, faults ? { faults } : {}),
    });
    const asked = this.#query(operation, query);
    const faults = [...asked.faults];
    const version = preconditionOf(operation, headers);
    if (version === 'absent') return wrong('precondition-needed');
    if (version === 'malformed')
      faults.push({ at: 'header If-Match', message: 'must be one version in quotation marks' });
    let body: unknown = {};
    if (operation.takes !== undefined) {
      if (request.body.length > LARGEST_BODY) return wrong('body-too-large');
      if (!/^application\/json\s*(?:;\s*charset=utf-8)?$/i.test(headers['content-type'] ?? ''))
        return wrong('not-json');
      const parsed = parseJson(request.body);
      if (parsed === undefined) faults.push({ at: 'body', message: 'is not JSON' });
      else faults.push(...this.#validation.faults(operation.takes, parsed.value));
      body = parsed?.value ?? {};
    } else if (request.body.length > 0) {
      faults.push({ at: 'body', message: 'must be empty' });
    }
    if (faults.length > 0 || version === 'malformed') return wrong('malformed-request', faults);
    return {
      ok: true,
      call: {
        accounts: this.#options.accounts,
        actor: caller?.account ?? '',
        names,
        limit: asked.limit,
        after: asked.after,
        state: asked.state,
        body: body as Call['body'],
        seen: typeof version === 'number' ? version : undefined,
        onlyNew: version === 'new',
      },
    };
  }

  #query(operation: Operation, query: URLSearchParams) {
    const allowed = queryNames(operation);
    const faults: RequestFault[] = [];
    for (const name of new Set(query.keys())) {
      const known = allowed.find((each) => each === name);
      if (known === undefined) {
        faults.push({ at: 'query', message: 'has a parameter that this operation does not know' });
      } else if (query.getAll(name).length > 1) {
        faults.push({ at: `query ${name}`, message: 'is given more than once' });
      } else {
        const text = query.get(name) ?? '';
        faults.push(
          ...this.#validation.query(known, known === 'limit' && /^\d{1,6}$/.test(text) ? Number(text) : text),
        );
      }
    }
    return {
      faults,
      limit: Number(query.get('limit') ?? USUAL_PER_PAGE),
      after: query.get('after') ?? undefined,
      state: query.get('state') ?? undefined,
    };
  }

  /** What is not as the description says is a fault of ours and does not go out. */
  #done(operation: Operation, done: Done): AdminAnswer {
    const [status, schema] = operation.gives;
    const { body, version, location } = done;
    const asDescribed =
      done.status === status &&
      (schema === undefined ? body === undefined : this.#validation.faults(schema, body).length === 0);
    if (!asDescribed) throw new TypeError(`the answer of ${operation.id} is not as described`);
    return {
      status,
      headers: {
        'cache-control': 'no-store',
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...(version === undefined ? {} : { etag: `"${version}"` }),
        ...(location === undefined ? {} : { location }),
      },
      body: body === undefined ? '' : JSON.stringify(body),
    };
  }
}

const NAME = /^[A-Za-z0-9_-]{1,64}$/;

/** The operation of this method and path; without one, the methods that there are. */
function find(
  method: string,
  path: string,
): { operation: Operation; names: Call['names'] } | { operation: undefined; allowed: readonly string[] } {
  const given = path.split('/');
  const allowed: string[] = [];
  for (const operation of OPERATIONS) {
    const names = match(operation.path.split('/'), given);
    if (names === undefined) continue;
    if (operation.method === method) return { operation, names };
    allowed.push(operation.method);
  }
  return { operation: undefined, allowed };
}

function match(wanted: readonly string[], given: readonly string[]): Call['names'] | undefined {
  if (wanted.length !== given.length) return undefined;
  const names: Record<string, string> = {};
  for (const [i, part] of wanted.entries()) {
    const text = given[i] ?? '';
    if (!part.startsWith('{')) {
      if (part !== text) return undefined;
    } else {
      if (!NAME.test(text)) return undefined;
      names[part.slice(1, -1)] = text;
    }
  }
  return names;
}

function preconditionOf(
  { precondition }: Operation,
  headers: AdminRequest['headers'],
): number | 'new' | 'absent' | 'malformed' | undefined {
  if (precondition === undefined) return undefined;
  const [one, none] = [headers['if-match'], headers['if-none-match']];
  if (none !== undefined) {
    return precondition === 'if-match-or-new' && one === undefined && none === '*' ? 'new' : 'malformed';
  }
  if (one === undefined) return 'absent';
  const [, digits] = /^"(\d{1,16})"$/.exec(one) ?? [];
  const version = Number(digits);
  return digits !== undefined && Number.isSafeInteger(version) ? version : 'malformed';
}

function parseJson(body: Buffer): { readonly value: unknown } | undefined {
  try {
    return { value: JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body)) };
  } catch {
    return undefined;
  }
}

function refused(outcome: Outcome<never>, call: Call, requestId: string): AdminAnswer {
  if (outcome.ok) throw new TypeError('a refusal was expected');
  const { reason, detail } = outcome;
  // Names of fields, roles and states: no values of people.
  const answer = problem(reason, requestId, { detail });
  // RFC 9110 §13.1.1: 412 belongs to a precondition; without one it is a conflict.
  if (reason !== 'changed-meanwhile' || call.seen !== undefined || call.onlyNew) return answer;
  return { ...answer, status: 409, body: JSON.stringify({ ...JSON.parse(answer.body), status: 409 }) };
}
