import { peerKey } from '../limits/peer-key.ts';
import type { Exchange } from '../pipeline/exchange.ts';

/** What tells people apart whose requests follow each other: the principal, else the address. */
export function whoOf(x: Exchange): string {
  const { principal } = x;
  return principal.kind === 'anonymous' ? peerKey(x.facts.peer) : principal.limitKey;
}

/** The same, with the session first: one person's two browsers may have two sessions at the EMR. */
export function sessionOf(x: Exchange): string {
  return x.session?.id ?? whoOf(x);
}
