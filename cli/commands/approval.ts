import { type Command, Option } from 'commander';
import { REQUEST_STATES, type RequestState } from '../../identity/accounts/index.ts';
import { type Common, granted, withAccounts } from '../accounts/opened.ts';
import { codesText, NOTES, requestJson, requestLine } from '../accounts/shown.ts';

/** `chartgate approval list|show|approve|reject`. */
export function register(program: Command): void {
  const approval = program
    .command('approval')
    .description('What waits for a second person, and the decision.');
  const add = (name: string, description: string): Command => common(approval.command(name), description);

  add('list', 'List requests of an organisation.')
    .requiredOption('--organisation <name>', '"staff" for new organisations and Staff')
    .addOption(
      new Option('--state <state>', 'only those in this state').choices(REQUEST_STATES).default('open'),
    )
    .action((options: Common & { readonly organisation: string; readonly state: RequestState }) =>
      withAccounts(options, async ({ accounts, actor }) => {
        const { organisation, state } = options;
        const { items } = granted(
          await accounts.looking.requests(actor, organisation, { limit: 1000 }, state),
        );
        return {
          json: { requests: items.map(requestJson) },
          text: items.map(requestLine).join('\n') || 'none',
        };
      }),
    );

  add('show', 'Show one request.')
    .argument('<request>', 'its id')
    .action((id: string, options: Common) =>
      withAccounts(options, async ({ accounts, actor }) => {
        const request = granted(await accounts.looking.request(actor, id));
        return { json: { request: requestJson(request) }, text: requestLine(request) };
      }),
    );
  addDecisions(approval);
}

export function common(command: Command, description: string): Command {
  return command
    .description(description)
    .requiredOption('--config <file>', "the issuer's settings")
    .option('--as <login>', 'act as this account, after signing in')
    .option('--json', 'print the result as JSON')
    .addHelpText('after', NOTES);
}

/** `approve` and `reject`; also commands of `user`, where people look for them. */
export function addDecisions(parent: Command): void {
  const decide = (what: 'approve' | 'reject', description: string): void => {
    common(parent.command(what), description)
      .argument('<request>', 'its id, as "chartgate approval list" shows it')
      .action((id: string, options: Common) =>
        withAccounts(options, async ({ accounts, actor }) => {
          const { request, codes } = granted(await accounts.deciding[what](actor, id));
          return {
            json: { request: requestJson(request), codes },
            text: `${request.action}: ${request.state}.${codesText(codes)}`,
          };
        }),
      );
  };
  decide('approve', 'Approve what somebody else asked for.');
  decide('reject', 'Refuse a request or, of your own, take it back.');
}
