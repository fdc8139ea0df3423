import type {
  AuthenticationResponseJSON,
  PublicKeyCredentialCreationOptionsJSON,
  PublicKeyCredentialRequestOptionsJSON,
  RegistrationResponseJSON,
  VerifiedAuthenticationResponse,
  VerifiedRegistrationResponse,
} from '@simplewebauthn/server';
import { CHALLENGE_MS, newChallenge, takeChallenge } from './challenges.ts';
import { parsePasskeyResponse } from './passkey-response.ts';
import { type PasskeySite, passkeySiteFault } from './passkey-site.ts';
import {
  keepUse,
  MOST_PASSKEYS,
  openKey,
  passkeyBody,
  passkeyDocument,
  passkeyId,
  passkeysOf,
  sealKey,
  sealName,
  userHandleOf,
} from './passkey-store.ts';
import { AMR } from './step-up.ts';
import { type FactorContext, type Proved, type Refused, refused, secondsOf } from './types.ts';

/** EdDSA, ES256, RS256 (COSE): what authenticators have. */
const ALGORITHMS = [-8, -7, -257];

/** It brings readers of every kind of certificate with it: loaded when the first passkey is asked for. */
const library = () => import('@simplewebauthn/server');

export type { PublicKeyCredentialCreationOptionsJSON, PublicKeyCredentialRequestOptionsJSON };

export interface PasskeyRequest {
  readonly principal: string;
  readonly binding: string;
  readonly site: PasskeySite;
}

/** Decodes base64url into the kind of array that the library's types name. */
const bytesOf = (text: string): Uint8Array<ArrayBuffer> => new Uint8Array(Buffer.from(text, 'base64url'));

/** Options for `navigator.credentials.create`: user verification required, no attestation asked for. */
export async function beginRegistration(
  context: FactorContext,
  request: PasskeyRequest & { readonly accountLabel: string },
): Promise<{ readonly ok: true; readonly options: PublicKeyCredentialCreationOptionsJSON } | Refused> {
  const { principal, site } = request;
  if (passkeySiteFault(site) !== undefined) return refused('site-invalid');
  const present = await passkeysOf(context, principal);
  if (present.length >= MOST_PASSKEYS) return refused('too-many-factors');
  const challenge = await newChallenge(context, { ...request, use: 'register' });
  const { generateRegistrationOptions } = await library();
  const options = await generateRegistrationOptions({
    rpID: site.id,
    rpName: site.name,
    userName: request.accountLabel,
    userDisplayName: request.accountLabel,
    userID: bytesOf(userHandleOf(principal)),
    challenge: bytesOf(challenge),
    timeout: CHALLENGE_MS,
    attestationType: 'none',
    authenticatorSelection: { residentKey: 'preferred', userVerification: 'required' },
    supportedAlgorithmIDs: ALGORITHMS,
    excludeCredentials: present.map(passkeyBody).map((body) => ({
      id: body.credential,
      transports: [...body.transports],
    })),
  });
  return { ok: true, options };
}

/** @param request.response JSON text of what `navigator.credentials.create` gave */
export async function finishRegistration(
  context: FactorContext,
  request: PasskeyRequest & { readonly response: string; readonly name: string },
): Promise<{ readonly ok: true; readonly id: string; readonly synced: boolean } | Refused> {
  const { principal, site } = request;
  if (passkeySiteFault(site) !== undefined) return refused('site-invalid');
  const response = parsePasskeyResponse(request.response);
  if (response === undefined) return refused('response-malformed');
  const taken = await takeChallenge(context, response.challenge, { ...request, use: 'register' });
  if (!taken.ok) return taken;
  const { verifyRegistrationResponse } = await library();
  let verified: VerifiedRegistrationResponse;
  try {
    verified = await verifyRegistrationResponse({
      response: response.json as RegistrationResponseJSON,
      expectedChallenge: response.challenge,
      expectedOrigin: site.origin,
      expectedRPID: site.id,
      requireUserVerification: true,
      supportedAlgorithmIDs: ALGORITHMS,
    });
  } catch {
    // The library's messages repeat what the client sent.
    return refused('response-invalid');
  }
  if (!verified.verified || !verified.registrationInfo.userVerified) return refused('response-invalid');
  const { credential, credentialDeviceType } = verified.registrationInfo;
  if (credential.id !== response.id) return refused('response-invalid');
  const id = passkeyId(credential.id);
  const synced = credentialDeviceType === 'multiDevice';
  if ((await passkeysOf(context, principal)).length >= MOST_PASSKEYS) return refused('too-many-factors');
  const inserted = await context.store.insert(
    'passkey',
    id,
    passkeyDocument({
      principal,
      siteId: site.id,
      credential: credential.id,
      key: sealKey(context, id, {
        principal,
        siteId: site.id,
        publicKey: Buffer.from(credential.publicKey).toString('base64url'),
      }),
      counter: credential.counter,
      transports: response.transports,
      synced,
      name: sealName(context, id, request.name),
      createdAt: secondsOf(context.clock),
      lastUsedAt: null,
      suspendedAt: null,
    }),
  );
  // Somebody has it already, whoever that is (WebAuthn §7.1, step 26).
  if (!inserted) return refused('passkey-known');
  // Counted again with what others added at this moment: a reset removes so many and no more.
  if ((await passkeysOf(context, principal)).length > MOST_PASSKEYS) {
    await context.store.remove('passkey', id);
    return refused('too-many-factors');
  }
  return { ok: true, id, synced };
}

