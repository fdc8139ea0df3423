import { randomBytes } from 'node:crypto';
import { generateURI, ScureBase32Plugin, verifySync } from 'otplib';

/**
 * Time-based one-time passwords (RFC 6238) as every authenticator app makes them: HMAC-SHA-1, 30 seconds, six
 * digits. Other parameters are ignored by some apps without a word, so there are none.
 */
export const STEP_SECONDS = 30;
export const DIGITS = 6;
/** One step before and one after: clocks that differ, and a code typed as it changed (RFC 6238 §5.2). */
export const STEPS_AROUND = 1;
/** RFC 4226 §4, R6: 160 bits. */
const SECRET_BYTES = 20;
const LABEL_LENGTH = 64;

const base32 = new ScureBase32Plugin();

export const newTotpSecret = (): Buffer => randomBytes(SECRET_BYTES);

/** What a person types into an app that cannot see the code: base 32 in groups of four. */
export function typedKey(secret: Uint8Array): string {
  return base32.encode(secret, { padding: false }).replace(/(.{4})(?=.)/g, '$1 ');
}

/**
 * A label as apps show it. The colon separates issuer and account in the URI, and some apps split at an encoded
 * one too; controls and signs that change the direction of text have no place in a name.
 */
function label(text: string, otherwise: string): string {
  const clean = text
    .toWellFormed()
    .replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, '')
    .replace(/:/g, ' ')
    .replace(/\s+/g, ' ')
    .trim();
  const short = Array.from(clean).slice(0, LABEL_LENGTH).join('').trim();
  return short === '' ? otherwise : short;
}

/** `otpauth://totp/ISSUER:ACCOUNT?secret=…&issuer=ISSUER`. It holds the secret: never log it, never link to it. */
export function totpUri(secret: Uint8Array, issuer: string, account: string): string {
  return generateURI({
    issuer: label(issuer, 'Chartgate'),
    label: label(account, 'account'),
    secret: base32.encode(secret, { padding: false }),
  });
}

/**
 * The QR code of a URI as an SVG image, for `<img src>`: black on white with the quiet zone that readers need,
 * whatever the page's colours. `data:` needs `img-src data:` of the page's policy and nothing else.
 */
export async function qrImage(uri: string): Promise<string> {
  // Only the processes that enrol somebody load it.
  const { default: qrcode } = await import('qrcode');
  const svg = await qrcode.toString(uri, { type: 'svg', errorCorrectionLevel: 'M', margin: 4 });
  return `data:image/svg+xml;base64,${Buffer.from(svg).toString('base64')}`;
}

/** Six ASCII digits; people group them with spaces, and apps show them so. Undefined for anything else. */
export function parseTotpCode(typed: string): string | undefined {
  if (typed.length > 32) return undefined;
  const code = typed.replace(/[\s-]/g, '');
  return /^[0-9]{6}$/.test(code) ? code : undefined;
}

/**
 * The time step whose code this is, of the present one and its neighbours; undefined when it is none's.
 *
 * @param code as `parseTotpCode` gives it
 * @param now seconds since the epoch
 */
export function stepOfCode(secret: Uint8Array, code: string, now: number): number | undefined {
  const present = Math.floor(now / STEP_SECONDS);
  const result = verifySync({
    secret,
    token: code,
    epoch: Math.floor(now),
    period: STEP_SECONDS,
    digits: DIGITS,
    epochTolerance: STEPS_AROUND * STEP_SECONDS,
  });
  if (!result.valid) return undefined;
  const step = present + result.delta;
  return Number.isSafeInteger(step) && Math.abs(step - present) <= STEPS_AROUND ? step : undefined;
}
