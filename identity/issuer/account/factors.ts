import { rememberPrincipal } from '../principals.ts';
import type { FactorRefused, FactorState } from '../second-factors.ts';
import { ACCOUNT_PAGES } from './entrance.ts';
import {
  type Answer,
  bindingOf,
  factorAt,
  field,
  formFor,
  keepProof,
  passkeySite,
  proofFirst,
  said,
  shown,
  stale,
  type Visit,
} from './visit.ts';

/** `/account/factors`: which there are; removes one, or makes new recovery codes. */
export async function factors(visit: Visit): Promise<Answer> {
  const { parts, principal, form } = visit;
  const state = await parts.factors.state(principal);
  const remove = field(visit, 'remove');
  const codes = field(visit, 'do') === 'new-codes';
  if (form === undefined || (remove === '' && !codes)) return list(visit, state, stale(visit));
  const missing = proofFirst(visit, state, 'factors');
  if (missing !== undefined) return missing;
  const who = { principal, factorAt: factorAt(visit) };
  if (codes) {
    const made = await parts.factors.newRecoveryCodes(who);
    return made.ok ? codesPage(visit, made.codes) : refused(visit, made);
  }
  const removed =
    remove === 'totp' ? await parts.factors.removeTotp(who) : await parts.factors.removePasskey(who, remove);
  if (!removed.ok) return refused(visit, removed);
  parts.log('factor-removed', { requestId: visit.requestId });
  return { location: ACCOUNT_PAGES.factors };
}

async function refused(visit: Visit, { why }: FactorRefused): Promise<Answer> {
  const { parts, principal, requestId } = visit;
  parts.log('factor-change-refused', { requestId, why });
  return list(visit, await parts.factors.state(principal), [why === 'last-factor' ? 'last' : 'busy']);
}

function list(visit: Visit, state: FactorState, problems: readonly ('last' | 'stale' | 'busy')[]): Answer {
  const usable = state.passkeys.filter(({ suspended }) => !suspended).length;
  return shown(
    visit.parts.pages.factors({
      form: formFor(visit, 'factors'),
      totp: state.totp === 'active',
      passkeys: state.passkeys.map(({ id, name, createdAt, lastUsedAt }) => ({
        id,
        name,
        addedAt: createdAt * 1000,
        lastUsedAt: lastUsedAt === undefined ? undefined : lastUsedAt * 1000,
      })),
      recoveryCodesLeft: state.recoveryCodesLeft,
      // Also in place of the present one: a new telephone.
      addTotpHref: ACCOUNT_PAGES.totp,
      addPasskeyHref: ACCOUNT_PAGES.passkey,
      newCodes: state.enrolled,
      removableTotp: state.totp === 'active' && usable > 0,
      backHref: ACCOUNT_PAGES.home,
      ...said(problems),
    }),
    problems,
  );
}

/** Shown this once. What its form sends only leads back. */
function codesPage(visit: Visit, codes: readonly string[]): Answer {
  return shown(visit.parts.pages.recoveryCodes({ form: formFor(visit, 'codes'), codes }), []);
}

/** `/account/factors/app`: an authenticator app, new or in place of the one before. */
export async function enrolTotp(visit: Visit): Promise<Answer> {
  const { parts, principal } = visit;
  const missing = proofFirst(visit, await parts.factors.state(principal), 'totp');
  if (missing !== undefined) return missing;
  if (visit.form === undefined) return totpPage(visit, stale(visit));
  const code = field(visit, 'code');
  if (code === '') return totpPage(visit, ['missing']);
  const proved = await parts.factors.confirmTotp({
    principal,
    binding: bindingOf(visit),
    code,
    source: visit.source,
    factorAt: factorAt(visit),
  });
  if (!proved.ok) {
    parts.log('enrolment-refused', { requestId: visit.requestId, why: proved.why });
    return totpPage(visit, ['wrong']);
  }
  return enrolled(visit, proved.recoveryCodes);
}

async function totpPage(visit: Visit, problems: readonly ('wrong' | 'missing' | 'stale')[]): Promise<Answer> {
  const { parts, person, principal } = visit;
  const begun = await parts.factors.beginTotp({
    principal,
    binding: bindingOf(visit),
    accountLabel: person.login,
    factorAt: factorAt(visit),
  });
  if (!begun.ok) return refused(visit, begun);
  return shown(
    parts.pages.enrolTotp({
      form: formFor(visit, 'totp'),
      qr: begun.qr,
      key: begun.key,
      account: person.login,
      cancelHref: ACCOUNT_PAGES.factors,
      ...said(problems),
    }),
    problems,
  );
}

/** `/account/factors/passkey`: one more. */
export async function enrolPasskey(visit: Visit): Promise<Answer> {
  const { parts, principal, person } = visit;
  const missing = proofFirst(visit, await parts.factors.state(principal), 'passkey');
  if (missing !== undefined) return missing;
  if (visit.form === undefined) return passkeyPage(visit, stale(visit));
  const [response, name] = [field(visit, 'passkey'), field(visit, 'name').trim()];
  if (response === '') return passkeyPage(visit, ['missing']);
  const registered = await parts.factors.finishPasskeyRegistration({
    principal,
    binding: bindingOf(visit),
    site: passkeySite(visit),
    response,
    name: name === '' ? 'Passkey' : name,
    factorAt: factorAt(visit),
  });
  if (!registered.ok) {
    parts.log('enrolment-refused', { requestId: visit.requestId, why: registered.why });
    return passkeyPage(visit, ['refused']);
  }
  await rememberPrincipal(parts, person.id);
  return enrolled(visit, registered.recoveryCodes);
}

async function passkeyPage(
  visit: Visit,
  problems: readonly ('refused' | 'missing' | 'stale')[],
): Promise<Answer> {
  const { parts, person, principal } = visit;
  const begun = await parts.factors.beginPasskeyRegistration({
    principal,
    binding: bindingOf(visit),
    site: passkeySite(visit),
    accountLabel: person.login,
    factorAt: factorAt(visit),
  });
  if (!begun.ok) return refused(visit, begun);
  return shown(
    parts.pages.enrolPasskey({
      form: formFor(visit, 'passkey'),
      options: begun.options,
      cancelHref: ACCOUNT_PAGES.factors,
      ...said(problems),
    }),
    problems,
  );
}

/** The new factor was shown just now. */
async function enrolled(visit: Visit, codes: readonly string[] | undefined): Promise<Answer> {
  await keepProof(visit);
  visit.parts.log('factor-enrolled', { requestId: visit.requestId });
  return codes === undefined || codes.length === 0
    ? { location: ACCOUNT_PAGES.factors }
    : codesPage(visit, codes);
}
