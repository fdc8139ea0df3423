import { createPrivateKey } from 'node:crypto';
import { importPKCS8 } from 'jose';
import {
  type ClientAuth,
  type ClientMetadata,
  ClientSecretBasic,
  ClientSecretPost,
  type Configuration,
  clockTolerance,
  customFetch,
  discovery,
  enableNonRepudiationChecks,
  PrivateKeyJwt,
} from 'openid-client';
import { ChartgateError } from '../../contracts/errors.ts';
import type { IssuerSettings, RelyingPartySettings } from '../../contracts/settings.ts';
import { ISSUER_TIMEOUT_MS, type IssuerHttp } from '../issuer-http.ts';

/** Where a browser is sent, and what is asked of the gateway's own side: nothing but TLS. */
const ENDPOINTS = [
  'authorization_endpoint',
  'token_endpoint',
  'pushed_authorization_request_endpoint',
  'end_session_endpoint',
  'jwks_uri',
] as const;

/**
 * The gateway as a client of one issuer, by the issuer's metadata as it is now (OpenID Connect Discovery 1.0 §4).
 * @throws whatever went wrong; `refusalOf` tells what may be said of it
 */
export async function discoverClient(
  settings: IssuerSettings,
  party: RelyingPartySettings,
  http: IssuerHttp,
): Promise<Configuration> {
  const metadata: Partial<ClientMetadata> = {
    // The library takes only positive numbers, and 30 seconds for none.
    [clockTolerance]: Math.max(1, settings.skewSeconds),
  };
  const configuration = await discovery(
    new URL(settings.issuer),
    party.clientId,
    metadata,
    await clientAuthentication(party),
    {
      timeout: ISSUER_TIMEOUT_MS / 1000,
      [customFetch]: (url, options) => http.fetch(url, options),
    },
  );
  const server = configuration.serverMetadata();
  // The library compares normalised URLs and makes exceptions for two products; an issuer is one exact string.
  if (server.issuer !== settings.issuer) throw unusable(settings, 'its metadata names another issuer');
  for (const name of ENDPOINTS) {
    const endpoint = server[name];
    if (endpoint !== undefined && URL.parse(endpoint)?.protocol !== 'https:')
      throw unusable(settings, `${name} is no https URL`);
  }
  if (server.authorization_endpoint === undefined || server.jwks_uri === undefined)
    throw unusable(settings, 'its metadata has no authorization endpoint or no key set');
  const { code_challenge_methods_supported: challenges } = server;
  if (challenges !== undefined && !challenges.includes('S256'))
    throw unusable(settings, 'it does not support PKCE by S256 (RFC 7636)');
  // Without this the library would believe an ID token because it came over TLS (OpenID Connect Core 1.0
  // §3.1.3.7 allows that); its signature is verified all the same.
  enableNonRepudiationChecks(configuration);
  return configuration;
}

function unusable(settings: IssuerSettings, why: string): ChartgateError {
  return new ChartgateError('backend-unavailable', `issuer ${settings.id}: ${why}`);
}

async function clientAuthentication({ authentication }: RelyingPartySettings): Promise<ClientAuth> {
  if (authentication.method === 'key') {
    const pem = createPrivateKey(authentication.key.reveal()).export({ type: 'pkcs8', format: 'pem' });
    const key = await importPKCS8(pem.toString(), authentication.algorithm);
    const { keyId } = authentication;
    return PrivateKeyJwt(keyId === undefined ? key : { key, kid: keyId });
  }
  const secret = authentication.secret.reveal().toString('utf8');
  const basic = ClientSecretBasic(secret);
  const post = ClientSecretPost(secret);
  return (server, client, body, headers) => {
    // RFC 8414 §2: where nothing is said, it is client_secret_basic.
    const supported = server.token_endpoint_auth_methods_supported ?? ['client_secret_basic'];
    const onlyPost = supported.includes('client_secret_post') && !supported.includes('client_secret_basic');
    (onlyPost ? post : basic)(server, client, body, headers);
  };
}
