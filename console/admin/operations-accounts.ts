import type { Account, Asked, GrantsInput, Outcome } from '../../identity/accounts/index.ts';
import { answered, fresh, now, pageOf } from './answering.ts';
import type { Call, Done, Operation } from './types.ts';
import { accountView, codeView, detailsView, pageView, requestView } from './views.ts';

const asked = ({ request, codes }: Asked): Done => ({
  status: 202,
  body: { request: requestView(request, now()), codes: codes.map(codeView) },
  location: `/admin/requests/${request.id}`,
});

const id = (call: Call): string => call.names.account ?? '';

const grantsOf = (body: Call['body']): GrantsInput => {
  const { roles, patients, fhirUser } = body as {
    roles: string[];
    patients?: string[];
    fhirUser?: string;
  };
  return { roles, patients, fhirUser };
};

/** Something done to an account at once; answers with the account as it is then. */
function atOnce(
  operation: Pick<Operation, 'id' | 'path' | 'summary' | 'problems'> &
    Pick<Operation, 'precondition' | 'description'>,
  act: (call: Call) => Promise<Outcome<Account>>,
): Operation {
  return {
    method: 'POST',
    scope: 'admin/accounts.write',
    gives: [200, 'Account'],
    ...operation,
    run: (call) =>
      answered(act(call), async (before) => {
        const [account = before] = await fresh(call.accounts, [before.id]);
        return { status: 200, body: accountView(account), version: account.version };
      }),
  };
}

export const ACCOUNT_OPERATIONS: readonly Operation[] = [
  {
    id: 'listAccounts',
    method: 'GET',
    path: '/admin/organisations/{organisation}/accounts',
    summary: 'Accounts of an organisation',
    description: 'Staff see the administrators of an organisation that is not theirs, and nobody else.',
    scope: 'admin/accounts.read',
    paged: true,
    gives: [200, 'AccountPage'],
    problems: [404],
    run: (call) =>
      answered(
        call.accounts.looking.accounts(call.actor, call.names.organisation ?? '', pageOf(call)),
        (listed) => ({ status: 200, body: pageView(listed, accountView) }),
      ),
  },
  {
    id: 'createAccount',
    method: 'POST',
    path: '/admin/organisations/{organisation}/accounts',
    summary: 'Ask for an account',
    description: 'It can do nothing until another administrator approves. Its login is reserved until then.',
    scope: 'admin/accounts.write',
    takes: 'NewAccount',
    gives: [202, 'AccountAsked'],
    problems: [404, 409, 422],
    run: (call) => {
      const { login, name } = call.body as { login: string; name: string };
      const organisation = call.names.organisation ?? '';
      return answered(
        call.accounts.asking.createAccount(call.actor, { organisation, login, name, ...grantsOf(call.body) }),
        async (made) => {
          const [account = made.account] = await fresh(call.accounts, [made.account.id]);
          return {
            status: 202,
            body: {
              account: accountView(account),
              ...(made.request ? { request: requestView(made.request, now()) } : {}),
              codes: made.codes.map(codeView),
            },
            location: `/admin/accounts/${account.id}`,
          };
        },
      );
    },
  },
  {
    id: 'getAccount',
    method: 'GET',
    path: '/admin/accounts/{account}',
    summary: 'One account, with the state of its password and the requests about it',
    scope: 'admin/accounts.read',
    gives: [200, 'AccountDetails'],
    problems: [404],
    run: (call) =>
      answered(call.accounts.looking.account(call.actor, id(call)), (details) => ({
        status: 200,
        body: detailsView(details, now()),
        version: details.account.version,
      })),
  },
  {
    id: 'changeGrants',
    method: 'PUT',
    path: '/admin/accounts/{account}/grants',
    summary: 'Ask for other roles, patients or FHIR person of an account',
    scope: 'admin/accounts.write',
    precondition: 'if-match',
    takes: 'Grants',
    gives: [202, 'Asked'],
    problems: [403, 404, 409, 412, 422, 428],
    run: (call) =>
      answered(
        call.accounts.asking.changeAccount(call.actor, id(call), grantsOf(call.body), call.seen),
        asked,
      ),
  },
  {
    id: 'removeAccount',
    method: 'DELETE',
    path: '/admin/accounts/{account}',
    summary: 'Remove an account for good',
    scope: 'admin/accounts.write',
    precondition: 'if-match',
    gives: [204, undefined],
    problems: [403, 404, 409, 412, 428],
    run: (call) =>
      answered(call.accounts.alone.removeAccount(call.actor, id(call), call.seen), () => ({ status: 204 })),
  },
  atOnce(
    {
      id: 'disableAccount',
      path: '/admin/accounts/{account}/disable',
      summary: 'Disable an account; its tokens and sessions end at once',
      precondition: 'if-match',
      problems: [403, 404, 409, 412, 428],
    },
    (call) => call.accounts.alone.disableAccount(call.actor, id(call), call.seen),
  ),
  {
    id: 'enableAccount',
    method: 'POST',
    path: '/admin/accounts/{account}/enable',
    summary: 'Ask that a disabled account be enabled again',
    scope: 'admin/accounts.write',
    gives: [202, 'Asked'],
    problems: [403, 404, 409],
    run: (call) => answered(call.accounts.asking.enableAccount(call.actor, id(call)), asked),
  },
  {
    id: 'resetPassword',
    method: 'POST',
    path: '/admin/accounts/{account}/reset-password',
    summary: 'Ask for a one-time code for whoever lost the password',
    description:
      'When another administrator approves, the present password ends. Whoever asked has one half of the code, whoever approved the other.',
    scope: 'admin/accounts.write',
    gives: [202, 'Asked'],
    problems: [403, 404, 409],
    run: (call) =>
      answered(call.accounts.asking.resetPassword(call.actor, id(call)), (value) => {
        // Without a request only what the host does at its own machine.
        if (value.request === undefined) throw new TypeError('the host does not use this interface');
        return asked({ request: value.request, codes: value.codes });
      }),
  },
  {
    id: 'resetFactors',
    method: 'POST',
    path: '/admin/accounts/{account}/reset-factors',
    summary: 'Ask that the second factors of whoever lost them be removed',
    description:
      'When another administrator approves, every factor is gone, its sessions and tokens end, and the next sign-in enrols anew.',
    scope: 'admin/accounts.write',
    gives: [202, 'Asked'],
    problems: [403, 404, 409],
    run: (call) => answered(call.accounts.asking.resetFactors(call.actor, id(call)), asked),
  },
  atOnce(
    {
      id: 'unlockAccount',
      path: '/admin/accounts/{account}/unlock',
      summary: 'End the wait after too many failed sign-ins',
      problems: [403, 404],
    },
    (call) => call.accounts.alone.unlockAccount(call.actor, id(call)),
  ),
  atOnce(
    {
      id: 'requirePasswordChange',
      path: '/admin/accounts/{account}/require-password-change',
      summary: 'The password must be changed at the next sign-in',
      problems: [403, 404, 409],
    },
    (call) => call.accounts.alone.requirePasswordChange(call.actor, id(call)),
  ),
];
