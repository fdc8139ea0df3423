import type {
  Account,
  AccountDetails,
  ApprovalRequest,
  IssuedCode,
  KeptEvent,
  Listed,
  Organisation,
  Role,
} from '../../identity/accounts/index.ts';
import { stateOf } from '../../identity/accounts/index.ts';

/** What of accounts goes out, in the words of the description. Nothing goes out that is not named here. */

const time = (milliseconds: number): string => new Date(milliseconds).toISOString();

export const organisationView = ({ id, status, createdAt }: Organisation) => ({
  id,
  status,
  createdAt: time(createdAt),
});

export function accountView(account: Account) {
  const { id, version, organisation, login, name, status, enrolled, roles, patients, fhirUser } = account;
  const { provenance, createdAt } = account;
  return {
    id,
    version,
    organisation,
    login,
    name,
    status,
    enrolled,
    roles,
    patients,
    ...(fhirUser === undefined ? {} : { fhirUser }),
    behind:
      provenance.by === 'two'
        ? [provenance.requestedBy, provenance.approvedBy]
        : provenance.by === 'nobody-yet'
          ? [provenance.requestedBy]
          : [],
    createdAt: time(createdAt),
  };
}

export function requestView(request: ApprovalRequest, now: number) {
  const { id, organisation, action, subject, requestedBy, requestedAt, expiresAt, change } = request;
  const { decidedBy, decidedAt } = request;
  return {
    id,
    organisation,
    action,
    subject,
    requestedBy,
    requestedAt: time(requestedAt),
    expiresAt: time(expiresAt),
    state: stateOf(request, now),
    ...(decidedBy === undefined ? {} : { decidedBy }),
    ...(decidedAt === undefined ? {} : { decidedAt: time(decidedAt) }),
    change,
  };
}

export const codeView = ({ account, login, part, text }: IssuedCode) => ({ account, login, part, text });

export const detailsView = ({ account, password, lockedFor, requests }: AccountDetails, now: number) => ({
  account: accountView(account),
  password: {
    set: password.set,
    mustChange: password.temporary,
    ...(password.changedAt === undefined ? {} : { changedAt: time(password.changedAt) }),
  },
  ...(lockedFor === undefined ? {} : { lockedForSeconds: lockedFor }),
  requests: requests.map((request) => requestView(request, now)),
});

export const roleView = ({ organisation, name, version, scopes }: Role) => ({
  organisation,
  name,
  version,
  scopes,
});

export const eventView = ({ id, what, subject, actor, at, details }: KeptEvent) => ({
  id,
  what,
  subject,
  actor,
  at: time(at),
  details,
});

export const pageView = <T, V>({ items, next }: Listed<T>, view: (item: T) => V) => ({
  items: items.map(view),
  ...(next === undefined ? {} : { next }),
});