export interface PasskeyAsk {
  /** Undefined: whoever has a discoverable passkey of this site. */
  readonly principal?: string | undefined;
  readonly binding: string;
  readonly site: PasskeySite;
}

/** Options for `navigator.credentials.get`: user verification required. */
export async function beginAuthentication(
  context: FactorContext,
  request: PasskeyAsk,
): Promise<{ readonly ok: true; readonly options: PublicKeyCredentialRequestOptionsJSON } | Refused> {
  const { principal, site } = request;
  if (passkeySiteFault(site) !== undefined) return refused('site-invalid');
  const usable =
    principal === undefined
      ? []
      : (await passkeysOf(context, principal))
          .map(passkeyBody)
          .filter((body) => body.siteId === site.id && body.suspendedAt === null);
  if (principal !== undefined && usable.length === 0) return refused('not-enrolled');
  const challenge = await newChallenge(context, { ...request, use: 'authenticate' });
  const { generateAuthenticationOptions } = await library();
  const options = await generateAuthenticationOptions({
    rpID: site.id,
    challenge: bytesOf(challenge),
    timeout: CHALLENGE_MS,
    userVerification: 'required',
    ...(principal === undefined
      ? {}
      : {
          allowCredentials: usable.map((body) => ({ id: body.credential, transports: [...body.transports] })),
        }),
  });
  return { ok: true, options };
}

/**
 * Both factors at once: possession of the key, and what its authenticator verified of its user (NIST SP
 * 800-63B-4 §3.1.7). Bound to the origin, so that nobody in the middle can pass it on.
 *
 * @param request.response JSON text of what `navigator.credentials.get` gave
 */
export async function finishAuthentication(
  context: FactorContext,
  request: PasskeyAsk & { readonly response: string },
): Promise<
  | (Proved & { readonly principal: string; readonly id: string })
  | (Refused & { readonly id?: string; readonly principal?: string })
> {
  const { site } = request;
  if (passkeySiteFault(site) !== undefined) return refused('site-invalid');
  const response = parsePasskeyResponse(request.response);
  if (response === undefined) return refused('response-malformed');
  const taken = await takeChallenge(context, response.challenge, { ...request, use: 'authenticate' });
  if (!taken.ok) return taken;
  const id = passkeyId(response.id);
  const found = await context.store.get('passkey', id);
  if (found === undefined) return refused('passkey-unknown');
  const body = passkeyBody(found);
  const { principal } = body;
  if (request.principal !== undefined && request.principal !== principal) return refused('another-principal');
  if (body.siteId !== site.id) return refused('passkey-unknown');
  // WebAuthn §7.2, step 6: whoever was not known before must be named by the authenticator.
  if (
    response.userHandle === undefined
      ? request.principal === undefined
      : response.userHandle !== userHandleOf(principal)
  )
    return refused('another-principal');
  const publicKey = openKey(context, id, body);
  if (publicKey === undefined) return refused('passkey-unknown');
  const { verifyAuthenticationResponse } = await library();
  let verified: VerifiedAuthenticationResponse;
  try {
    verified = await verifyAuthenticationResponse({
      response: response.json as AuthenticationResponseJSON,
      expectedChallenge: response.challenge,
      expectedOrigin: site.origin,
      expectedRPID: site.id,
      requireUserVerification: true,
      // The library throws one error for everything; the counter is judged below, where a step back can be told.
      credential: { id: body.credential, publicKey: new Uint8Array(publicKey), counter: 0 },
    });
  } catch {
    return refused('response-invalid');
  }
  const { newCounter, userVerified, credentialDeviceType } = verified.authenticationInfo;
  if (!verified.verified) return refused('response-invalid');
  if (!userVerified) return refused('not-verified');
  const synced = credentialDeviceType === 'multiDevice';
  const kept = await keepUse(context, id, { counter: newCounter, synced });
  if (!kept.ok) return { ...kept, id, principal };
  return {
    ok: true,
    principal,
    id,
    method: 'passkey',
    amr: synced ? AMR['synced-passkey'] : AMR['device-passkey'],
    at: secondsOf(context.clock),
  };
}
