import type { Command } from 'commander';
import type { Grantee } from '../../contracts/consent.ts';
import { type Consent, consentStateAt } from '../../contracts/consent-record.ts';
import { ChartgateError } from '../../contracts/errors.ts';
import { consentToFhir, type WantedConsent } from '../../identity/consents/index.ts';
import { EXIT } from '../output.ts';
import { type Common, moment, NOTES, rulesFor, tenantNamed, using } from '../sharing/opened.ts';

interface OfTenant extends Common {
  readonly tenant: string;
}

interface Grant extends OfTenant {
  readonly patient: string;
  readonly to: string;
  readonly types: string;
  readonly categories?: string;
  readonly write?: true;
  readonly from?: string;
  readonly until: string;
}

const HOST = { basis: 'host', issuer: '', subject: '' } as const;
const WHOM = `
--to is one of
  organisation:TENANT        everybody of it, but patients
  role:TENANT:ROLE           everybody of it with this role
  person:ISSUER-URL#SUBJECT  one person, by the "iss" and "sub" of their tokens`;

/** `chartgate consent grant|list|show|withdraw`. */
export function register(program: Command): void {
  const consent = program
    .command('consent')
    .description('What patients let others see of their records, and until when.');
  const add = (name: string, description: string): Command =>
    consent
      .command(name)
      .description(description)
      .requiredOption('--config <file>', "the gateway's settings")
      .requiredOption('--tenant <id>', 'whose patients they are')
      .option('--json', 'print the result as JSON')
      .addHelpText('after', NOTES);

  add('grant', 'Record what a patient signed.')
    .requiredOption('--patient <id>', 'FHIR id of the patient')
    .requiredOption('--to <whom>', 'organisation:…, role:… or person:…')
    .requiredOption('--types <types>', 'FHIR resource types, separated by commas; "*" for the whole record')
    .option('--categories <codes>', 'only resources with one of these categories, separated by commas')
    .option('--write', 'to change them too, not only to read')
    .option('--from <time>', 'such as 2026-12-01T00:00:00Z; now unless given')
    .requiredOption('--until <time>', 'when it ends by itself')
    .addHelpText('after', WHOM)
    .action(grant);
  add('list', 'Print consents, the newest first, those that have ended too.')
    .option('--patient <id>', 'of this patient only')
    .option('--in-force', 'only those in force')
    .action(list);
  add('show', 'Print one consent.')
    .argument('<consent>', 'its id')
    .option('--fhir', 'as FHIR R4 Consent')
    .action(show);
  add('withdraw', 'Withdraw a consent; acts on every worker within a second.')
    .argument('<consent>', 'its id')
    .action(withdraw);
}

async function grant(options: Grant): Promise<void> {
  await using(options, async ({ settings, consents }) => {
    const tenant = tenantNamed(settings, options.tenant);
    const wanted: WantedConsent = {
      patient: options.patient,
      grantee: granteeOf(options.to),
      resourceTypes: listOf(options.types),
      ...(options.categories === undefined ? {} : { categories: listOf(options.categories) }),
      actions: options.write === true ? ['read', 'write'] : ['read'],
      ...(options.from === undefined ? {} : { from: timeOf(options.from, '--from') }),
      until: timeOf(options.until, '--until'),
    };
    const granted = await consents.grant(wanted, rulesFor(settings, tenant), HOST);
    if (!granted.ok)
      throw new ChartgateError(
        'usage',
        granted.faults
          .map(({ at, message }) => `${OPTION_OF[at.replace(/[[.].*/, '')] ?? at}: ${message}`)
          .join('\n'),
      );
    print(granted.consent, options);
  });
}

/** What stands for what. */
const OPTION_OF: Readonly<Record<string, string>> = {
  patient: '--patient',
  grantee: '--to',
  resourceTypes: '--types',
  categories: '--categories',
  from: '--from',
  until: '--until',
};

async function list(options: OfTenant & { patient?: string; inForce?: true }): Promise<void> {
  await using(options, async ({ settings, consents }) => {
    const { id } = tenantNamed(settings, options.tenant);
    const now = Date.now() / 1000;
    const all =
      options.patient === undefined
        ? await consents.ofTenant(id)
        : await consents.ofPatient(id, options.patient);
    const shown = all.filter((consent) => !options.inForce || consentStateAt(consent, now) === 'in-force');
    if (options.json) console.log(JSON.stringify(shown.map(withState), null, 2));
    else if (shown.length === 0) console.log('none');
    else for (const each of shown) console.log(line(each));
  });
}

