import type { Principal } from '../contracts/principal.ts';

const NONE: ReadonlySet<string> = new Set();

/**
 * The roles that count at this tenant. What another tenant calls a nurse is no nurse here: its people get what
 * patients share with them, and nothing for their roles.
 */
export function rolesHere(principal: Principal): ReadonlySet<string> {
  if (principal.kind === 'anonymous') return NONE;
  if (principal.home !== undefined && principal.home !== principal.tenant) return NONE;
  return principal.roles ?? NONE;
}
