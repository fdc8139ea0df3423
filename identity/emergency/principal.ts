import type { Emergency } from '../../contracts/emergency.ts';
import type { AuthenticatedPrincipal } from '../../contracts/principal.ts';
import { derivedPrincipal } from '../principal.ts';

const made = new WeakMap<
  AuthenticatedPrincipal,
  { readonly id: string; readonly broad: AuthenticatedPrincipal }
>();

/** The same person with the scopes of an emergency access besides, until it ends. The same object each time. */
export function broadened(principal: AuthenticatedPrincipal, emergency: Emergency): AuthenticatedPrincipal {
  const known = made.get(principal);
  if (known?.id === emergency.id) return known.broad;
  const broad = derivedPrincipal(principal, {
    scopes: [...principal.scopes, ...emergency.scopes],
    expiresAt: Math.min(principal.expiresAt, emergency.until),
  });
  made.set(principal, { id: emergency.id, broad });
  return broad;
}
