import type { KeyObject } from 'node:crypto';
import type {
  GrantSettings,
  IssuerSettings,
  RelyingPartySettings,
  SecondFactorSettings,
  Secret,
  SessionSettings,
} from '../contracts/settings.ts';
import { privateKeyOf } from './pem.ts';
import {
  readPrivateKey,
  readSecret,
  SHORTEST_SHARED_SECRET,
  type Surroundings,
  socketPath,
} from './references.ts';
import { secretOf } from './secret.ts';
import type { View } from './view.ts';

export function sessionsOf(view: View): SessionSettings {
  const idleMs = view.at('idle').milliseconds ?? 0;
  const absoluteMs = view.at('absolute').milliseconds ?? 0;
  if (idleMs > absoluteMs && absoluteMs > 0) {
    view.at('idle').fault('is longer than "absolute", after which a session ends in any case');
  }
  return { idleMs, absoluteMs };
}

/** @param name for people, where none is written */
export function relyingPartyOf(
  view: View,
  around: Surroundings,
  name: string,
): RelyingPartySettings | undefined {
  if (!view.exists) return undefined;
  const secret = view.at('clientSecret');
  const key = view.at('clientKey');
  if (secret.exists === key.exists) {
    view.fault(
      secret.exists
        ? 'has both "clientSecret" and "clientKey"; give one of them'
        : 'needs "clientSecret" or "clientKey", by which the gateway proves itself to the issuer',
    );
  }
  if (view.at('clientKeyId').exists && !key.exists) {
    view.at('clientKeyId').fault('has no effect without "clientKey"', true);
  }
  return {
    clientId: view.at('clientId').text ?? '',
    name: view.at('name').text ?? name,
    authentication: key.exists
      ? { method: 'key', ...signingKeyOf(key, around), keyId: view.at('clientKeyId').text }
      : { method: 'secret', secret: readSecret(secret, around) },
    scopes: view.at('scopes').texts.filter((scope) => scope !== 'openid'),
    resourceIndicator: view.at('resourceIndicator').flag !== false,
    grants: grantsOf(view.at('grants')),
    rolesClaim: view.at('rolesClaim').text,
  };
}

function signingKeyOf(view: View, around: Surroundings): { key: Secret; algorithm: string } {
  const key = readPrivateKey(view, around);
  if (key === undefined) return { key: secretOf(Buffer.alloc(0)), algorithm: '' };
  const judged = privateKeyOf(key.reveal());
  if (!judged.ok) view.fault(judged.message);
  const algorithm = judged.ok ? algorithmOf(judged.value) : '';
  if (algorithm === undefined) {
    view.fault('must be a P-256 or Ed25519 key, or an RSA key of at least 2048 bits');
  }
  return { key, algorithm: algorithm ?? '' };
}

/** The signature algorithm (RFC 7518 §3.1, RFC 9864) that goes with a key. */
function algorithmOf(key: KeyObject): string | undefined {
  const details = key.asymmetricKeyDetails;
  if (key.asymmetricKeyType === 'ec') return details?.namedCurve === 'prime256v1' ? 'ES256' : undefined;
  if (key.asymmetricKeyType === 'ed25519') return 'Ed25519';
  if (key.asymmetricKeyType !== 'rsa') return undefined;
  return (details?.modulusLength ?? 0) >= 2048 ? 'PS256' : undefined;
}

/** Without a prototype: a group may be called `constructor`. */
function grantsOf(view: View): GrantSettings | undefined {
  if (!view.exists) return undefined;
  const values: Record<string, readonly string[]> = Object.create(null);
  for (const [value, scopes] of view.at('values').entries) values[value] = scopes.texts;
  return { claim: view.at('claim').text ?? '', values };
}

/** Nothing said is not the permissive case: one factor alone must be asked for by its full name. */
export function secondFactorOf(view: View): SecondFactorSettings | undefined {
  if (!view.exists) return undefined;
  const by = view.at('by');
  const acr = view.at('acr');
  const amr = view.at('amr');
  const administrators = view.at('administrators');
  if (view.at('singleFactorInsecurely').flag === true) {
    for (const place of [by, acr, amr, administrators]) {
      if (place.exists) place.fault('excludes "singleFactorInsecurely"; give one or the other', true);
    }
    return { by: 'nobody' };
  }
  if (!by.exists) view.fault('needs "by": "issuer" or "gateway"');
  if (by.text === 'gateway') {
    for (const place of [acr, amr]) if (place.exists) place.fault('is only for "by: issuer"', true);
    return { by: 'gateway', administrators: administrators.texts };
  }
  if (administrators.exists) administrators.fault('is only for "by: gateway"', true);
  if (by.text === 'issuer' && !acr.exists && !amr.exists) {
    view.fault('needs "acr" or "amr": what the issuer says when two factors were given');
  }
  return { by: 'issuer', acr: acr.texts, amr: amr.texts };
}

export function embeddedOf(view: View, around: Surroundings): IssuerSettings['embedded'] {
  if (!view.exists) return undefined;
  return {
    socket: socketPath(view.at('socket'), around),
    secret: readSecret(view.at('secret'), around, SHORTEST_SHARED_SECRET),
  };
}

/** What tenants are judged by. */
export interface JudgedIssuer {
  readonly relyingParty: boolean;
  readonly secondFactor: boolean;
}

export function judgedIssuers(issuers: View): ReadonlyMap<string, JudgedIssuer> {
  return new Map(
    issuers.items.flatMap((view) => {
      const { text } = view.at('id');
      const judged = {
        relyingParty: view.at('relyingParty').exists,
        secondFactor: view.at('secondFactor').exists,
      };
      return text === undefined ? [] : [[text, judged] as const];
    }),
  );
}

/** What only a look at issuers and tenants together shows of an issuer. */
export function judgeIssuers(issuers: View, isTenantHost: (host: string) => boolean): void {
  for (const view of issuers.items) {
    const url = view.at('embedded').exists ? URL.parse(view.at('issuer').text ?? '') : null;
    if (url !== null && isTenantHost(url.host)) {
      view.at('issuer').fault('has the host of a tenant; an embedded issuer has a host of its own');
    }
    if (view.at('embedded').exists && view.at('authority').exists) {
      view.at('authority').fault('has no effect: an embedded issuer is reached by its socket', true);
    }
  }
}

/** What only a look at a tenant, the issuers and the state together shows. */
export function judgeTenantSignIn(
  tenant: View,
  around: { readonly issuers: ReadonlyMap<string, JudgedIssuer>; readonly state: boolean },
): void {
  const signIn = tenant.at('signIn');
  if (!signIn.exists) return;
  if (!around.state) signIn.fault('needs "state", in which sessions are kept');
  const trusted = tenant.at('issuers').texts;
  for (const place of signIn.at('issuers').items) {
    const { text } = place;
    if (text === undefined) continue;
    const issuer = around.issuers.get(text);
    if (!trusted.includes(text)) place.fault('is not among the "issuers" that the tenant trusts');
    else if (issuer?.relyingParty === false)
      place.fault('has no "relyingParty": the gateway is no client of this issuer');
    else if (issuer?.secondFactor === false)
      place.fault('has no "secondFactor": it is not said who gives the second factor');
  }
}
