import { type Command, InvalidArgumentError } from 'commander';
import { type Common, granted, withAccounts } from '../accounts/opened.ts';
import { askedText, NOTES, requestJson } from '../accounts/shown.ts';

interface Founder {
  readonly login: string;
  readonly name: string;
}

/** `chartgate organisation create|list|events`. */
export function register(program: Command): void {
  const organisation = program
    .command('organisation')
    .description("Organisations of the embedded issuer: a clinic's accounts and who looks after them.");
  const add = (name: string, description: string): Command =>
    organisation
      .command(name)
      .description(description)
      .requiredOption('--config <file>', "the issuer's settings")
      .option('--as <login>', 'act as this account, after signing in')
      .option('--json', 'print the result as JSON')
      .addHelpText('after', NOTES);

  add('create', 'Make an organisation with its first administrators, at least two.')
    .argument('<name>', 'short name: 1 to 63 of a-z 0-9 -')
    .requiredOption(
      '--administrator <login=name>',
      'login and full name of an administrator; give it at least twice',
      founder,
    )
    .addHelpText(
      'after',
      `
Example:
  $ chartgate organisation create riverside --administrator anna='Anna Adams' --administrator boris='Boris Brown' \\
      --config /etc/chartgate/issuer/issuer.yaml

Each administrator gets a one-time code to set a password with. Where there are Staff, another of them approves first.`,
    )
    .action((name: string, options: Common & { readonly administrator: readonly Founder[] }) =>
      withAccounts(options, async ({ accounts, actor }) => {
        const made = granted(
          await accounts.asking.createOrganisation(actor, { name, administrators: options.administrator }),
        );
        const { request, codes } = made;
        return {
          json: {
            organisation: name,
            accounts: made.accounts.map(({ id, login }) => ({ id, login })),
            ...(request ? { request: requestJson(request) } : {}),
            codes,
          },
          text: askedText(request, codes),
        };
      }),
    );

  add('list', 'List the organisations.').action((options: Common) =>
    withAccounts(options, async ({ accounts, actor }) => {
      const { items } = granted(await accounts.looking.organisations(actor, { limit: 1000 }));
      return {
        json: { organisations: items },
        text: items.map(({ id, status }) => `${id}  ${status}`).join('\n') || 'none',
      };
    }),
  );

  add('events', 'What happened to accounts, roles and requests of an organisation.')
    .argument('<name>', 'its short name; "staff" for the Staff and for new organisations')
    .action((name: string, options: Common) =>
      withAccounts(options, async ({ accounts, actor }) => {
        const events = [];
        for (let after: string | undefined; ; ) {
          const page = granted(await accounts.looking.events(actor, name, { limit: 500, after }));
          events.push(...page.items);
          after = page.next;
          if (after === undefined) break;
        }
        return {
          json: { events },
          text:
            events
              .map(
                ({ at, what, subject, actor: by, details }) =>
                  `${new Date(at).toISOString()}  ${what}  ${subject}  by ${by}  ${JSON.stringify(details)}`,
              )
              .join('\n') || 'none',
        };
      }),
    );
}

function founder(text: string, before: readonly Founder[] = []): readonly Founder[] {
  const at = text.indexOf('=');
  if (at < 1) throw new InvalidArgumentError('It must be LOGIN=FULL NAME.');
  return [...before, { login: text.slice(0, at), name: text.slice(at + 1) }];
}
