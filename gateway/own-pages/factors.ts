import { renderFactors, renderRecoveryCodes } from '../../console/index.ts';
import type { Session } from '../../identity/sessions/index.ts';
import { type OwnAnswer, pageAnswer, redirect } from './answer.ts';
import { type Fields, only } from './body.ts';
import type { Call } from './call.ts';
import { factorSession } from './factor.ts';
import { toSignIn } from './lead.ts';
import { PAGES, withQuery } from './paths.ts';

/** `GET /.chartgate/factors`: one's own second factors, where the gateway asks for them. */
export async function listFactors(c: Call): Promise<OwnAnswer> {
  const issuer = c.browsers.issuer((await c.session())?.issuerId ?? '');
  // Of the embedded issuer's people it is the issuer that knows the factors.
  if (issuer?.embedded !== undefined && issuer.secondFactor?.by !== 'gateway')
    return redirect(c.method, `${issuer.issuer.replace(/\/$/, '')}/account/factors`);
  const session = await factorSession(c);
  return session?.stage === 'open' ? list(c, session) : toSignIn(c, PAGES.factors);
}

/** Removes one, or makes new recovery codes. Each wants a proof that is no older than ten minutes. */
export async function changeFactors(c: Call, fields: Fields): Promise<OwnAnswer> {
  const session = await factorSession(c);
  if (session?.stage !== 'open') return toSignIn(c, PAGES.factors);
  const who = { principal: session.person, factorAt: session.factorAt };
  const { factors } = c.browsers;
  if (only(fields, 'do') === 'new-codes') {
    const made = await factors.newRecoveryCodes(who);
    if (!made.ok) return proofFirst(c);
    await c.note('factor-enrolled', session, 'recovery codes');
    const form = c.form(PAGES.enrol, { method: 'kept', return: PAGES.factors });
    return pageAnswer(200, renderRecoveryCodes(c.site, { form, codes: made.codes }));
  }
  const id = only(fields, 'remove');
  if (id === undefined) return list(c, session);
  const result = id === 'totp' ? await factors.removeTotp(who) : await factors.removePasskey(who, id);
  if (result.ok) await c.note('factor-removed', session);
  else if (result.reason === 'factor-needed') return proofFirst(c);
  else c.x.failed('factor-refused', result.why);
  return list(c, session, result.ok ? undefined : 'last');
}

function proofFirst(c: Call): OwnAnswer {
  return redirect(c.method, withQuery(PAGES.factor, { return: PAGES.factors }), { reason: 'factor-stale' });
}

async function list(c: Call, session: Session, problem?: 'last'): Promise<OwnAnswer> {
  const state = await c.browsers.factors.state(session.person);
  const page = renderFactors(c.site, {
    form: c.form(PAGES.factors),
    totp: state.totp === 'active',
    passkeys: state.passkeys.map(({ id, name, createdAt, lastUsedAt }) => ({
      id,
      name,
      addedAt: createdAt * 1000,
      lastUsedAt: lastUsedAt === undefined ? undefined : lastUsedAt * 1000,
    })),
    recoveryCodesLeft: state.recoveryCodesLeft,
    addTotpHref:
      state.totp === 'active' ? undefined : withQuery(PAGES.enrol, { method: 'totp', return: PAGES.factors }),
    addPasskeyHref: withQuery(PAGES.enrol, { method: 'passkey', return: PAGES.factors }),
    newCodes: true,
    removableTotp: state.totp === 'active' && state.passkeys.length > 0,
    backHref: '/',
    problems: problem === undefined ? undefined : [problem],
  });
  return pageAnswer(problem === undefined ? 200 : 403, page);
}
