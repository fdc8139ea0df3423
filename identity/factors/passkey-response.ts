/** Longer than any browser's answer; a form of the gateway may hold 64 KiB. */
const LARGEST = 49_152;
const BASE64URL = /^[A-Za-z0-9_-]+$/;

export interface PasskeyResponse {
  /** Credential id, base64url. */
  readonly id: string;
  /** The challenge that the client says it answered; proved by the signature only. */
  readonly challenge: string;
  /** Of an authentication; base64url. */
  readonly userHandle: string | undefined;
  /** Of a registration, as the browser knows it. */
  readonly transports: readonly string[];
  /** The whole, for the library. */
  readonly json: unknown;
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const TRANSPORTS = ['ble', 'cable', 'hybrid', 'internal', 'nfc', 'smart-card', 'usb'];

/**
 * The outer form of what a page posts (`RegistrationResponseJSON`, `AuthenticationResponseJSON`, WebAuthn §5.1):
 * enough to find the challenge and the key. Undefined for anything else. An answer from inside another site's
 * frame is refused: our pages are never framed (WebAuthn §5.8.1, `crossOrigin`).
 */
export function parsePasskeyResponse(text: string): PasskeyResponse | undefined {
  if (text.length > LARGEST) return undefined;
  let json: unknown;
  let client: unknown;
  try {
    json = JSON.parse(text);
    if (!isObject(json) || !isObject(json.response)) return undefined;
    const { clientDataJSON } = json.response;
    if (typeof clientDataJSON !== 'string' || !BASE64URL.test(clientDataJSON)) return undefined;
    client = JSON.parse(Buffer.from(clientDataJSON, 'base64url').toString('utf8'));
  } catch {
    return undefined;
  }
  const { id, response } = json;
  if (typeof id !== 'string' || id.length > 1400 || !BASE64URL.test(id)) return undefined;
  if (!isObject(client) || typeof client.challenge !== 'string' || !BASE64URL.test(client.challenge))
    return undefined;
  if (client.crossOrigin !== undefined && client.crossOrigin !== false) return undefined;
  const userHandle = isObject(response) ? response.userHandle : undefined;
  const transports = isObject(response) ? response.transports : undefined;
  return {
    id,
    challenge: client.challenge,
    userHandle: typeof userHandle === 'string' && BASE64URL.test(userHandle) ? userHandle : undefined,
    transports: Array.isArray(transports) ? TRANSPORTS.filter((name) => transports.includes(name)) : [],
    json,
  };
}
