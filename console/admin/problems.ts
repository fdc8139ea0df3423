import type { Refusal } from '../../identity/accounts/index.ts';
import type { AdminAnswer } from './types.ts';

/** Problems of the interface itself; those of the rules have the names of `Refusal`. */
export const OWN_PROBLEMS = {
  'malformed-request': [400, 'The request is not as the description says.'],
  'not-authenticated': [401, 'A valid access token for the administration is needed.'],
  'insufficient-scope': [403, 'The access token does not carry the scope that this needs.'],
  'second-factor-needed': [403, 'Administration needs a sign-in with a second factor.'],
  'no-such-operation': [404, 'There is no such operation.'],
  'method-not-allowed': [405, 'There is no such method here.'],
  'body-too-large': [413, 'The body is too large.'],
  'not-json': [415, 'The body must be application/json.'],
  'precondition-needed': [428, 'Say with If-Match which version you have looked at.'],
  'internal-error': [500, 'Something went wrong here. It is in the log, by this request id.'],
  unavailable: [503, 'Accounts cannot be reached at the moment.'],
} as const satisfies Readonly<Record<string, readonly [number, string]>>;

/** The rules say why, since whoever gets this answer has a say in the matter. */
export const RULE_PROBLEMS: Readonly<Record<Refusal, readonly [status: number, title: string]>> = {
  'not-permitted': [404, 'There is no such thing, or you have no say in it.'],
  'own-account': [403, 'Nobody does this for himself.'],
  'own-request': [403, 'Nobody approves what he asked for.'],
  'requester-gone': [403, 'Whoever asked is no administrator any more.'],
  'request-closed': [409, 'The request was decided already.'],
  'request-expired': [409, 'The request has expired.'],
  'last-administrators': [409, 'At least two administrators must stay.'],
  'changed-meanwhile': [412, 'It was changed since you have looked at it.'],
  'wrong-status': [409, 'The account is not in a state in which this can be done.'],
  'not-found': [404, 'There is no such thing any more.'],
  'login-taken': [409, 'The login is taken.'],
  'name-taken': [409, 'The name is taken.'],
  'unknown-role': [422, 'There is no such role in the organisation.'],
  invalid: [422, 'A value has not the form that it must have.'],
};

export type ProblemName = keyof typeof OWN_PROBLEMS | Refusal;

export const PROBLEM_NAMES = [...Object.keys(OWN_PROBLEMS), ...Object.keys(RULE_PROBLEMS)] as ProblemName[];

const isOwn = (name: ProblemName): name is keyof typeof OWN_PROBLEMS => Object.hasOwn(OWN_PROBLEMS, name);

/** One place in the request, and what is wrong there. Never the value. */
export interface RequestFault {
  /** `body` with a JSON pointer, `query` or `path` with a name. */
  readonly at: string;
  readonly message: string;
}

/** RFC 9457. */
export function problem(
  name: ProblemName,
  requestId: string,
  more: {
    readonly detail?: string | undefined;
    readonly faults?: readonly RequestFault[];
    readonly headers?: Readonly<Record<string, string>>;
  } = {},
): AdminAnswer {
  const [status, title] = isOwn(name) ? OWN_PROBLEMS[name] : RULE_PROBLEMS[name];
  const { detail, faults, headers = {} } = more;
  return {
    status,
    headers: { 'content-type': 'application/problem+json', 'cache-control': 'no-store', ...headers },
    body: JSON.stringify({ type: `urn:chartgate:problem:${name}`, title, status, detail, faults, requestId }),
  };
}
