import { resolve } from 'node:path';
import type { Command } from 'commander';
import { loadGatewaySettings } from '../../config/index.ts';
import { systemClock } from '../../contracts/clock.ts';
import { ChartgateError } from '../../contracts/errors.ts';
import type { IssuerSettings } from '../../contracts/settings.ts';
import {
  createFactors,
  type Factors,
  factorPrincipal,
  type Refused,
  type ResetAuthority,
  type ResetPerson,
  type ResetRequest,
} from '../../identity/factors/index.ts';
import { Sessions } from '../../identity/sessions/index.ts';
import { createSealer, openState } from '../../identity/state/index.ts';
import { Credentials } from '../accounts/credentials.ts';
import { EXIT, fail } from '../output.ts';

interface Common {
  readonly config: string;
  readonly issuer: string;
  readonly json?: true;
}
type Acting = Common & { readonly as: string };

interface Opened {
  readonly factors: Factors;
  readonly authority: ResetAuthority;
  person(subject: string): ResetPerson;
  /** Ends whatever somebody has open; running gateways notice within a second. */
  endSessions(subject: string): Promise<number>;
}

interface Said {
  readonly json: Readonly<Record<string, unknown>>;
  readonly text: string;
}

const NOTES = `
Run it on the gateway's host as the gateway's OS user. It is for people of an issuer for whom the gateway asks for the
second factor (secondFactor: { by: gateway, administrators: […] }); accounts of the embedded issuer have
"chartgate user reset-factors". Each administrator proves himself by a code of his own second factor, or a recovery
code, asked for at the terminal; otherwise it is a line of standard input.

Exit codes: ${EXIT.ok} done or asked for, ${EXIT.finding} a rule refused it, ${EXIT.usage} wrong usage or code, ${EXIT.configuration} faulty
settings, ${EXIT.unavailable} the store cannot be reached.`;

/** `chartgate factor reset|approve|reject|list`. */
export function register(program: Command): void {
  const factor = program
    .command('factor')
    .description('Second factors that the gateway asks for: resetting them takes two administrators.');
  const add = (name: string, description: string): Command =>
    factor
      .command(name)
      .description(description)
      .requiredOption('--config <file>', "the gateway's settings")
      .requiredOption('--issuer <id>', 'id of the issuer whose people they are')
      .option('--json', 'print the result as JSON')
      .addHelpText('after', NOTES);
  const acting = (name: string, description: string): Command =>
    add(name, description).requiredOption('--as <subject>', 'the administrator who acts');

  acting('reset', 'Ask that all second factors of whoever lost them be removed.')
    .argument('<subject>', 'the person, as the issuer names them (sub)')
    .action((subject: string, options: Acting) =>
      acts(options, async ({ factors, authority, person }, actor) => {
        const asked = granted(await factors.requestReset(authority, { actor, member: person(subject) }));
        return {
          json: { request: requestJson(asked) },
          text: `Asked for. Another administrator approves it: chartgate factor approve ${asked.id} --issuer ${options.issuer} --as SUBJECT --config FILE`,
        };
      }),
    );
  acting('approve', 'Approve a request of another administrator. Factors and sessions end at once.')
    .argument('<request>', 'id of the request')
    .action((id: string, options: Acting) =>
      acts(options, async ({ factors, authority, endSessions }, actor) => {
        const { subject } = granted(await factors.approveReset(authority, { actor, id }));
        const sessions = await endSessions(subject);
        return {
          json: { subject, sessions },
          text: `Done. ${subject} enrols anew at the next sign-in; ${sessions} sessions were ended.`,
        };
      }),
    );
  acting('reject', 'Throw a request away.')
    .argument('<request>', 'id of the request')
    .action((id: string, options: Acting) =>
      acts(options, async ({ factors, authority }, actor) => {
        granted(await factors.rejectReset(authority, { actor, id }));
        return { json: {}, text: 'Rejected.' };
      }),
    );
  add('list', 'List the requests that wait.').action((options: Common) =>
    withFactors(options, async ({ factors }) => {
      const requests = await factors.listResets(options.issuer);
      return {
        json: { requests: requests.map(requestJson) },
        text: requests.map(requestLine).join('\n') || 'none',
      };
    }),
  );
}

/** A rule said no. */
class RefusedByRule extends Error {
  readonly refused: Refused;

