import { isIP } from 'node:net';

/** The site that a passkey belongs to (a relying party, WebAuthn §4): the tenant's host, or the issuer's. */
export interface PasskeySite {
  /** A domain: the host of `origin`, or a parent that several hosts of one clinic share. */
  readonly id: string;
  /** The only origin that may use it, such as `https://id.clinic.example`. */
  readonly origin: string;
  /** What authenticators show. */
  readonly name: string;
}

const DOMAIN =
  /^(?=.{1,253}$)[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)*$/;

/**
 * What is wrong with a site, in words for an operator; undefined when nothing is. Browsers refuse what they know
 * to be public suffixes; an id of one label is refused here, except `localhost`.
 */
export function passkeySiteFault(site: PasskeySite): string | undefined {
  if (!URL.canParse(site.origin)) return 'the origin is no URL';
  const url = new URL(site.origin);
  if (url.protocol !== 'https:') return 'the origin must begin with https://';
  if (url.origin !== site.origin) return 'the origin must be scheme, host and port alone';
  if (!DOMAIN.test(site.id) || isIP(site.id) !== 0) return 'the id must be a domain in lower case';
  if (site.id !== 'localhost' && !site.id.includes('.')) return 'the id must not be a top-level domain';
  if (url.hostname !== site.id && !url.hostname.endsWith(`.${site.id}`))
    return 'the id must be the host of the origin or a parent of it';
  return undefined;
}
