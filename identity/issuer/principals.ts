import { hashOf } from '../lengths.ts';
import type { IssuerParts } from './parts.ts';
import { activePerson, type Person } from './people.ts';

const MODEL = 'Principal';
const SECONDS = 20 * 365 * 86_400;

/** The name that an account has with the second factors: as the gateway's own, a hash of issuer and subject. */
export const principalOf = (parts: IssuerParts, account: string): string =>
  hashOf(parts.settings.issuer, account);

/** A passkey that the browser finds by itself says only whose factors it belongs to. */
export async function rememberPrincipal(parts: IssuerParts, account: string): Promise<void> {
  await parts.models.put(MODEL, principalOf(parts, account), { account }, SECONDS, { account });
}

export async function accountOf(parts: IssuerParts, principal: string): Promise<Person | undefined> {
  const account = (await parts.models.get(MODEL, principal))?.payload.account;
  return typeof account === 'string' ? activePerson(parts.people, account) : undefined;
}
