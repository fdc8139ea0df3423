import {
  renderEnrolChoice,
  renderEnrolPasskey,
  renderEnrolTotp,
  renderRecoveryCodes,
} from '../../console/index.ts';
import { type Refused, sourceOf } from '../../identity/factors/index.ts';
import { type Session, setCookie } from '../../identity/sessions/index.ts';
import { type OwnAnswer, pageAnswer, redirect } from './answer.ts';
import { type Fields, only } from './body.ts';
import type { Call } from './call.ts';
import { factorSession, renewed } from './factor.ts';
import { toSignIn } from './lead.ts';
import { PAGES, returnAddress, withQuery } from './paths.ts';

/** `GET /.chartgate/enrol`: a first second factor, or, with a fresh proof of one, another. */
export async function askEnrolment(c: Call): Promise<OwnAnswer> {
  const returnTo = returnAddress(c.parameter('return'));
  const session = await factorSession(c);
  if (session === undefined) return toSignIn(c, returnTo);
  switch (c.parameter('method')) {
    case 'totp':
      return askTotp(c, session, returnTo);
    case 'passkey':
      return askPasskey(c, session, returnTo);
    default:
      return pageAnswer(
        200,
        renderEnrolChoice(c.site, {
          totpHref: withQuery(PAGES.enrol, { method: 'totp', return: returnTo }),
          passkeyHref: withQuery(PAGES.enrol, { method: 'passkey', return: returnTo }),
          required: session.stage !== 'open',
          ...(session.stage === 'open' ? { skipHref: PAGES.factors } : {}),
        }),
      );
  }
}

/** The first code of an app, or a new passkey; or that the recovery codes were put away. */
export async function giveEnrolment(c: Call, fields: Fields): Promise<OwnAnswer> {
  const returnTo = returnAddress(only(fields, 'return'));
  const session = await factorSession(c);
  if (session === undefined) return toSignIn(c, returnTo);
  const method = only(fields, 'method');
  if (method === 'kept') return redirect(c.method, session.stage === 'open' ? returnTo : PAGES.factor);
  const who = { principal: session.person, binding: session.id, factorAt: session.factorAt };
  if (method === 'totp') {
    const code = only(fields, 'code')?.trim() ?? '';
    if (code === '') return askTotp(c, session, returnTo, 'missing');
    const result = await c.browsers.factors.confirmTotp({ ...who, code, source: sourceOf(c.x.facts.peer) });
    return result.ok
      ? enrolled(c, session, result, returnTo)
      : refused(c, session, result, () => askTotp(c, session, returnTo, 'wrong'));
  }
  if (method !== 'passkey') return c.refuse(400, 'bad-request', 'factor-refused', 'method');
  const response = only(fields, 'passkey') ?? '';
  if (response === '') return askPasskey(c, session, returnTo, 'missing');
  const result = await c.browsers.factors.finishPasskeyRegistration({
    ...who,
    site: c.browsers.passkeySite(session.tenant, c.x.facts.authority),
    response,
    name: only(fields, 'name') ?? '',
  });
  return result.ok
    ? enrolled(c, session, result, returnTo)
    : refused(c, session, result, () => askPasskey(c, session, returnTo, 'refused'));
}

async function enrolled(
  c: Call,
  session: Session,
  proof: {
    readonly amr: readonly string[];
    readonly at: number;
    readonly recoveryCodes: readonly string[] | undefined;
  },
  returnTo: string,
): Promise<OwnAnswer> {
  const secret = await renewed(c, session, proof);
  if (secret === undefined) return toSignIn(c, returnTo);
  await c.note('factor-enrolled', session);
  if (session.stage !== 'open') await c.note('signed-in', session);
  const cookies = [setCookie('session', secret)];
  if (proof.recoveryCodes === undefined)
    return redirect(c.method, returnTo, { reason: 'signed-in', cookies });
  const page = renderRecoveryCodes(c.site, {
    // The session has a new name already, which the next form must fit.
    form: c.form(PAGES.enrol, { method: 'kept', return: returnTo }, secret),
    codes: proof.recoveryCodes,
  });
  return pageAnswer(200, page, { reason: 'signed-in', cookies });
}

async function refused(
  c: Call,
  session: Session,
  result: Refused,
  again: () => Promise<OwnAnswer>,
): Promise<OwnAnswer> {
  await c.note('factor-failed', session, result.why);
  c.x.failed('factor-refused', result.why);
  if (result.reason === 'factor-needed') return proofFirst(c);
  if (result.reason === 'refused') return again();
  return c.refuse(429, 'too-many', 'factor-refused', result.why);
}

/** Whoever has a factor proves it before adding another. */
function proofFirst(c: Call): OwnAnswer {
  return redirect(c.method, withQuery(PAGES.factor, { return: PAGES.factors }), { reason: 'factor-stale' });
}

async function askTotp(
  c: Call,
  session: Session,
  returnTo: string,
  problem?: 'wrong' | 'missing',
): Promise<OwnAnswer> {
  const begun = await c.browsers.factors.beginTotp({
    principal: session.person,
    binding: session.id,
    factorAt: session.factorAt,
    issuerLabel: c.site.brand.name,
    accountLabel: accountLabel(session),
  });
  if (!begun.ok) {
    if (begun.reason === 'factor-needed') return proofFirst(c);
    return c.refuse(403, 'failed', 'factor-refused', begun.why);
  }
  const page = renderEnrolTotp(c.site, {
    form: c.form(PAGES.enrol, { method: 'totp', return: returnTo }),
    qr: begun.qr,
    key: begun.key,
    problems: problem === undefined ? undefined : [problem],
    otherHref: withQuery(PAGES.enrol, { return: returnTo }),
    cancelHref: PAGES.signOut,
  });
  return pageAnswer(problem === undefined ? 200 : 403, page);
}

async function askPasskey(
  c: Call,
  session: Session,
  returnTo: string,
  problem?: 'refused' | 'missing',
): Promise<OwnAnswer> {
  const begun = await c.browsers.factors.beginPasskeyRegistration({
    principal: session.person,
    binding: session.id,
    factorAt: session.factorAt,
    site: c.browsers.passkeySite(session.tenant, c.x.facts.authority),
    accountLabel: accountLabel(session),
  });
  if (!begun.ok) {
    if (begun.reason === 'factor-needed') return proofFirst(c);
    return c.refuse(403, 'failed', 'factor-refused', begun.why);
  }
  const page = renderEnrolPasskey(c.site, {
    form: c.form(PAGES.enrol, { method: 'passkey', return: returnTo }),
    options: begun.options,
    problems: problem === undefined ? undefined : [problem],
    otherHref: withQuery(PAGES.enrol, { return: returnTo }),
    cancelHref: PAGES.signOut,
  });
  return pageAnswer(problem === undefined ? 200 : 403, page);
}

/** What an app lists the account as: the issuer's subject where it is short and plain, which is all that is known. */
function accountLabel({ subject }: Session): string {
  return /^[A-Za-z0-9._@+-]{1,64}$/.test(subject) ? subject : 'account';
}
