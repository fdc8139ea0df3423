import { type Command, Option } from 'commander';
import { EMERGENCY_VERDICTS, type EmergencyVerdict, isEmergencyInForce } from '../../contracts/emergency.ts';
import { ChartgateError } from '../../contracts/errors.ts';
import type { ShownEmergency } from '../../identity/emergency/index.ts';
import { EXIT } from '../output.ts';
import { type Common, moment, NOTES, tenantNamed, using } from '../sharing/opened.ts';

interface OfTenant extends Common {
  readonly tenant: string;
}

/** `chartgate emergency list|show|review|end`. */
export function register(program: Command): void {
  const emergency = program
    .command('emergency')
    .description(
      'Emergency access (45 CFR 164.312(a)(2)(ii)): who broke the glass, why, and the review of it.',
    );
  const add = (name: string, description: string): Command =>
    emergency
      .command(name)
      .description(description)
      .requiredOption('--config <file>', "the gateway's settings")
      .option('--json', 'print the result as JSON')
      .addHelpText('after', NOTES);
  const tenant = (command: Command): Command =>
    command.requiredOption('--tenant <id>', 'at which tenant it was');

  add('list', 'Print emergency accesses, the newest first; exit code 1 when some wait for a review.')
    .option('--tenant <id>', 'at this tenant only')
    .option('--open', 'only those that nobody has reviewed')
    .action(list);
  tenant(add('show', 'Print one, with its reason and reviews.'))
    .argument('<emergency>', 'its id')
    .action(show);
  tenant(add('review', 'Sign a verdict on one that has ended.'))
    .argument('<emergency>', 'its id')
    .requiredOption('--by <name>', "the reviewer's name, which is kept with the verdict")
    .addOption(
      new Option('--verdict <verdict>', 'what it was').choices(EMERGENCY_VERDICTS).makeOptionMandatory(),
    )
    .option('--note <words>', 'why; kept sealed')
    .action(review);
  tenant(add('end', 'End one that is in force; acts on every worker within a second.'))
    .argument('<emergency>', 'its id')
    .action(end);
}

async function list(options: Common & { readonly tenant?: string; readonly open?: true }): Promise<void> {
  await using(options, async ({ settings, emergencies }) => {
    const at = options.tenant === undefined ? undefined : tenantNamed(settings, options.tenant).id;
    const all = await emergencies.list(at);
    const open = all.filter(({ reviews }) => reviews.length === 0);
    const shown = options.open ? open : all;
    if (options.json) console.log(JSON.stringify(shown, null, 2));
    else if (shown.length === 0) console.log('none');
    else for (const each of shown) console.log(line(each));
    if (open.length > 0) process.exitCode = EXIT.finding;
  });
}

async function show(id: string, options: OfTenant): Promise<void> {
  await using(options, async ({ settings, emergencies }) => {
    const found = await emergencies.show(id, tenantNamed(settings, options.tenant).id);
    if (found === undefined) return refused('there is no such emergency access of this tenant', options);
    print(found, options);
  });
}

async function review(
  id: string,
  options: OfTenant & { readonly by: string; readonly verdict: EmergencyVerdict; readonly note?: string },
): Promise<void> {
  const name = options.by.trim();
  if (name === '' || name.length > 100 || /[\p{Cc}\p{Cs}\u2028\u2029]/u.test(name))
    throw new ChartgateError('usage', '--by must be a name of 1 to 100 characters on one line');
  await using(options, async ({ settings, emergencies }) => {
    const { id: tenant } = tenantNamed(settings, options.tenant);
    const by = { issuer: '', subject: '', name };
    const reviewed = await emergencies.review(id, tenant, by, options.verdict, options.note ?? '', true);
    if (!reviewed.ok) {
      if (reviewed.why === 'note') throw new ChartgateError('usage', '--note: at most 500 characters');
      const why =
        reviewed.why === 'in-force'
          ? 'it is in force; end it first'
          : 'there is no such emergency access of this tenant';
      return refused(why, options);
    }
    const found = await emergencies.show(id, tenant);
    if (found !== undefined) print(found, options);
  });
}

async function end(id: string, options: OfTenant): Promise<void> {
  await using(options, async ({ settings, emergencies }) => {
    const { id: tenant } = tenantNamed(settings, options.tenant);
    const ended = await emergencies.end(id, tenant, 'reviewer', () => true, true);
    if (ended === undefined) return refused('there is no such emergency access in force', options);
    const found = await emergencies.show(id, tenant);
    if (found !== undefined) print(found, options);
  });
}

function refused(message: string, options: Common): void {
  if (options.json) console.log(JSON.stringify({ ok: false, message }));
  else console.error(`chartgate: ${message}`);
  process.exitCode = EXIT.finding;
}

function stateOf(emergency: ShownEmergency): string {
  if (isEmergencyInForce(emergency, Date.now() / 1000)) return 'in-force';
  return emergency.reviews.at(-1)?.verdict ?? 'to-review';
}

function line(emergency: ShownEmergency): string {
  const { id, tenant, issuer, subject, begunAt } = emergency;
  return `${id}  ${stateOf(emergency)}  ${tenant}  ${moment(begunAt)}  ${issuer}#${subject}`;
}

/** One line each: what was typed cannot draw anything else on a terminal. */
const plain = (text: string): string => text.replace(/[\p{Cc}\p{Cf}\u2028\u2029]/gu, ' ');

function print(emergency: ShownEmergency, options: Common): void {
  if (options.json) {
    console.log(JSON.stringify(emergency, null, 2));
    return;
  }
  const { ended, reviews, notes, credential } = emergency;
  console.log(
    [
      `emergency  ${emergency.id}`,
      `state      ${stateOf(emergency)}`,
      `tenant     ${emergency.tenant}`,
      `who        ${emergency.issuer}#${emergency.subject}, by ${credential.kind === 'session' ? 'browser' : `client ${credential.clientId ?? '-'}`}`,
      `begun      ${moment(emergency.begunAt)}`,
      `until      ${moment(ended?.at ?? emergency.until)}${ended === undefined ? '' : ` (ended by ${ended.by})`}`,
      `scopes     ${emergency.scopes.join(' ')}`,
      `reason     ${emergency.reason === undefined ? '(sealed with a key that is not given)' : plain(emergency.reason)}`,
      ...reviews.map(
        (each, index) =>
          `review     ${moment(each.at)} ${each.verdict} by ${plain(each.name ?? `${each.issuer}#${each.subject}`)}${notes[index] ? `: ${plain(notes[index])}` : ''}`,
      ),
    ].join('\n'),
  );
}