  constructor(refused: Refused) {
    super(refused.why);
    this.refused = refused;
  }
}

function granted<T extends { readonly ok: true }>(result: T | Refused): T {
  if (!result.ok) throw new RefusedByRule(result);
  return result;
}

const acts = (options: Acting, act: (opened: Opened, actor: ResetPerson) => Promise<Said>): Promise<void> =>
  withFactors(options, async (opened) => {
    const actor = opened.person(options.as);
    await prove(opened, actor, options);
    return act(opened, actor);
  });

/** Whoever is no administrator is told the same as whoever types a wrong code, after as much work. */
async function prove({ factors, authority }: Opened, actor: ResetPerson, options: Acting): Promise<void> {
  const credentials = new Credentials();
  try {
    const code = await credentials.ask(`Code of the second factor of ${actor.subject}: `);
    const method = /^\d{6}$/.test(code.replaceAll(' ', '')) ? 'totp' : 'recovery-code';
    const proved = await factors.verify({
      principal: actor.principal,
      method,
      code,
      source: 'command line',
    });
    if (!proved.ok || !(await authority.isAdministrator(actor.subject, options.issuer)))
      throw new ChartgateError('usage', `${actor.subject}: is no administrator, or the code is not right`);
  } finally {
    credentials.close();
  }
}

async function withFactors(options: Common, act: (opened: Opened) => Promise<Said>): Promise<void> {
  let close: (() => Promise<void>) | undefined;
  try {
    const settings = loadGatewaySettings(resolve(options.config));
    const issuer = settings.issuers.find(({ id }) => id === options.issuer);
    const { state, stateKeys, sessions } = settings;
    if (issuer?.secondFactor?.by !== 'gateway')
      throw new ChartgateError(
        'usage',
        `${options.issuer}: is no issuer with "secondFactor: { by: gateway }"`,
      );
    if (state === undefined || stateKeys === undefined || sessions === undefined)
      throw new ChartgateError('usage', `${options.config}: these settings have no "state"`);
    const store = await openState(state);
    close = () => store.close();
    const common = { store, sealer: createSealer(stateKeys), clock: systemClock };
    const open = new Sessions({ ...common, settings: sessions });
    const said = await act({
      factors: createFactors(common),
      authority: authorityOf(issuer, issuer.secondFactor.administrators ?? []),
      person: (subject) => ({ subject, principal: factorPrincipal(issuer.issuer, subject) }),
      endSessions: (subject) => open.endByIssuer(issuer.issuer, { subject }),
    });
    console.log(options.json ? JSON.stringify({ ok: true, ...said.json }, null, 2) : said.text);
    await store.close();
  } catch (error) {
    await close?.().catch(() => {});
    if (!(error instanceof RefusedByRule)) fail(error);
    const reason = error.refused.why;
    const message = SENTENCES[reason] ?? 'refused';
    if (options.json) console.log(JSON.stringify({ ok: false, reason, message }, null, 2));
    else console.error(`chartgate: ${message}`);
    process.exitCode = EXIT.finding;
  }
}

/** The people of one issuer are one organisation; its administrators are those whom the settings name. */
function authorityOf(issuer: IssuerSettings, administrators: readonly string[]): ResetAuthority {
  return {
    organisationOf: async () => issuer.id,
    isAdministrator: async (subject, organisation) =>
      organisation === issuer.id && administrators.includes(subject),
  };
}

const SENTENCES: Readonly<Partial<Record<Refused['why'], string>>> = Object.freeze({
  'own-factors': 'nobody resets his own factors',
  'same-administrator': 'nobody approves what he asked for; it takes a second person',
  'not-administrator': 'whoever asked or acts is no administrator of this issuer (any more)',
  'request-unknown': 'there is no such request, or it was decided or has expired',
  'too-many-factors': 'too many requests for this person wait already',
  'changed-meanwhile': 'it was changed meanwhile; try again',
});

const requestJson = ({ id, subject, organisation, by, requestedAt, expiresAt }: ResetRequest) => ({
  id,
  issuer: organisation,
  subject,
  by,
  requestedAt,
  expiresAt,
});

const requestLine = ({ id, subject, by, expiresAt }: ResetRequest): string =>
  `${id}  ${subject}  by ${by}  until ${new Date(expiresAt * 1000).toISOString().slice(0, 16).replace('T', ' ')}`;
