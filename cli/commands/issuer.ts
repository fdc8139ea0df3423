import { resolve } from 'node:path';
import type { Command } from 'commander';
import { confine, HASHING_MEMORY, issuerNeeds } from '../confine/index.ts';
import { EXIT } from '../output.ts';

/** `chartgate issuer`: runs the embedded OpenID provider in the foreground. */
export function register(program: Command): void {
  const issuer = program
    .command('issuer')
    .description(
      'Run the embedded issuer: accounts, sign-in, consent and tokens, in a process and with a user of its own.',
    )
    .requiredOption('-c, --config <file>', "the issuer's own configuration file")
    .addHelpText(
      'after',
      `
It listens on a Unix socket only; the gateway makes it reachable under its own host. SIGTERM stops it.

Exit codes: ${EXIT.ok} stopped in order, ${EXIT.configuration} the configuration is wrong, ${EXIT.unavailable} the socket or the state could not be had.`,
    )
    .action(async ({ config }: { readonly config: string }) => {
      confine(() => issuerNeeds(config), HASHING_MEMORY);
      // Loaded here: a process that is about to begin anew has no use for it.
      const { loadIssuerSettings } = await import('../../config/index.ts');
      const { runIssuer } = await import('../../identity/issuer/index.ts');
      const { issuerWiring } = await import('../../console/issuer.ts');
      const settings = loadIssuerSettings(resolve(config));
      await runIssuer(settings, issuerWiring(settings));
    });
  issuer
    .command('rotate-keys')
    .description('Make a new signing key and a new cookie key; running issuers take notice by themselves.')
    .option('--compromised', 'the old ones are known to somebody: what they signed ends, within 15 seconds')
    .option('--json', 'print the result as JSON')
    .addHelpText(
      'after',
      `
A new key is published for 15 minutes before it signs, so that every gateway knows it by then; the old one is
published for a day after that, so that what it signed stays valid. With --compromised neither: everybody signs in
again, and what the old key signed counts no more once the running issuers have looked (15 seconds at most).

Takes --config of the issuer, and its user's rights to the state.
Exit codes: ${EXIT.ok} done, ${EXIT.usage} a rotation is under way, ${EXIT.configuration} the configuration is wrong, ${EXIT.unavailable} the state could not be had.

Example:
  $ chartgate issuer rotate-keys --config /etc/chartgate/issuer/issuer.yaml`,
    )
    .action(async (_options: unknown, command: Command) => {
      const { config, json, compromised } = command.optsWithGlobals<{
        config: string;
        json?: boolean;
        compromised?: boolean;
      }>();
      const { loadIssuerSettings } = await import('../../config/index.ts');
      const { ROTATION, rotateKeys } = await import('../../identity/issuer/index.ts');
      const settings = loadIssuerSettings(resolve(config));
      const { kid, signsFrom } = await rotateKeys(settings, {
        ...ROTATION,
        compromised: compromised === true,
      });
      const from = new Date(signsFrom).toISOString();
      console.log(
        json === true
          ? JSON.stringify({ ok: true, kid, signsFrom: from })
          : `Key ${kid} signs from ${from} on.`,
      );
    });
}
