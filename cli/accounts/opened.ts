import { resolve } from 'node:path';
import { loadIssuerSettings } from '../../config/index.ts';
import { systemClock } from '../../contracts/clock.ts';
import { ChartgateError } from '../../contracts/errors.ts';
import type { IssuerProcessSettings } from '../../contracts/issuer-settings.ts';
import type { StateStore } from '../../contracts/state.ts';
import { type Accounts, createAccounts, HOST, type Outcome } from '../../identity/accounts/index.ts';
import { createFactors, factorPrincipal } from '../../identity/factors/index.ts';
import { createSealer, openState } from '../../identity/state/index.ts';
import { EXIT, fail } from '../output.ts';
import { Credentials } from './credentials.ts';

/** Options of every command about accounts. */
export interface Common {
  readonly config: string;
  readonly as?: string;
  readonly json?: true;
}

export interface Opened {
  readonly accounts: Accounts;
  /** Whoever acts: `HOST`, or the account that `--as` named and that has signed in. */
  readonly actor: string;
}

/** What a command prints: the JSON with --json, else the text. */
export interface Said {
  readonly json: Readonly<Record<string, unknown>>;
  readonly text: string;
}

/** A rule said no. Ends the command with `EXIT.finding`, or with `EXIT.usage` where what was given is not right. */
class RefusedByRule extends Error {
  readonly outcome: Extract<Outcome<unknown>, { ok: false }>;

  constructor(outcome: Extract<Outcome<unknown>, { ok: false }>) {
    super(outcome.reason);
    this.outcome = outcome;
  }
}

/** The value of an outcome. @throws RefusedByRule, which `withAccounts` turns into a message */
export function granted<T>(outcome: Outcome<T>): T {
  if (!outcome.ok) throw new RefusedByRule(outcome);
  return outcome.value;
}

/** Opens the issuer's accounts, finds out who acts, does it, prints what came of it; errors end the process. */
export async function withAccounts(options: Common, act: (opened: Opened) => Promise<Said>): Promise<void> {
  let store: StateStore | undefined;
  try {
    const settings = loadIssuerSettings(resolve(options.config));
    store = await openState(settings.state);
    const accounts = createAccounts({ store, settings: settings.accounts, issuer: settings.issuer });
    const actor = options.as === undefined ? HOST : await signedIn(options.as, settings, store, accounts);
    const said = await act({ accounts, actor });
    console.log(options.json ? JSON.stringify({ ok: true, ...said.json }, null, 2) : said.text);
    await store.close();
  } catch (error) {
    await store?.close().catch(() => {});
    if (!(error instanceof RefusedByRule)) fail(error);
    const { reason, detail } = error.outcome;
    const message = `${SENTENCES[reason]}${detail === undefined ? '' : ` (${detail})`}`;
    if (options.json) console.log(JSON.stringify({ ok: false, reason, detail, message }, null, 2));
    else console.error(`chartgate: ${message}`);
    process.exitCode = reason === 'invalid' || reason === 'unknown-role' ? EXIT.usage : EXIT.finding;
  }
}

/** Password and, where the account has one or must have one, second factor; both are asked for. */
async function signedIn(
  login: string,
  settings: IssuerProcessSettings,
  store: StateStore,
  accounts: Accounts,
): Promise<string> {
  const credentials = new Credentials();
  try {
    const refused = new ChartgateError('usage', `${login}: could not be signed in`);
    const password = await credentials.ask(`Password of ${login}: `);
    const source = 'command line';
    const signed = await accounts.signIn.authenticate({ login, password, source });
    if (!signed.ok) throw refused;
    if (signed.change !== undefined) {
      throw new ChartgateError('usage', `${login}: the password must be changed first, at a sign-in page`);
    }
    const { id, roles } = signed.account;
    const factors = createFactors({
      store,
      sealer: createSealer(settings.stateKeys),
      clock: systemClock,
      issuerLabel: '',
    });
    const principal = factorPrincipal(settings.issuer, id);
    const { enrolled } = await factors.state(principal);
    const { required, exemptRoles } = settings.secondFactor;
    if (enrolled) {
      const code = await credentials.ask(`Code of the second factor of ${login}: `);
      const method = /^\d{6}$/.test(code.replaceAll(' ', '')) ? 'totp' : 'recovery-code';
      const proved = await factors.verify({ principal, method, code, source });
      if (!proved.ok) throw refused;
    } else if (required && !roles.every((role) => exemptRoles.includes(role))) {
      throw new ChartgateError('usage', `${login}: a second factor must be set up first, at a sign-in page`);
    }
    return id;
  } finally {
    credentials.close();
  }
}

const SENTENCES: Readonly<Record<Extract<Outcome<unknown>, { ok: false }>['reason'], string>> = Object.freeze(
  {
    'not-permitted': 'there is no such thing, or whoever acts has no say in it',
    'own-account': 'nobody does this for himself',
    'own-request': 'nobody approves what he asked for; it takes a second person',
    'requester-gone': 'whoever asked is no administrator any more; it must be asked for again',
    'request-closed': 'the request was decided already',
    'request-expired': 'the request has expired; it must be asked for again',
    'last-administrators': 'at least two administrators must stay; add another first',
    'changed-meanwhile': 'it was changed since it was looked at; look again',
    'wrong-status': 'the account is not in a state in which this can be done',
    'not-found': 'there is no such thing any more',
    'login-taken': 'the login is taken',
    'name-taken': 'the name is taken',
    'unknown-role': 'there is no such role in the organisation',
    invalid: 'a value has not the form that it must have',
  },
);
