import type { Command } from 'commander';
import { EXIT } from '../../output.ts';
import type { AddOptions } from './add.ts';
import type { ChangeOptions } from './change.ts';

const NOTES = `
Run it on the gateway's machine, as the gateway's user or root. Nothing restarts, and no request is lost.

Exit codes: ${EXIT.ok} done, ${EXIT.finding} something failed that was looked at (add: nothing was written), ${EXIT.usage} wrong usage,
${EXIT.configuration} the settings have faults, or the running gateway refused them and the files are as they were,
${EXIT.unavailable} something needed was not there: the files are written, but a gateway that runs does not know of it yet.`;

const collect = (value: string, before: readonly string[] = []): readonly string[] => [...before, value];

/** `chartgate tenant add|list|show|pause|resume|take|remove`: clinics come and go while the gateway serves. */
export function register(program: Command): void {
  const tenant = program
    .command('tenant')
    .description('The clinics that the gateway serves: one file each, taken while it runs.');
  const add = (name: string, description: string): Command =>
    tenant
      .command(name)
      .description(description)
      .requiredOption('-c, --config <file>', "the gateway's settings")
      .option('--json', 'print the result as JSON')
      .addHelpText('after', NOTES);

  add('add', 'Check a tenant in every way, write its file, have the running gateway serve it.')
    .argument('[id]', 'its name in logs and metrics')
    .option(
      '--file <tenant.yaml>',
      'what an entry of "tenants" holds; without it and without options it asks',
    )
    .option('--host <host>', 'host it is reached at; may be given several times', collect)
    .option('--audience <audience>', 'audience of its tokens (default: https:// and the first host)')
    .option('--issuer <id>', 'issuer it trusts; may be given several times', collect)
    .option('--database <id>', "id of its database in the checker's settings")
    .option('--policy <name>', 'name of its policy')
    .option('--backend <origin>', 'origin of its EMR; may be given several times', collect)
    .option('--backend-authority <file>', "PEM of the authority of the EMR's certificate")
    .option('--identity-header <name>', 'header that tells the EMR who is asking')
    .option('--sql-schema <name>', "look into its database too: the EMR's schema")
    .option('--sql-audit-schema <name>', 'the schema of the audit (default: the EMR schema and _audit)')
    .option('--sql-host <name>', 'database host (default: 127.0.0.1)')
    .option('--sql-port <number>', 'database port (default: 3306)')
    .option('--sql-socket <path>', "the database's Unix socket, instead of host and port")
    .option('--sql-user <name>', 'SQL user of an administrator; used here and kept nowhere')
    .option('--sql-password-file <file>', "file with that user's password")
    .option('--sql-ca <file>', "PEM of the authority of the server's certificate")
    .option('--replace', 'a tenant of this id may be there already')
    .option('--despite-failures', 'write it although something failed, such as an EMR that is down')
    .option('--dry-run', 'look at everything and write nothing')
    .addHelpText(
      'after',
      `
Examples:
  $ chartgate tenant add --config gateway.yaml                       (asks)
  $ chartgate tenant add --config gateway.yaml --file riverside.yaml
  $ chartgate tenant add riverside --config gateway.yaml --host riverside.example --issuer clinic-sso \\
      --database riverside-emr --policy clinic --backend https://emr.riverside.internal`,
    )
    .action(async (id: string | undefined, options: AddOptions) =>
      (await import('./add.ts')).runAdd(id, options),
    );

  add('list', 'List the tenants of the settings, and which of them the running gateway serves.').action(
    async (options: ChangeOptions) => (await import('./look.ts')).runList(options),
  );
  add('show', 'Show a tenant, when its certificates expire, and whether all of it can be reached.')
    .argument('<id>', 'the tenant')
    .option('--no-check', 'reach for nothing: no back end, no checker')
    .action(async (id: string, options: ChangeOptions & { readonly check: boolean }) =>
      (await import('./look.ts')).runShow(id, options),
    );
  add('pause', 'Close a tenant: whoever asks for it gets a 503 that says so. Its EMR is left alone.')
    .argument('<id>', 'the tenant')
    .action(async (id: string, options: ChangeOptions) =>
      (await import('./change.ts')).runPause(id, true, options),
    );
  add('resume', 'Serve a tenant again that was paused.')
    .argument('<id>', 'the tenant')
    .action(async (id: string, options: ChangeOptions) =>
      (await import('./change.ts')).runPause(id, false, options),
    );
  add('take', 'Have the running gateway read tenants again whose files were changed by hand.')
    .argument('<id...>', 'the tenants')
    .action(async (ids: readonly string[], options: ChangeOptions) =>
      (await import('./change.ts')).runTake(ids, options),
    );
  add('remove', 'Take a tenant out of service; its file is kept under another name.')
    .argument('<id>', 'the tenant')
    .action(async (id: string, options: ChangeOptions) =>
      (await import('./change.ts')).runRemove(id, options),
    );
}
