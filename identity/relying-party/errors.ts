import { AuthorizationResponseError, ResponseBodyError } from 'openid-client';
import { ChartgateError } from '../../contracts/errors.ts';
import { refuseSignIn, type SignInRefusal } from './types.ts';

/** RFC 6749 §4.1.2.1, OpenID Connect Core 1.0 §3.1.2.6: what a log may repeat, because it is one of these. */
const DECLINED: ReadonlySet<string> = new Set([
  'access_denied',
  'login_required',
  'consent_required',
  'interaction_required',
  'account_selection_required',
  'unmet_authentication_requirements',
]);
const TOKEN_ERRORS: ReadonlySet<string> = new Set([
  'invalid_request',
  'invalid_client',
  'invalid_grant',
  'invalid_scope',
  'invalid_target',
  'unauthorized_client',
  'unsupported_grant_type',
]);
/** Codes of the library that mean "no answer", not "a wrong one". */
const UNANSWERED: ReadonlySet<string> = new Set(['OAUTH_TIMEOUT', 'OAUTH_ABORT']);

/** What went wrong, without a word of the issuer's or the browser's: those may hold anything. */
export function refusalOf(error: unknown): SignInRefusal {
  if (error instanceof AuthorizationResponseError) {
    if (DECLINED.has(error.error)) return refuseSignIn('declined', error.error);
    if (error.error === 'temporarily_unavailable' || error.error === 'server_error')
      return refuseSignIn('unavailable', error.error);
    return refuseSignIn('refused', 'authorization response');
  }
  if (error instanceof ResponseBodyError) {
    if (error.status >= 500) return refuseSignIn('unavailable', 'token endpoint');
    return refuseSignIn('refused', TOKEN_ERRORS.has(error.error) ? error.error : 'token endpoint');
  }
  if (error instanceof ChartgateError && error.code === 'backend-unavailable')
    return refuseSignIn('unavailable', 'issuer');
  const code = codeOf(error);
  if (code !== undefined && UNANSWERED.has(code)) return refuseSignIn('unavailable', code);
  // The connection itself: undici's fetch fails with this and nothing else.
  if (error instanceof TypeError && error.message === 'fetch failed')
    return refuseSignIn('unavailable', 'issuer');
  if (code === 'OAUTH_RESPONSE_IS_NOT_CONFORM' && isServerError(error))
    return refuseSignIn('unavailable', 'issuer');
  return refuseSignIn('refused', code ?? 'unexpected');
}

/** A code is a constant of the library. */
function codeOf(error: unknown): string | undefined {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return typeof code === 'string' && /^OAUTH_[A-Z_]{1,60}$/.test(code) ? code : undefined;
}

function isServerError(error: unknown): boolean {
  const cause = error instanceof Error ? error.cause : undefined;
  return cause instanceof Response && cause.status >= 500;
}
