import type { PasswordPageProblem } from '../pages.ts';
import { endAccount } from '../sessions.ts';
import { ACCOUNT_PAGES } from './entrance.ts';
import { type Answer, field, formFor, proofFirst, said, shown, stale, type Visit } from './visit.ts';

/** `/account/password`: another password. Every session ends with the old one, this one too. */
export async function password(visit: Visit): Promise<Answer> {
  const { parts, person, principal } = visit;
  const missing = proofFirst(visit, await parts.factors.state(principal), 'password');
  if (missing !== undefined) return missing;
  if (visit.form === undefined) return passwordPage(visit, stale(visit));
  const [present, next] = [field(visit, 'present'), field(visit, 'password')];
  if (present === '') return passwordPage(visit, ['present-missing']);
  if (next === '') return passwordPage(visit, ['missing']);
  if (next !== field(visit, 'again')) return passwordPage(visit, ['mismatch']);
  const set = await parts.people.passwords.change({
    account: person.id,
    present,
    next,
    source: visit.source,
  });
  if (!set.ok) {
    if (set.reason === 'unacceptable') return passwordPage(visit, set.faults);
    return passwordPage(visit, [set.reason === 'busy' ? 'busy' : 'present-wrong']);
  }
  // The watch over accounts does it too; but not before the next page is asked for, perhaps.
  await endAccount(parts, person.id, parts.clock.wall());
  parts.log('password-changed', { requestId: visit.requestId });
  return { location: ACCOUNT_PAGES.home };
}

function passwordPage(visit: Visit, problems: readonly PasswordPageProblem[]): Answer {
  const { passwords } = visit.parts.settings.accounts;
  return shown(
    visit.parts.pages.password({
      form: formFor(visit, 'password'),
      login: visit.person.login,
      kind: 'change',
      rules: {
        minimum: passwords.minimumLength,
        classes: passwords.preset === 'eight-with-four-classes',
        history: passwords.remembered,
      },
      cancelHref: ACCOUNT_PAGES.home,
      ...said(problems),
    }),
    problems,
  );
}
