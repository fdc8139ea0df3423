import { randomBytes } from 'node:crypto';
import { hashOf } from '../lengths.ts';
import { hashId } from '../state/hash.ts';
import type { PasskeySite } from './passkey-site.ts';
import { type FactorContext, type Refused, refused } from './types.ts';

/** How long a browser may take to ask its authenticator. */
export const CHALLENGE_MS = 5 * 60_000;

export type ChallengeUse = 'register' | 'authenticate';

/** What a challenge is for. Used for anything else, or by another browser, it is used up and worth nothing. */
export interface ChallengePurpose {
  readonly use: ChallengeUse;
  /** Undefined: whoever has a passkey of this site may sign in. */
  readonly principal?: string | undefined;
  /** The browser's session or interaction. */
  readonly binding: string;
  readonly site: PasskeySite;
}

const purposeHash = (purpose: ChallengePurpose): string =>
  hashOf(
    'passkey-challenge',
    purpose.use,
    purpose.principal === undefined ? 'anybody' : 'principal',
    purpose.principal ?? '',
    purpose.binding,
    purpose.site.id,
    purpose.site.origin,
  );

/** Base64url of 256 random bits (WebAuthn §13.4.3 wants at least 128). */
export async function newChallenge(context: FactorContext, purpose: ChallengePurpose): Promise<string> {
  const challenge = randomBytes(32).toString('base64url');
  await context.store.insert('challenge', hashId(challenge), {
    body: { purpose: purposeHash(purpose) },
    ...(purpose.principal === undefined ? {} : { indexes: { principal: purpose.principal } }),
    expiresAt: context.clock.wall() + CHALLENGE_MS,
  });
  return challenge;
}

/** Uses a challenge up, whether or not it fits: of many at once exactly one gets it. */
export async function takeChallenge(
  context: FactorContext,
  challenge: string,
  purpose: ChallengePurpose,
): Promise<{ readonly ok: true } | Refused> {
  const found = await context.store.take('challenge', hashId(challenge));
  if (found === undefined) return refused('challenge-unknown');
  return found.body.purpose === purposeHash(purpose) ? { ok: true } : refused('another-browser');
}
