import { renderFactor } from '../../console/index.ts';
import { type FactorMethod, type FactorState, type Refused, sourceOf } from '../../identity/factors/index.ts';
import { type Session, setCookie } from '../../identity/sessions/index.ts';
import { type OwnAnswer, pageAnswer, redirect } from './answer.ts';
import { type Fields, only } from './body.ts';
import type { Call } from './call.ts';
import { toSignIn } from './lead.ts';
import { PAGES, returnAddress, withQuery } from './paths.ts';

type Problem = NonNullable<Parameters<typeof renderFactor>[1]['problems']>[number];

/** `GET /.chartgate/factor`: the second factor, asked for by the gateway itself, at sign-in and for step-up. */
export async function askFactor(c: Call): Promise<OwnAnswer> {
  const returnTo = returnAddress(c.parameter('return'));
  const session = await factorSession(c);
  if (session === undefined) return toSignIn(c, returnTo);
  const state = await c.browsers.factors.state(session.person);
  if (!state.enrolled) return redirect(c.method, withQuery(PAGES.enrol, { return: returnTo }));
  return ask(c, session, state, { method: methodOf(c.parameter('method'), state), returnTo });
}

/** What was typed, or what a passkey said. One try; right, and the session gets a new name. */
export async function giveFactor(c: Call, fields: Fields): Promise<OwnAnswer> {
  const returnTo = returnAddress(only(fields, 'return'));
  const session = await factorSession(c);
  if (session === undefined) return toSignIn(c, returnTo);
  const { factors } = c.browsers;
  const state = await factors.state(session.person);
  const method = methodOf(only(fields, 'method'), state);
  const given = only(fields, method === 'passkey' ? 'passkey' : 'code')?.trim() ?? '';
  if (given === '') return ask(c, session, state, { method, returnTo, problem: 'missing' });
  const { authority, peer } = c.x.facts;
  const principal = session.person;
  const result =
    method === 'passkey'
      ? await factors.finishPasskey({
          principal,
          binding: session.id,
          site: c.browsers.passkeySite(session.tenant, authority),
          response: given,
        })
      : await factors.verify({ principal, method, code: given, source: sourceOf(peer) });
  if (!result.ok) {
    await c.note('factor-failed', session, result.why);
    c.x.failed('factor-refused', result.why);
    return ask(c, session, state, { method, returnTo, problem: problemOf(result), refused: result });
  }
  return proved(c, session, result, returnTo);
}

/** After a proof: the session is opened, or its factor is fresh again, under a new name. */
export async function renewed(
  c: Call,
  session: Session,
  proof: { readonly amr: readonly string[]; readonly at: number },
): Promise<string | undefined> {
  const opened = await c.browsers.sessions.renew(session, {
    stage: 'open',
    factorAt: proof.at,
    methods: [...new Set([...session.methods, ...proof.amr])],
  });
  return opened?.secret;
}

async function proved(
  c: Call,
  session: Session,
  proof: { readonly amr: readonly string[]; readonly at: number },
  returnTo: string,
): Promise<OwnAnswer> {
  const secret = await renewed(c, session, proof);
  if (secret === undefined) return toSignIn(c, returnTo);
  await c.note('factor-given', session);
  await c.note(session.stage === 'open' ? 'stepped-up' : 'signed-in', session);
  return redirect(c.method, returnTo, { reason: 'signed-in', cookies: [setCookie('session', secret)] });
}

/** Of a person whose second factor is the gateway's to ask for; nobody else has one here. */
export async function factorSession(c: Call): Promise<Session | undefined> {
  const session = await c.session();
  if (session === undefined) return undefined;
  return c.browsers.issuer(session.issuerId)?.secondFactor?.by === 'gateway' ? session : undefined;
}

async function ask(
  c: Call,
  session: Session,
  state: FactorState,
  how: { method: FactorMethod; returnTo: string; problem?: Problem; refused?: Refused },
): Promise<OwnAnswer> {
  const { method, returnTo, problem, refused } = how;
  let options: unknown;
  if (method === 'passkey') {
    const begun = await c.browsers.factors.beginPasskey({
      principal: session.person,
      binding: session.id,
      site: c.browsers.passkeySite(session.tenant, c.x.facts.authority),
    });
    if (!begun.ok) return c.refuse(400, 'failed', 'factor-refused', begun.why);
    options = begun.options;
  }
  const page = renderFactor(c.site, {
    form: c.form(PAGES.factor, { method, return: returnTo }),
    method,
    options,
    others: methodsOf(state)
      .filter((other) => other !== method)
      .map((other) => ({
        method: other,
        href: withQuery(PAGES.factor, { method: other, return: returnTo }),
      })),
    purpose: session.stage === 'open' ? 'step-up' : 'sign-in',
    problems: problem === undefined ? undefined : [problem],
    retryAfter: refused?.retryAfter,
    cancelHref: PAGES.signOut,
  });
  const status = problem === undefined ? 200 : problem === 'later' ? 429 : 403;
  return pageAnswer(status, page, { reason: problem === undefined ? 'own-page' : 'factor-refused' });
}

const PROBLEMS: Readonly<Record<Refused['reason'], Problem>> = Object.freeze({
  refused: 'wrong',
  'try-later': 'later',
  'ask-administrator': 'closed',
  'factor-needed': 'stale',
});

function problemOf(refused: Refused): Problem {
  return PROBLEMS[refused.reason];
}

/** A recovery code is offered whether or not any is left: how many there are is nobody's business before the proof. */
function methodsOf(state: FactorState): readonly FactorMethod[] {
  const methods: FactorMethod[] = [];
  if (state.passkeys.length > 0) methods.push('passkey');
  if (state.totp === 'active') methods.push('totp');
  methods.push('recovery-code');
  return methods;
}

/** Typed codes first: they work without a script. */
function methodOf(asked: string | undefined, state: FactorState): FactorMethod {
  const methods = methodsOf(state);
  return (
    methods.find((method) => method === asked) ??
    methods.find((method) => method === 'totp') ??
    methods[0] ??
    'recovery-code'
  );
}
