import {
  type Account,
  type ApprovalRequest,
  type IssuedCode,
  stateOf,
} from '../../identity/accounts/index.ts';
import { EXIT } from '../output.ts';

/** How accounts, requests and codes are printed for people. Names were parsed: no control characters are in them. */

const time = (milliseconds: number): string =>
  new Date(milliseconds).toISOString().slice(0, 16).replace('T', ' ');

export const accountLine = ({ login, status, roles, name, id, enrolled }: Account): string =>
  `${login}  ${status}${status === 'active' && !enrolled ? ', not enrolled' : ''}  ${roles.join(',')}  ${name}  ${id}`;

export function accountText(account: Account): string {
  const { provenance: behind } = account;
  const people =
    behind.by === 'two'
      ? `asked for by ${behind.requestedBy}, approved by ${behind.approvedBy}`
      : behind.by === 'bootstrap'
        ? 'made before there was anybody to approve'
        : `asked for by ${behind.requestedBy}, not approved yet`;
  return [
    accountLine(account),
    `  organisation ${account.organisation}, since ${time(account.createdAt)}`,
    `  ${people}`,
    ...(account.patients.length > 0 ? [`  patients ${account.patients.join(', ')}`] : []),
    ...(account.fhirUser === undefined ? [] : [`  FHIR person ${account.fhirUser}`]),
  ].join('\n');
}

export function requestLine(request: ApprovalRequest): string {
  const { id, action, subject, requestedBy, expiresAt, change } = request;
  const state = stateOf(request, Date.now());
  return `${id}  ${action}  ${state}${state === 'open' ? ` until ${time(expiresAt)}` : ''}  ${subject}  by ${requestedBy}  ${JSON.stringify(change)}`;
}

export const requestJson = (request: ApprovalRequest) => {
  const { halves: _, ...rest } = request;
  return { ...rest, state: stateOf(request, Date.now()) };
};

export function codesText(codes: readonly IssuedCode[]): string {
  if (codes.length === 0) return '';
  return [
    '',
    'Shown this once. Give each to the person whose account it is, and to nobody else:',
    ...codes.map(({ login, part, text }) => `  ${login}  ${part}: ${text}`),
    ...(codes.some(({ part }) => part === 'first half')
      ? ['Whoever approves gets the second half. Both together set a password, once.']
      : []),
  ].join('\n');
}

export function askedText(request: ApprovalRequest | undefined, codes: readonly IssuedCode[]): string {
  const waits =
    request === undefined
      ? 'Done: there is nobody yet who could approve.'
      : `Asked for. Another person approves it: chartgate approval approve ${request.id} --as LOGIN --config FILE`;
  return `${waits}${codesText(codes)}`;
}

export const NOTES = `
Run it on the issuer's host as the issuer's OS user. Without --as it is that user who acts, the first of the Staff:
it makes organisations, Staff and administrators, and has no say in other accounts. With --as the password, and the
code of the second factor where there is one, are asked for; not at a terminal they are lines of standard input.

Exit codes: ${EXIT.ok} done or asked for, ${EXIT.finding} a rule refused it, ${EXIT.usage} wrong usage or credentials, ${EXIT.configuration} faulty
settings, ${EXIT.unavailable} the store cannot be reached.`;
