import type { Command } from 'commander';
import { type Common, granted, withAccounts } from '../accounts/opened.ts';
import { askedText, requestJson } from '../accounts/shown.ts';
import { common } from './approval.ts';

interface OfOrganisation extends Common {
  readonly organisation: string;
}

const collect = (value: string, before: readonly string[] = []): readonly string[] => [...before, value];

/** `chartgate role set|list|remove`. */
export function register(program: Command): void {
  const role = program
    .command('role')
    .description('Custom roles of an organisation: which scopes accounts with them may have.');
  const add = (name: string, description: string): Command =>
    common(role.command(name), description).requiredOption('--organisation <name>', 'its short name');

  add('set', 'Ask for a role, new or with other scopes.')
    .argument('<name>', '1 to 63 of a-z 0-9 -')
    .requiredOption('--scope <scope>', 'a scope that it carries; may be given several times', collect)
    .addHelpText(
      'after',
      `
Example:
  $ chartgate role set nurse --organisation riverside --scope 'user/Observation.rs' --as anna --config issuer.yaml`,
    )
    .action((name: string, options: OfOrganisation & { readonly scope: readonly string[] }) =>
      withAccounts(options, async ({ accounts, actor }) => {
        const { organisation, scope: scopes } = options;
        const { request, codes } = granted(
          await accounts.asking.setRole(actor, { organisation, name, scopes }),
        );
        return { json: { request: requestJson(request) }, text: askedText(request, codes) };
      }),
    );

  add('list', 'List the roles.').action((options: OfOrganisation) =>
    withAccounts(options, async ({ accounts, actor }) => {
      const { items } = granted(await accounts.looking.roles(actor, options.organisation, { limit: 1000 }));
      return {
        json: { roles: items },
        text: items.map(({ name, scopes }) => `${name}  ${scopes.join(' ')}`).join('\n') || 'none',
      };
    }),
  );

  add('remove', 'Remove a role; accounts that have it lose its scopes at once.')
    .argument('<name>', 'its name')
    .action((name: string, options: OfOrganisation) =>
      withAccounts(options, async ({ accounts, actor }) => {
        const removed = granted(await accounts.alone.removeRole(actor, options.organisation, name));
        return { json: { removed }, text: 'Removed.' };
      }),
    );
}
