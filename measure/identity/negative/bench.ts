import { generateKeyPairSync } from 'node:crypto';
import { systemClock } from '../../../contracts/clock.ts';
import { parseTenantId, type TenantId } from '../../../contracts/identifiers.ts';
import type { AuthenticationResult } from '../../../contracts/principal.ts';
import type { IssuerSettings, Secret } from '../../../contracts/settings.ts';
import { createAuthenticator, type TokenAuthenticator } from '../../../identity/index.ts';
import { RelyingParty } from '../../../identity/relying-party/index.ts';
import { forge, partsOf } from './forge.ts';
import {
  AUDIENCE,
  type BenchProvider,
  CLIENT,
  REDIRECT,
  SCOPE,
  startProvider,
  type Tamper,
} from './provider.ts';

/** One attempt to be let in. True: it was. */
export interface NegativeCase {
  readonly name: string;
  readonly side: 'resource server' | 'relying party';
  /** True for one that must be let in, or the others would prove nothing. */
  readonly good?: true;
  run(bench: Bench): Promise<boolean>;
}

export interface Bench {
  readonly provider: BenchProvider;
  /** A second provider that the tenant trusts as well, for confusing one with the other. */
  readonly other: BenchProvider;
  readonly authenticator: TokenAuthenticator;
  readonly tenant: TenantId;
  /** A genuine token, with claims and header changed and signed by the provider's own key. */
  token(claims?: Record<string, unknown>, header?: Record<string, unknown>): Promise<string>;
  /** Whether the gateway lets this `Authorization` in. */
  present(authorization: string): Promise<boolean>;
  /** A whole sign-in, with the provider's answers and the browser's return tampered with. */
  signIn(options?: SignInTampering): Promise<boolean>;
  logout(token: string): Promise<boolean>;
  stop(): Promise<void>;
}

export interface SignInTampering {
  readonly tampers?: Readonly<Record<string, Tamper>>;
  /** Changes the query with which the browser comes back. */
  readonly response?: (query: URLSearchParams) => void;
  /** Changes what the gateway remembered, as if the response belonged to another sign-in. */
  readonly pending?: Record<string, string>;
  /** The same response twice; whether the second is let in counts. */
  readonly twice?: true;
}

/** A signature by nobody whom anybody trusts. */
export const STRANGER = generateKeyPairSync('ec', { namedCurve: 'P-256' });
export const STRANGER_RSA = generateKeyPairSync('rsa', { modulusLength: 2048 });

function secret(text: string): Secret {
  return { reveal: () => Buffer.from(text), toString: () => '[secret]', toJSON: () => '[secret]' };
}

function settingsOf(id: string, { issuer, authority, clientSecret }: BenchProvider): IssuerSettings {
  return {
    id,
    issuer,
    authority,
    algorithms: ['ES256', 'RS256'],
    skewSeconds: 5,
    cache: { maxTokens: 1000, maxSeconds: 60 },
    introspection: { clientId: CLIENT, clientSecret: secret(clientSecret) },
    relyingParty: {
      name: 'the bench',
      clientId: CLIENT,
      authentication: { method: 'secret', secret: secret(clientSecret) },
      scopes: [SCOPE],
      resourceIndicator: true,
      grants: undefined,
    },
  };
}

export async function openBench(): Promise<Bench> {
  const [provider, other] = await Promise.all([startProvider(), startProvider()]);
  const tenant = parseTenantId('clinic-a');
  if (tenant === undefined) throw new Error('no tenant');
  const settings = settingsOf('main', provider);
  const issuers = [settings, settingsOf('other', other)];
  const authenticator = createAuthenticator({ issuers, clock: systemClock });
  const genuine = partsOf(await provider.accessToken(AUDIENCE));

  const bench: Bench = {
    provider,
    other,
    authenticator,
    tenant,
    token: async (claims = {}, header = {}) => {
      const { kid, privateKey } = provider.keys.ES256;
      return forge(
        { ...genuine.header, kid, ...header },
        { ...genuine.claims, ...claims },
        privateKey,
        'ES256',
      );
    },
    async present(authorization) {
      const result: AuthenticationResult = await authenticator.authenticate({
        tenant,
        audience: AUDIENCE,
        issuers: ['main', 'other'],
        authorization,
        introspection: 'never',
      });
      return result.ok;
    },
    async signIn({ tampers = {}, response = () => undefined, pending = {}, twice } = {}) {
      const party = new RelyingParty(settings, systemClock);
      const request = { redirectUri: REDIRECT, audience: AUDIENCE };
      try {
        for (const [path, tamper] of Object.entries(tampers)) provider.tampers.set(path, tamper);
        const begun = await party.begin(request);
        if (!('url' in begun)) return false;
        const query = new URLSearchParams(await provider.visit(begun.url));
        response(query);
        const remembered = { ...request, ...begun, ...pending };
        const finish = () => party.finish(remembered, query.toString(), tenant, authenticator);
        const first = await finish();
        return twice === true ? first.ok && (await finish()).ok : first.ok;
      } finally {
        provider.tampers.clear();
        party.close();
      }
    },
    async logout(token) {
      const party = new RelyingParty(settings, systemClock);
      try {
        return typeof (await party.judgeLogout(token)) !== 'string';
      } finally {
        party.close();
      }
    },
    async stop() {
      authenticator.close();
      await Promise.all([provider.stop(), other.stop()]);
    },
  };
  return bench;
}
