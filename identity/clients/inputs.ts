import { BlockList, isIP } from 'node:net';
import { ChartgateError } from '../../contracts/errors.ts';
import { parseTenantId } from '../../contracts/identifiers.ts';
import type { JsonBody } from '../../contracts/state.ts';
import { isAlgorithm, keyFits } from '../algorithms.ts';
import { PRIVATE_MEMBERS } from '../key-set.ts';
import type { ClientCertificate } from './model.ts';

const SCOPE = /^[\x21\x23-\x5b\x5d-\x7e]{1,255}$/;
const MAX_SCOPES = 200;
const MAX_ADDRESSES = 200;
const MAX_KEYS = 8;
const CERTIFICATE_NAME = /^(?:DNS|URI|email):[!-~]{1,1000}$/;

function wrong(message: string): never {
  throw new ChartgateError('usage', message);
}

export function tenantInput(text: string): string {
  return parseTenantId(text) ?? wrong('the tenant must be the id of one: lower-case letters, digits and "-"');
}

export function nameInput(text: string): string {
  const name = text.trim();
  if (name === '' || name.length > 100 || /[\p{Cc}\p{Cs}\u2028\u2029]/u.test(name))
    wrong('the name must be 1 to 100 characters on one line');
  return name;
}

/** At least one: a client without scopes could do nothing. */
export function scopesInput(scopes: readonly string[]): readonly string[] {
  const distinct = [...new Set(scopes)];
  if (distinct.length === 0 || distinct.length > MAX_SCOPES) wrong(`give 1 to ${MAX_SCOPES} scopes`);
  const bad = distinct.findIndex((scope) => !SCOPE.test(scope));
  if (bad >= 0) wrong(`scope ${bad + 1} is none: visible ASCII without quotation mark and backslash`);
  return distinct.toSorted();
}

export function addressesInput(addresses: readonly string[]): readonly string[] {
  const distinct = [...new Set(addresses)];
  if (distinct.length > MAX_ADDRESSES) wrong(`at most ${MAX_ADDRESSES} addresses`);
  for (const address of distinct) {
    if (networkOf(address) === undefined)
      wrong('an address must be an IP address or a network such as 192.0.2.0/24 or 2001:db8::/32');
  }
  return distinct.toSorted();
}

function networkOf(text: string): { address: string; prefix: number; family: 'ipv4' | 'ipv6' } | undefined {
  const [address = '', length, ...rest] = text.split('/');
  const version = isIP(address);
  if (version === 0 || rest.length > 0 || address.includes('%')) return undefined;
  const most = version === 4 ? 32 : 128;
  if (length !== undefined && !/^(?:0|[1-9]\d{0,2})$/.test(length)) return undefined;
  const prefix = length === undefined ? most : Number(length);
  // A network of everything is what an empty list says, in so many words.
  if (prefix > most || prefix === 0) return undefined;
  return { address, prefix, family: version === 4 ? 'ipv4' : 'ipv6' };
}

/** Whether a peer's address is among these; every one is when there are none. */
export function isAllowedAddress(addresses: readonly string[], peer: string | undefined): boolean {
  if (addresses.length === 0) return true;
  const version = peer === undefined ? 0 : isIP(peer);
  if (peer === undefined || version === 0) return false;
  const list = new BlockList();
  for (const text of addresses) {
    const network = networkOf(text);
    if (network !== undefined) list.addSubnet(network.address, network.prefix, network.family);
  }
  return list.check(peer, version === 4 ? 'ipv4' : 'ipv6');
}

/** Public keys for `private_key_jwt`: asymmetric, each with an algorithm and a key id of its own (RFC 7523 §3). */
export function keysInput(keys: readonly JsonBody[]): readonly JsonBody[] {
  if (keys.length > MAX_KEYS) wrong(`at most ${MAX_KEYS} keys`);
  const ids = new Set<unknown>();
  for (const key of keys) {
    if (PRIVATE_MEMBERS.some((name) => Object.hasOwn(key, name)))
      wrong(
        'a key holds its private half: it is known to others now, make a new one and give its public half',
      );
    const { alg, kid } = key;
    if (typeof alg !== 'string' || !isAlgorithm(alg) || !keyFits(key, alg))
      wrong('a key must name its algorithm ("alg": ES256, EdDSA, PS256, RS256 …) and be of that kind');
    if (typeof kid !== 'string' || kid === '' || kid.length > 256 || ids.has(kid))
      wrong('each key must have an id ("kid") of its own');
    ids.add(kid);
  }
  return keys;
}

export function certificateInput(certificate: ClientCertificate): ClientCertificate {
  const { by, value } = certificate;
  if (by === 'thumbprint' && !/^[A-Za-z0-9_-]{43}$/.test(value))
    wrong("the thumbprint must be the SHA-256 of the certificate's DER, base64url");
  if (by === 'name' && !CERTIFICATE_NAME.test(value))
    wrong('the name must be DNS:, URI: or email: and the name in the certificate');
  if (by === 'subject' && (value.length < 3 || value.length > 1024))
    wrong('the subject must be the whole one, on one line');
  return certificate;
}

export function durationInput(milliseconds: number, least: number, most: number, what: string): number {
  if (!Number.isSafeInteger(milliseconds) || milliseconds < least || milliseconds > most) {
    const days = (value: number) => Math.round((value / 86_400_000) * 100) / 100;
    wrong(`${what} must be ${days(least)} to ${days(most)} days`);
  }
  return milliseconds;
}
