import type { BrandSettings } from '../contracts/brand.ts';
import type { IssuerPages } from '../identity/issuer/index.ts';
import {
  renderAccount,
  renderChoosePatient,
  renderConsent,
  renderEnrolPasskey,
  renderEnrolTotp,
  renderError,
  renderFactor,
  renderFactors,
  renderPassword,
  renderRecovery,
  renderRecoveryCodes,
  renderSignedOut,
  renderSignIn,
  renderSignOut,
  renderUnavailable,
} from './pages/index.ts';
import { createSite } from './site.ts';

/**
 * The pages of the embedded issuer.
 * @param issuer its URL; the policy of the pages then names the very files of that host
 * @throws `configuration-invalid` for a brand that cannot be used
 */
export function createIssuerPages(brand: BrandSettings | undefined, issuer?: string): IssuerPages {
  const site = createSite({
    brand,
    assetPath: '/assets/',
    origins: issuer === undefined ? undefined : [new URL(issuer).origin],
  });
  return Object.freeze({
    signIn: (model) => renderSignIn(site, model),
    password: (model) => renderPassword(site, model),
    factor: (model) => renderFactor(site, model),
    enrolTotp: (model) => renderEnrolTotp(site, model),
    enrolPasskey: (model) => renderEnrolPasskey(site, model),
    recoveryCodes: (model) => renderRecoveryCodes(site, model),
    recovery: (model) => renderRecovery(site, model),
    consent: (model) => renderConsent(site, model),
    choosePatient: (model) => renderChoosePatient(site, model),
    account: (model) => renderAccount(site, model),
    factors: (model) => renderFactors(site, model),
    signOut: (model) => renderSignOut(site, model),
    signedOut: () => renderSignedOut(site, {}),
    error: (model) => renderError(site, model),
    unavailable: (requestId) => renderUnavailable(site, { kind: 'unavailable', requestId }),
    asset: (path) => site.asset(path),
  } satisfies IssuerPages);
}