async function show(id: string, options: OfTenant & { fhir?: true }): Promise<void> {
  await using(options, async ({ settings, consents }) => {
    const found = await consents.show(id, tenantNamed(settings, options.tenant).id);
    if (found === undefined) return missing(options);
    if (options.fhir) console.log(JSON.stringify(consentToFhir(found, Date.now() / 1000), null, 2));
    else print(found, options);
  });
}

async function withdraw(id: string, options: OfTenant): Promise<void> {
  await using(options, async ({ settings, consents }) => {
    const withdrawn = await consents.withdraw(id, tenantNamed(settings, options.tenant).id, HOST);
    if (!withdrawn.ok) return missing(options);
    print(withdrawn.consent, options);
  });
}

function missing(options: Common): void {
  if (options.json) console.log(JSON.stringify({ ok: false, message: 'there is no such consent' }));
  else console.error('chartgate: there is no such consent of this tenant');
  process.exitCode = EXIT.finding;
}

function granteeOf(text: string): Grantee | Readonly<Record<string, string>> {
  const [kind = '', ...rest] = text.split(':');
  const value = rest.join(':');
  if (kind === 'organisation') return { kind, tenant: value };
  if (kind === 'role') {
    const [tenant = '', ...role] = rest;
    return { kind, tenant, role: role.join(':') };
  }
  const hash = value.indexOf('#');
  if (kind === 'person' && hash > 0)
    return { kind, issuer: value.slice(0, hash), subject: value.slice(hash + 1) };
  throw new ChartgateError('usage', `--to must be organisation:…, role:… or person:…${WHOM}`);
}

const listOf = (text: string): readonly string[] =>
  text
    .split(',')
    .map((each) => each.trim())
    .filter((each) => each !== '');

function timeOf(text: string, option: string): number {
  const wrong = new ChartgateError('usage', `${option} must be a moment such as 2026-12-01T00:00:00Z.`);
  if (!/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:Z|[+-]\d\d:\d\d)$/.test(text)) throw wrong;
  const parsed = Date.parse(text);
  if (Number.isNaN(parsed)) throw wrong;
  return parsed / 1000;
}

function whom(grantee: Grantee): string {
  if (grantee.kind === 'person') return `person:${grantee.issuer}#${grantee.subject}`;
  return grantee.kind === 'role'
    ? `role:${grantee.tenant}:${grantee.role}`
    : `organisation:${grantee.tenant}`;
}

const withState = (consent: Consent) => ({ ...consent, state: consentStateAt(consent, Date.now() / 1000) });

const what = ({ parts, actions }: Consent): string =>
  `${parts.resourceTypes.join(',')}${parts.categories.length === 0 ? '' : ` (${parts.categories.join(',')})`} ${actions.join('+')}`;

function line(consent: Consent): string {
  const { id, patient, grantee, until } = consent;
  return `${id}  ${withState(consent).state}  ${patient}  ${whom(grantee)}  ${what(consent)}  until ${moment(until)}`;
}

function print(consent: Consent, options: Common): void {
  if (options.json) {
    console.log(JSON.stringify(withState(consent), null, 2));
    return;
  }
  const { granted, withdrawn } = consent;
  const who = (act: Consent['granted']): string =>
    act.basis === 'host' ? 'by command' : `by ${act.basis} ${act.issuer}#${act.subject}`;
  console.log(
    [
      `consent    ${consent.id}`,
      `state      ${withState(consent).state}`,
      `patient    ${consent.patient} of ${consent.tenant}`,
      `to         ${whom(consent.grantee)}`,
      `parts      ${what(consent)}`,
      `from       ${moment(consent.from)}`,
      `until      ${moment(consent.until)}`,
      `granted    ${moment(granted.at)} ${who(granted)}`,
      ...(withdrawn === undefined ? [] : [`withdrawn  ${moment(withdrawn.at)} ${who(withdrawn)}`]),
    ].join('\n'),
  );
}
