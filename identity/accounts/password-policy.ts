import type { PasswordSettings } from '../../contracts/account-settings.ts';
import { type PasswordText, parsePassword } from './password-text.ts';
import { containsName, estimate } from './strength.ts';

/** Why a new password is not taken. What a page says about each is the page's. */
export const PASSWORD_FAULTS = [
  /** Control characters, or longer than anybody would type. */
  'malformed',
  'too-short',
  'needs-four-classes',
  'contains-name',
  'common',
  'too-guessable',
  /** It is the present one or one of the last ones. */
  'used-before',
] as const;
export type PasswordFault = (typeof PASSWORD_FAULTS)[number];

/** What a guesser would try first: login, name, organisation. */
export interface PasswordContext {
  readonly names: readonly string[];
}

export type PasswordJudgement =
  | { readonly ok: true; readonly password: PasswordText }
  | { readonly ok: false; readonly faults: readonly PasswordFault[] };

const CLASSES = [/\p{Ll}/u, /\p{Lu}/u, /\p{Nd}/u, /[^\p{L}\p{N}]/u];

/**
 * Everything that is wrong with a new password, at once. There are no rules of composition (NIST SP 800-63B-4
 * §3.1.1.2) except in the preset for sites whose own rules demand them.
 */
export async function judgePassword(
  typed: string,
  settings: PasswordSettings,
  context: PasswordContext,
): Promise<PasswordJudgement> {
  const password = parsePassword(typed);
  if (password === undefined) return { ok: false, faults: typed === '' ? ['too-short'] : ['malformed'] };
  const faults: PasswordFault[] = [];
  if (password.length < settings.minimumLength) faults.push('too-short');
  if (
    settings.preset === 'eight-with-four-classes' &&
    !CLASSES.every((pattern) => pattern.test(password.text))
  ) {
    faults.push('needs-four-classes');
  }
  if (containsName(password.text, context.names)) faults.push('contains-name');
  const { score, common } = await estimate(password.text, context.names);
  if (common) faults.push('common');
  else if (score < settings.minimumStrength) faults.push('too-guessable');
  return faults.length === 0 ? { ok: true, password } : { ok: false, faults };
}
