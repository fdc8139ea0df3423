import type { StateOperation, StoredDocument } from '../../contracts/state.ts';
import { hashOf } from '../lengths.ts';
import { type FactorContext, type Refused, refused, secondsOf } from './types.ts';

/** More than anybody carries; bounds what one principal can make us keep, and one change can remove. */
export const MOST_PASSKEYS = 20;
const NAME_LENGTH = 64;
const TRIES = 5;

/** A passkey as its owner sees it. Times in seconds since the epoch. */
export interface PasskeyInfo {
  /** Our handle for it; not the authenticator's credential id. */
  readonly id: string;
  readonly name: string;
  readonly createdAt: number;
  readonly lastUsedAt: number | undefined;
  /** Copied between devices by its owner's service. */
  readonly synced: boolean;
  /** Its counter went back: it may have been copied. It is refused until it is removed. */
  readonly suspended: boolean;
}

export interface PasskeyBody {
  readonly principal: string;
  readonly siteId: string;
  /** Base64url, the authenticator's. */
  readonly credential: string;
  /** Sealed with whose it is and where: whoever writes the database cannot put in a key of their own. */
  readonly key: string;
  readonly counter: number;
  readonly transports: readonly string[];
  readonly synced: boolean;
  /** Sealed: people name things after themselves. */
  readonly name: string;
  readonly createdAt: number;
  readonly lastUsedAt: number | null;
  readonly suspendedAt: number | null;
}

export const passkeyId = (credential: string): string => hashOf('passkey', credential);

/** Opaque to authenticators, the same for all passkeys of a principal (WebAuthn §14.6.1: nothing of a person). */
export const userHandleOf = (principal: string): string => hashOf('passkey-user', principal);

export const passkeyBody = (document: StoredDocument): PasskeyBody => document.body as unknown as PasskeyBody;

const place = (id: string, field: 'name' | 'key' = 'name') => ({ kind: 'passkey', id, field }) as const;

interface SealedKey {
  readonly principal: string;
  readonly siteId: string;
  /** COSE key, base64url. */
  readonly publicKey: string;
}

/** The public key with the principal and the site that may use it. */
export const sealKey = (context: FactorContext, id: string, key: SealedKey): string =>
  context.sealer.seal(JSON.stringify(key), place(id, 'key'));

/**
 * @returns undefined when the document names another principal or site than was sealed
 * @throws ChartgateError `state-invalid` when it was not sealed for this passkey
 */
export function openKey(context: FactorContext, id: string, body: PasskeyBody): Buffer | undefined {
  const key = JSON.parse(context.sealer.open(body.key, place(id, 'key')).toString('utf8')) as SealedKey;
  if (key.principal !== body.principal || key.siteId !== body.siteId) return undefined;
  return Buffer.from(key.publicKey, 'base64url');
}

/** What a person calls it, without controls and signs that change the direction of text. */
export function passkeyName(typed: string): string {
  const clean = typed
    .toWellFormed()
    .replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, '')
    .replace(/\s+/g, ' ')
    .trim();
  const short = Array.from(clean).slice(0, NAME_LENGTH).join('').trim();
  return short === '' ? 'Passkey' : short;
}

export const sealName = (context: FactorContext, id: string, name: string): string =>
  context.sealer.seal(passkeyName(name), place(id));

export function passkeysOf(
  context: Pick<FactorContext, 'store'>,
  principal: string,
): Promise<readonly StoredDocument[]> {
  return context.store.find('passkey', 'principal', principal, { limit: MOST_PASSKEYS + 1 });
}

export async function listPasskeys(
  context: FactorContext,
  principal: string,
): Promise<readonly PasskeyInfo[]> {
  const found = await passkeysOf(context, principal);
  return found
    .map((document) => {
      const body = passkeyBody(document);
      return Object.freeze({
        id: document.id,
        name: context.sealer.open(body.name, place(document.id)).toString('utf8'),
        createdAt: body.createdAt,
        lastUsedAt: body.lastUsedAt ?? undefined,
        synced: body.synced,
        suspended: body.suspendedAt !== null,
      });
    })
    .sort((a, b) => a.createdAt - b.createdAt || (a.id < b.id ? -1 : 1));
}

export const passkeyDocument = (body: PasskeyBody) => ({
  body: { ...body } as never,
  indexes: { principal: body.principal },
});

/** The one of this principal, not of anybody else. */
async function ownPasskey(
  context: FactorContext,
  principal: string,
  id: string,
): Promise<StoredDocument | undefined> {
  // An id is what a form posted: anything but a hash is no id.
  if (!/^[A-Za-z0-9_-]{43}$/.test(id)) return undefined;
  const found = await context.store.get('passkey', id);
  return found !== undefined && passkeyBody(found).principal === principal ? found : undefined;
}

export async function renamePasskey(
  context: FactorContext,
  principal: string,
  id: string,
  name: string,
): Promise<{ readonly ok: true } | Refused> {
  for (let tries = 0; tries < TRIES; tries += 1) {
    const found = await ownPasskey(context, principal, id);
    if (found === undefined) return refused('passkey-unknown');
    const body = { ...passkeyBody(found), name: sealName(context, id, name) };
    if (await context.store.replace('passkey', id, found.version, passkeyDocument(body))) return { ok: true };
  }
  return refused('changed-meanwhile');
}

/** Sealed anew with the key of today; undefined when it is already. */
export function resealedPasskey(
  context: Pick<FactorContext, 'sealer'>,
  document: StoredDocument,
): PasskeyBody | undefined {
  const body = passkeyBody(document);
  const anew = (sealed: string, field: 'name' | 'key'): string => {
    const at = place(document.id, field);
    return context.sealer.isOld(sealed) ? context.sealer.seal(context.sealer.open(sealed, at), at) : sealed;
  };
  const next = { ...body, name: anew(body.name, 'name'), key: anew(body.key, 'key') };
  return next.name === body.name && next.key === body.key ? undefined : next;
}

/** What removes one, for `commit`; undefined when the principal has none of this id. */
export async function passkeyRemoval(
  context: FactorContext,
  principal: string,
  id: string,
): Promise<StateOperation | undefined> {
  const found = await ownPasskey(context, principal, id);
  return found && { do: 'remove', kind: 'passkey', id, version: found.version };
}

/**
 * Keeps what an accepted answer changed, if the counter still went forward by then (WebAuthn §7.2, step 22). One
 * that did not is suspended: there may be two authenticators with one key, and which of them is the owner's
 * cannot be known.
 */
export async function keepUse(
  context: FactorContext,
  id: string,
  use: { readonly counter: number; readonly synced: boolean },
): Promise<{ readonly ok: true } | Refused> {
  for (let tries = 0; tries < TRIES; tries += 1) {
    const found = await context.store.get('passkey', id);
    if (found === undefined) return refused('passkey-unknown');
    const body = passkeyBody(found);
    if (body.suspendedAt !== null) return refused('passkey-suspended');
    const now = secondsOf(context.clock);
    // Zero on both sides: an authenticator without a counter.
    const forward = use.counter > body.counter || (use.counter === 0 && body.counter === 0);
    const next: PasskeyBody = forward
      ? { ...body, counter: use.counter, synced: use.synced, lastUsedAt: now }
      : { ...body, suspendedAt: now };
    if (await context.store.replace('passkey', id, found.version, passkeyDocument(next)))
      return forward ? { ok: true } : refused('counter-regressed');
  }
  return refused('changed-meanwhile');
}
