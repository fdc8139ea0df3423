import type { Exchange } from '../pipeline/exchange.ts';
import { answerRulesOf, looksAtBodies } from './rules.ts';

const RANGES = Object.freeze({ range: undefined, 'if-range': undefined });

/**
 * Asks the back end so that what it answers can be looked through: the head of a page that says "no such patient" is
 * that of a good one, and so may be a piece of it. Where records are hidden or bodies decide, HEAD is asked as GET (its
 * body goes no further); where bodies decide, for the whole of it (RFC 9110 §9.3.2, §14).
 */
export function askWhole(x: Exchange): void {
  const { method, headers, upgrade } = x.facts;
  if ((method !== 'GET' && method !== 'HEAD') || upgrade !== undefined) return;
  const bodies = looksAtBodies(answerRulesOf(x.route, x.policy));
  if (!bodies && (method === 'GET' || x.route.hide === 'none')) return;
  if (method === 'HEAD') x.outgoing = { ...x.outgoing, method: 'GET' };
  if (bodies && (headers.has('range') || headers.has('if-range')))
    x.outgoing = { ...x.outgoing, headers: { ...x.outgoing.headers, ...RANGES } };
}
