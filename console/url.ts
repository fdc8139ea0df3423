import { MAIL_PATTERN, TELEPHONE_PATTERN } from '../contracts/brand.ts';
import { ChartgateError } from '../contracts/errors.ts';

let make: (text: string) => SafeUrl;

/** A URL that cannot run anything and goes only where its maker meant. Templates take no other. */
export class SafeUrl {
  readonly #text: string;

  private constructor(text: string) {
    this.#text = text;
    Object.freeze(this);
  }

  static {
    make = (text) => new SafeUrl(text);
  }

  toString(): string {
    return this.#text;
  }
}

/** Unreserved, sub-delimiters, ":", "@" and percent-encodings (RFC 3986 §3.3), then perhaps a query. */
const PATH =
  /^\/(?![/\\])(?:[A-Za-z0-9\-._~!$&'()*+,;=:@/]|%[0-9A-Fa-f]{2})*(?:\?(?:[A-Za-z0-9\-._~!$&'()*+,;=:@/?]|%[0-9A-Fa-f]{2})*)?$/;
const QR = /^data:image\/(?:png;base64,[A-Za-z0-9+/]+={0,2}|svg\+xml;base64,[A-Za-z0-9+/]+={0,2})$/;

/** A path of this host, perhaps with a query: never another host ("//other", "/\other"), never a scheme. @throws `internal` */
export function pathUrl(path: string): SafeUrl {
  if (path.length > 8192 || !PATH.test(path)) throw refused('is not a path of this host');
  return make(path);
}

/** A place on this page. @throws `internal` */
export function fragmentUrl(id: string): SafeUrl {
  if (!/^[a-z][a-z0-9-]*$/.test(id)) throw refused('is not the id of a field');
  return make(`#${id}`);
}

/** A picture in the page itself, for a QR code that no cache should keep. @throws `internal` */
export function pictureUrl(data: string): SafeUrl {
  if (data.length > 65_536 || !QR.test(data)) throw refused('is not a PNG or SVG as base64 data');
  return make(data);
}

/** Another site, by https only and without a user's name in it. @throws `internal` */
export function siteUrl(text: string): SafeUrl {
  const parsed = URL.parse(text);
  if (parsed?.protocol !== 'https:' || parsed.username !== '' || parsed.password !== '')
    throw refused('is not an https address');
  return make(parsed.href);
}

/** @throws `internal` for what is not one plain address */
export function mailUrl(address: string): SafeUrl {
  if (!MAIL.test(address)) throw refused('is not a plain e-mail address');
  return make(`mailto:${address}`);
}

export const MAIL = new RegExp(MAIL_PATTERN);
export const TELEPHONE = new RegExp(TELEPHONE_PATTERN);

/** @throws `internal` for what nobody could dial */
export function telephoneUrl(number: string): SafeUrl {
  if (!TELEPHONE.test(number)) throw refused('is not a telephone number');
  return make(`tel:${number.replace(/[^0-9+]/g, '')}`);
}

// The URL is not repeated: it may hold what nobody should read in a log.
function refused(why: string): ChartgateError {
  return new ChartgateError('internal', `A URL for a page ${why}.`);
}
