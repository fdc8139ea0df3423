import { argon2, randomBytes, timingSafeEqual } from 'node:crypto';
import type { StateOperation, StoredDocument } from '../../contracts/state.ts';
import { type FactorContext, type Refused, refused, secondsOf } from './types.ts';

export const RECOVERY_CODES = 10;
/** Characters of five random bits each: 80 bits a code. */
const LENGTH = 16;
/** Crockford's base 32: nothing that looks like something else. */
const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
const TRIES = 5;

/**
 * Look-up secrets under 112 bits are salted and hashed by a scheme for passwords (NIST SP 800-63B-4 §3.1.2.2). For 80
 * random bits, sealed besides, 8 MiB and one pass are plenty; ten are made at an enrolment.
 */
const ARGON2 = Object.freeze({ memory: 8 * 1024, passes: 1, parallelism: 1, tagLength: 32 });

interface RecoveryBody {
  /** One salt for a set, so that a code is hashed once and compared with all. */
  readonly salt: string;
  /** Of the codes that are left. Base64url. */
  readonly hashes: readonly string[];
  /** Seconds since the epoch. */
  readonly madeAt: number;
}

const place = (principal: string) => ({ kind: 'recovery-code', id: principal, field: 'codes' }) as const;

/** Sealed besides being hashed: whoever writes the database cannot put in a code of their own. */
const bodyOf = (context: FactorContext, document: StoredDocument): RecoveryBody =>
  JSON.parse(context.sealer.open(String(document.body.codes), place(document.id)).toString('utf8'));

const documentOf = (context: FactorContext, principal: string, body: RecoveryBody) => ({
  body: { codes: context.sealer.seal(JSON.stringify(body), place(principal)) },
  indexes: { principal },
});

/** In libuv's thread pool, not on the event loop. */
function hashCode(code: string, salt: Buffer): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    argon2('argon2id', { ...ARGON2, message: code, nonce: salt }, (error, tag) =>
      error ? reject(error) : resolve(tag),
    );
  });
}

function newCode(): string {
  const text = Array.from(randomBytes(LENGTH), (byte) => ALPHABET[byte & 31]).join('');
  return text.replace(/(.{4})(?=.)/g, '$1-');
}

/** Any case, with or without hyphens and spaces, O for 0, I and L for 1. Undefined for what is no such code. */
export function parseRecoveryCode(typed: string): string | undefined {
  if (typed.length > 64) return undefined;
  const text = typed.toUpperCase().replace(/[\s-]/g, '').replaceAll('O', '0').replace(/[IL]/g, '1');
  return /^[0-9A-HJKMNP-TV-Z]{16}$/.test(text) ? text : undefined;
}

/**
 * Makes a set, which takes the place of the one before. The codes are given back this once and are nowhere else;
 * only their hashes are kept.
 */
export async function newRecoveryCodes(
  context: FactorContext,
  principal: string,
): Promise<readonly string[] | undefined> {
  const codes = Array.from({ length: RECOVERY_CODES }, newCode);
  const salt = randomBytes(16);
  const hashes: string[] = [];
  // One after the other: several at a time would keep everybody who signs in waiting for a thread.
  for (const code of codes)
    hashes.push((await hashCode(code.replaceAll('-', ''), salt)).toString('base64url'));
  const body: RecoveryBody = { salt: salt.toString('base64url'), hashes, madeAt: secondsOf(context.clock) };
  const document = documentOf(context, principal, body);
  for (let tries = 0; tries < TRIES; tries += 1) {
    const found = await context.store.get('recovery-code', principal);
    const done =
      found === undefined
        ? await context.store.insert('recovery-code', principal, document)
        : await context.store.replace('recovery-code', principal, found.version, document);
    if (done) return Object.freeze(codes);
  }
  return undefined;
}

export async function recoveryCodesLeft(context: FactorContext, principal: string): Promise<number> {
  const found = await context.store.get('recovery-code', principal);
  return found === undefined ? 0 : bodyOf(context, found).hashes.length;
}

/**
 * Whether this is one of the codes that are left; then it is not left any more. Of many at once exactly one
 * uses it. The caller has reserved the guess.
 *
 * @param code as `parseRecoveryCode` gives it
 */
export async function useRecoveryCode(
  context: FactorContext,
  principal: string,
  code: string,
): Promise<{ readonly ok: true; readonly left: number } | Refused> {
  let found = await context.store.get('recovery-code', principal);
  const salt = found === undefined ? randomBytes(16) : Buffer.from(bodyOf(context, found).salt, 'base64url');
  // Hashed for those who have no codes too: the same work either way.
  const hash = await hashCode(code, salt);
  for (let tries = 0; tries < RECOVERY_CODES + TRIES; tries += 1) {
    if (found === undefined) return refused('not-enrolled');
    const body = bodyOf(context, found);
    if (body.salt !== salt.toString('base64url')) return refused('changed-meanwhile');
    let hit = -1;
    for (const [index, kept] of body.hashes.entries()) {
      const bytes = Buffer.from(kept, 'base64url');
      if (bytes.length === hash.length && timingSafeEqual(bytes, hash)) hit = index;
    }
    if (hit < 0) return refused('code-wrong');
    const hashes = body.hashes.filter((_, index) => index !== hit);
    const document = documentOf(context, principal, { ...body, hashes });
    if (await context.store.replace('recovery-code', principal, found.version, document))
      return { ok: true, left: hashes.length };
    // Another code of the set was used at this moment, or this one.
    found = await context.store.get('recovery-code', principal);
  }
  return refused('changed-meanwhile');
}

/** Sealed anew with the key of today; undefined when it is already. */
export function resealedRecovery(
  context: Pick<FactorContext, 'sealer'>,
  document: StoredDocument,
): { readonly codes: string } | undefined {
  const sealed = String(document.body.codes);
  if (!context.sealer.isOld(sealed)) return undefined;
  const at = place(document.id);
  return { codes: context.sealer.seal(context.sealer.open(sealed, at), at) };
}

/** What removes them, for a change that removes more; undefined when there are none. */
export async function recoveryRemoval(
  context: Pick<FactorContext, 'store'>,
  principal: string,
): Promise<StateOperation | undefined> {
  const found = await context.store.get('recovery-code', principal);
  return found && { do: 'remove', kind: 'recovery-code', id: principal, version: found.version };
}
