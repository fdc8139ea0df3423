import type { IssuerProcessSettings } from '../../../contracts/issuer-settings.ts';

/** SMART App Launch 2.2, "Capability Sets" and "Capabilities". */
const CAPABILITIES = Object.freeze([
  'launch-ehr',
  'launch-standalone',
  'client-public',
  'client-confidential-symmetric',
  'client-confidential-asymmetric',
  'sso-openid-connect',
  'context-banner',
  'context-ehr-patient',
  'context-standalone-patient',
  'permission-offline',
  'permission-online',
  'permission-patient',
  'permission-user',
  'permission-v1',
  'permission-v2',
]);

/**
 * `/.well-known/smart-configuration` of a FHIR base (SMART App Launch 2.2, "FHIR Authorization Endpoint and
 * Capabilities Discovery"). The gateway of the FHIR server's host serves it below that base.
 */
export function smartConfiguration(
  settings: Pick<IssuerProcessSettings, 'issuer'>,
  path: (name: string) => string,
): Readonly<Record<string, unknown>> {
  const url = (name: string) => new URL(path(name), settings.issuer).href;
  return Object.freeze({
    issuer: settings.issuer,
    jwks_uri: url('jwks'),
    authorization_endpoint: url('authorization'),
    token_endpoint: url('token'),
    introspection_endpoint: url('introspection'),
    revocation_endpoint: url('revocation'),
    grant_types_supported: ['authorization_code', 'client_credentials'],
    token_endpoint_auth_methods_supported: [
      'client_secret_basic',
      'client_secret_post',
      'private_key_jwt',
      'none',
    ],
    token_endpoint_auth_signing_alg_values_supported: ['ES256', 'ES384', 'PS256', 'PS384', 'RS256'],
    code_challenge_methods_supported: ['S256'],
    response_types_supported: ['code'],
    scopes_supported: [
      'openid',
      'profile',
      'fhirUser',
      'launch',
      'launch/patient',
      'offline_access',
      'online_access',
      'patient/*.rs',
      'patient/*.cruds',
      'user/*.rs',
      'user/*.cruds',
      'system/*.rs',
    ],
    capabilities: CAPABILITIES,
  });
}
