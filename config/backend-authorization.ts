import type { Secret } from '../contracts/secret.ts';
import { readSecret, type Surroundings } from './references.ts';
import { secretOf } from './secret.ts';
import type { View } from './view.ts';

/** RFC 6750 §2.1. */
const TOKEN = /^[A-Za-z0-9._~+/-]+=*$/;
/** RFC 7617 §2: no colon in the name, no controls. */
const USER_PASSWORD = /^[^:\p{Cc}]+:[^\p{Cc}]+$/u;

/** The whole value of `Authorization` for a tenant's back ends; undefined where none is wanted. */
export function backendAuthorizationOf(view: View, around: Surroundings): Secret | undefined {
  if (!view.exists) return undefined;
  const bytes = readSecret(view.at('secret'), around).reveal();
  if (bytes.length === 0) return secretOf(bytes);
  const text = bytes.toString('utf8');
  const place = view.at('secret').at('file');
  if (view.at('scheme').text !== 'Basic') {
    if (!TOKEN.test(text))
      place.fault('the file must hold one bearer token (RFC 6750 §2.1) and nothing else');
    return secretOf(Buffer.from(`Bearer ${text}`));
  }
  if (!USER_PASSWORD.test(text))
    place.fault('the file must hold a name, a colon and a password (RFC 7617 §2) on one line');
  return secretOf(Buffer.from(`Basic ${bytes.toString('base64')}`));
}
