import type { Command } from 'commander';
import { guardKeyOf, lockId, readLocks } from '../../gateway/guard/locks.ts';
import { factorPrincipal } from '../../identity/factors/principal.ts';
import { openState } from '../../identity/state/index.ts';
import { EXIT } from '../output.ts';
import { stateNamedIn } from '../state-settings.ts';

interface Common {
  readonly config: string;
  readonly tenant?: string;
  readonly json?: true;
}

interface Whom extends Common {
  readonly tenant: string;
  readonly issuer: string;
  readonly subject: string;
}

/** `chartgate guard list|unlock`. */
export function register(program: Command): void {
  const guard = program
    .command('guard')
    .description('The enumeration guard: whom it has locked, and letting somebody in again.');
  const add = (name: string, description: string): Command =>
    guard
      .command(name)
      .description(description)
      .requiredOption('--config <file>', "the gateway's settings")
      .option('--json', 'print the result as JSON')
      .addHelpText(
        'after',
        `
Run it on the gateway's host as the gateway's OS user. Locks are kept where the settings have "state"; without it they
end with the process.

Exit codes: ${EXIT.ok} done, ${EXIT.finding} nobody such is locked, ${EXIT.usage} wrong usage, ${EXIT.configuration} faulty settings, ${EXIT.unavailable} the store cannot be reached.`,
      );
  add('list', 'Print who is locked, until when, and what had been counted.')
    .option('--tenant <id>', 'at this tenant only')
    .action(list);
  add('unlock', 'Let somebody in again, within a second; what had been counted counts no more.')
    .requiredOption('--tenant <id>', 'at which tenant')
    .requiredOption('--issuer <url>', 'who signed them in, as the list says it')
    .requiredOption('--subject <subject>', 'who they are there')
    .action(unlock);
}

async function list(options: Common): Promise<void> {
  const store = await openState(stateNamedIn(options.config).state);
  try {
    const all = (await readLocks(store)).map(({ lock }) => lock);
    const shown = options.tenant === undefined ? all : all.filter(({ tenant }) => tenant === options.tenant);
    if (options.json) console.log(JSON.stringify(shown, null, 2));
    else if (shown.length === 0) console.log('nobody');
    else
      for (const { tenant, issuer, subject, misses, patients, until } of shown) {
        const end = new Date(until).toISOString().slice(0, 19).replace('T', ' ');
        console.log(
          `${tenant}  ${issuer}#${subject}  until ${end} UTC  ${misses} misses, ${patients} patients`,
        );
      }
  } finally {
    await store.close();
  }
}

async function unlock(options: Whom): Promise<void> {
  const store = await openState(stateNamedIn(options.config).state);
  try {
    const key = guardKeyOf(options.tenant, factorPrincipal(options.issuer, options.subject));
    const unlocked = await store.remove('guard-lock', lockId(key));
    if (options.json) console.log(JSON.stringify({ unlocked }));
    else console.log(unlocked ? 'unlocked' : 'nobody such is locked');
    if (!unlocked) process.exitCode = EXIT.finding;
  } finally {
    await store.close();
  }
}
