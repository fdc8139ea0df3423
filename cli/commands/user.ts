import type { Command } from 'commander';
import type { Account, AccountAsked, Accounts, Outcome } from '../../identity/accounts/index.ts';
import { Credentials } from '../accounts/credentials.ts';
import { type Common, granted, withAccounts } from '../accounts/opened.ts';
import { accountLine, accountText, askedText, requestJson, requestLine } from '../accounts/shown.ts';
import { EXIT } from '../output.ts';
import { addDecisions, common } from './approval.ts';

interface Grants {
  readonly role: readonly string[];
  readonly patient?: readonly string[];
  readonly fhirUser?: string;
}

const collect = (value: string, before: readonly string[] = []): readonly string[] => [...before, value];

const withGrants = (command: Command): Command =>
  command
    .requiredOption(
      '--role <role>',
      'user, admin, staff or a custom role; may be given several times',
      collect,
    )
    .option('--patient <id>', 'FHIR id of a patient whom it stands for; may be given several times', collect)
    .option('--fhir-user <reference>', 'FHIR reference of the person, such as Practitioner/17');

const grantsOf = ({ role, patient, fhirUser }: Grants) => ({ roles: role, patients: patient, fhirUser });

/** `chartgate user …`. */
export function register(program: Command): void {
  const user = program.command('user').description('Accounts of the embedded issuer.');
  const add = (name: string, description: string): Command => common(user.command(name), description);
  const about = (name: string, description: string): Command =>
    add(name, description).argument('<login>', 'login of the account');

  withGrants(add('create', 'Ask for an account. It can do nothing until another administrator approves.'))
    .argument('<login>', 'what the person types to sign in')
    .requiredOption('--organisation <name>', 'its short name; "staff" for one of the Staff')
    .requiredOption('--name <name>', 'full name')
    .addHelpText(
      'after',
      `
Example:
  $ chartgate user create uma --name 'Uma Underwood' --organisation riverside --role user --as anna --config issuer.yaml`,
    )
    .action(
      (login: string, options: Common & Grants & { readonly organisation: string; readonly name: string }) =>
        withAccounts(options, async ({ accounts, actor }) => {
          const { organisation, name } = options;
          const input = { organisation, login, name, ...grantsOf(options) };
          const { account, request, codes } = granted(await accounts.asking.createAccount(actor, input));
          return {
            json: { account, ...(request ? { request: requestJson(request) } : {}), codes },
            text: askedText(request, codes),
          };
        }),
    );

  add('list', 'List the accounts of an organisation.')
    .requiredOption('--organisation <name>', 'its short name')
    .action((options: Common & { readonly organisation: string }) =>
      withAccounts(options, async ({ accounts, actor }) => {
        const found = await accounts.looking.accounts(actor, options.organisation, { limit: 10_000 });
        const { items } = granted(found);
        return { json: { accounts: items }, text: items.map(accountLine).join('\n') || 'none' };
      }),
    );

  about('show', 'Show an account, with the state of its password and the requests about it.').action(
    (login: string, options: Common) =>
      withAccounts(options, async ({ accounts, actor }) => {
        const { id } = granted(await accounts.looking.accountByLogin(actor, login));
        const { account, password, lockedFor, requests } = granted(await accounts.looking.account(actor, id));
        return {
          json: { account, password, lockedForSeconds: lockedFor, requests: requests.map(requestJson) },
          text: [
            accountText(account),
            `  password ${password.set ? 'set' : 'not set'}${password.temporary ? ', must be changed' : ''}`,
            ...(lockedFor === undefined ? [] : [`  locked for ${lockedFor} s`]),
            ...requests.map((request) => `  ${requestLine(request)}`),
          ].join('\n'),
        };
      }),
  );

  withGrants(about('change', 'Ask for other roles, patients or FHIR person of an account.')).action(
    (login: string, options: Common & Grants) =>
      asking(login, options, (accounts, actor, { id, version }) =>
        accounts.asking.changeAccount(actor, id, grantsOf(options), version),
      ),
  );
  about('enable', 'Ask that a disabled account be enabled again.').action((login: string, options: Common) =>
    asking(login, options, (accounts, actor, { id }) => accounts.asking.enableAccount(actor, id)),
  );
  about(
    'reset',
    'Ask for a one-time code for whoever lost the password. Once approved, the present one ends.',
  ).action((login: string, options: Common) =>
    asking(login, options, (accounts, actor, { id }) => accounts.asking.resetPassword(actor, id)),
  );
  about(
    'reset-factors',
    'Ask that the second factors of whoever lost them be removed. The next sign-in enrols anew.',
  ).action((login: string, options: Common) =>
    asking(login, options, (accounts, actor, { id }) => accounts.asking.resetFactors(actor, id)),
  );
  const ALONE = {
    disable: ['disableAccount', 'Disable an account; its sessions and tokens end at once.', 'Disabled.'],
    remove: ['removeAccount', 'Remove an account for good.', 'Removed.'],
    unlock: ['unlockAccount', 'End the wait after too many failed sign-ins.', 'Unlocked.'],
    'require-change': [
      'requirePasswordChange',
      'The password must be changed at the next sign-in.',
      'It must be changed at the next sign-in.',
    ],
  } as const;
  for (const [name, [method, description, done]] of Object.entries(ALONE)) {
    about(name, description).action((login: string, options: Common) =>
      withAccounts(options, async ({ accounts, actor }) => {
        const { id } = granted(await accounts.looking.accountByLogin(actor, login));
        const account = granted(await accounts.alone[method](actor, id));
        return { json: { account }, text: done };
      }),
    );
  }
  addDecisions(user);
  user
    .command('enrol')
    .description('Set a password with a one-time code, where there is no browser.')
    .requiredOption('--config <file>', "the issuer's settings")
    .option('--json', 'print the result as JSON')
    .addHelpText(
      'after',
      `
The whole code and the new password are asked for; not at a terminal they are two lines of standard input.

Exit codes: ${EXIT.ok} set, ${EXIT.finding} the code or the password is not taken, ${EXIT.configuration} faulty settings.`,
    )
    .action((options: Common) => withAccounts(options, ({ accounts }) => enrol(accounts)));
}

function asking(
  login: string,
  options: Common,
  ask: (
    accounts: Accounts,
    actor: string,
    account: Account,
  ) => Promise<Outcome<Pick<AccountAsked, 'request' | 'codes'>>>,
): Promise<void> {
  return withAccounts(options, async ({ accounts, actor }) => {
    const account = granted(await accounts.looking.accountByLogin(actor, login));
    const { request, codes } = granted(await ask(accounts, actor, account));
    return {
      json: { ...(request ? { request: requestJson(request) } : {}), codes },
      text: askedText(request, codes),
    };
  });
}

async function enrol(accounts: Accounts) {
  const credentials = new Credentials();
  try {
    const code = await credentials.ask('One-time code, both halves: ');
    const next = await credentials.ask('New password: ');
    const set = await accounts.passwords.redeem({ code, next, source: 'command line' });
    if (set.ok) return { json: { login: set.account.login }, text: 'The password is set.' };
    process.exitCode = EXIT.finding;
    const { reason, faults } = set;
    const why = reason === 'unacceptable' ? `the password is not taken: ${faults.join(', ')}` : 'refused';
    return { json: { ok: false, reason, faults }, text: `chartgate: ${why}` };
  } finally {
    credentials.close();
  }
}
