import type { RequestState } from '../../identity/accounts/index.ts';
import { answered, fresh, now, pageOf } from './answering.ts';
import { ACCOUNT_OPERATIONS } from './operations-accounts.ts';
import type { Operation } from './types.ts';
import {
  accountView,
  codeView,
  eventView,
  organisationView,
  pageView,
  requestView,
  roleView,
} from './views.ts';

const ORGANISATION_OPERATIONS: readonly Operation[] = [
  {
    id: 'listOrganisations',
    method: 'GET',
    path: '/admin/organisations',
    summary: 'Organisations that you look after',
    scope: 'admin/organisations.read',
    paged: true,
    gives: [200, 'OrganisationPage'],
    problems: [404],
    run: (call) =>
      answered(call.accounts.looking.organisations(call.actor, pageOf(call)), (listed) => ({
        status: 200,
        body: pageView(listed, organisationView),
      })),
  },
  {
    id: 'createOrganisation',
    method: 'POST',
    path: '/admin/organisations',
    summary: 'Ask for an organisation with its first administrators',
    description: 'Staff only. It waits until another of the Staff approves.',
    scope: 'admin/organisations.write',
    takes: 'NewOrganisation',
    gives: [202, 'OrganisationAsked'],
    problems: [404, 409, 422],
    run: (call) => {
      const { name, administrators } = call.body as {
        name: string;
        administrators: { login: string; name: string }[];
      };
      return answered(
        call.accounts.asking.createOrganisation(call.actor, { name, administrators }),
        async ({ organisation, accounts, request, codes }) => ({
          status: 202,
          body: {
            organisation,
            accounts: (
              await fresh(
                call.accounts,
                accounts.map(({ id }) => id),
              )
            ).map(accountView),
            ...(request ? { request: requestView(request, now()) } : {}),
            codes: codes.map(codeView),
          },
        }),
      );
    },
  },
  {
    id: 'listEvents',
    method: 'GET',
    path: '/admin/organisations/{organisation}/events',
    summary: 'What happened to accounts, roles and requests, in the order of time',
    scope: 'admin/events.read',
    paged: true,
    gives: [200, 'EventPage'],
    problems: [404],
    run: (call) =>
      answered(
        call.accounts.looking.events(call.actor, call.names.organisation ?? '', pageOf(call)),
        (listed) => ({ status: 200, body: pageView(listed, eventView) }),
      ),
  },
];

const ROLE_OPERATIONS: readonly Operation[] = [
  {
    id: 'listRoles',
    method: 'GET',
    path: '/admin/organisations/{organisation}/roles',
    summary: 'Custom roles of an organisation',
    scope: 'admin/roles.read',
    paged: true,
    gives: [200, 'RolePage'],
    problems: [404],
    run: (call) =>
      answered(
        call.accounts.looking.roles(call.actor, call.names.organisation ?? '', pageOf(call)),
        (listed) => ({ status: 200, body: pageView(listed, roleView) }),
      ),
  },
  {
    id: 'setRole',
    method: 'PUT',
    path: '/admin/organisations/{organisation}/roles/{role}',
    summary: 'Ask for a role, new or with other scopes',
    scope: 'admin/roles.write',
    precondition: 'if-match-or-new',
    takes: 'NewRole',
    gives: [202, 'Asked'],
    problems: [404, 412, 422, 428],
    run: (call) => {
      const { organisation = '', role: name = '' } = call.names;
      const { scopes } = call.body as { scopes: string[] };
      return answered(
        call.accounts.asking.setRole(
          call.actor,
          { organisation, name, scopes },
          call.onlyNew ? 0 : call.seen,
        ),
        ({ request, codes }) => ({
          status: 202,
          body: { request: requestView(request, now()), codes: codes.map(codeView) },
          location: `/admin/requests/${request.id}`,
        }),
      );
    },
  },
  {
    id: 'removeRole',
    method: 'DELETE',
    path: '/admin/organisations/{organisation}/roles/{role}',
    summary: 'Remove a role; accounts that have it lose its scopes at once',
    scope: 'admin/roles.write',
    precondition: 'if-match',
    gives: [204, undefined],
    problems: [404, 412, 428],
    run: (call) => {
      const { organisation = '', role: name = '' } = call.names;
      return answered(call.accounts.alone.removeRole(call.actor, organisation, name, call.seen), () => ({
        status: 204,
      }));
    },
  },
];

const REQUEST_OPERATIONS: readonly Operation[] = [
  {
    id: 'listRequests',
    method: 'GET',
    path: '/admin/organisations/{organisation}/requests',
    summary: 'What waits for a second person, and what was decided in the last 90 days',
    description: 'Requests for new organisations are those of the organisation `staff`.',
    scope: 'admin/requests.read',
    paged: true,
    byState: true,
    gives: [200, 'RequestPage'],
    problems: [404],
    run: (call) => {
      const { state } = call;
      return answered(
        call.accounts.looking.requests(
          call.actor,
          call.names.organisation ?? '',
          pageOf(call),
          state as RequestState | undefined,
        ),
        (listed) => ({ status: 200, body: pageView(listed, (request) => requestView(request, now())) }),
      );
    },
  },
  {
    id: 'getRequest',
    method: 'GET',
    path: '/admin/requests/{request}',
    summary: 'One request',
    scope: 'admin/requests.read',
    gives: [200, 'Request'],
    problems: [404],
    run: (call) =>
      answered(call.accounts.looking.request(call.actor, call.names.request ?? ''), (request) => ({
        status: 200,
        body: requestView(request, now()),
      })),
  },
  decision('approveRequest', 'approve', 'Approve what somebody else asked for', [403, 404, 409, 412]),
  decision('rejectRequest', 'reject', 'Refuse it or, of your own, take it back', [403, 404, 409]),
];

function decision(
  id: string,
  what: 'approve' | 'reject',
  summary: string,
  problems: readonly number[],
): Operation {
  return {
    id,
    method: 'POST',
    path: `/admin/requests/{request}/${what}`,
    summary,
    scope: 'admin/requests.decide',
    gives: [200, 'Decided'],
    problems,
    run: (call) =>
      answered(call.accounts.deciding[what](call.actor, call.names.request ?? ''), ({ request, codes }) => ({
        status: 200,
        body: { request: requestView(request, now()), codes: codes.map(codeView) },
      })),
  };
}

/** Every operation of the interface but its own description. */
export const OPERATIONS: readonly Operation[] = Object.freeze([
  ...ORGANISATION_OPERATIONS,
  ...ACCOUNT_OPERATIONS,
  ...ROLE_OPERATIONS,
  ...REQUEST_OPERATIONS,
]);
