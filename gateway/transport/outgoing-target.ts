import type { TellBackendSettings } from '../../contracts/settings.ts';
import { folded } from '../canonical/query-rules.ts';
import type { Exchange } from '../pipeline/exchange.ts';

/**
 * The request target that the back end gets (RFC 9112 §3.2.1): the canonical path and this query, and where the EMR
 * serves several tenants, which of them is meant.
 * @param query encoded, without `?`
 */
export function outgoingTarget(x: Exchange, query: string): string {
  const path = x.facts.path.text;
  const told = x.tenant.settings.tellBackend;
  if (told === undefined) return query === '' ? path : `${path}?${query}`;
  const parameter = told.query === undefined ? '' : `${told.query.name}=${told.query.value}`;
  const whole = parameter === '' || query === '' ? `${parameter}${query}` : `${parameter}&${query}`;
  return `${told.pathPrefix ?? ''}${path}${whole === '' ? '' : '?'}${whole}`;
}

/** Whether one of these names is, to some server, that of the parameter by which the gateway tells the tenant. */
export function meddles(names: Iterable<string>, told: TellBackendSettings): boolean {
  if (told.query === undefined) return false;
  const own = folded(told.query.name);
  for (const name of names) if (folded(name) === own) return true;
  return false;
}

/** A `Cookie` without that name: some servers read cookies as parameters. Undefined where nothing is left. */
export function withoutTold(cookies: string, told: TellBackendSettings): string | undefined {
  if (told.query === undefined) return cookies;
  const kept = cookies.split(';').filter((pair) => !meddles([(pair.split('=', 1)[0] ?? '').trim()], told));
  return kept.length === 0 ? undefined : kept.join(';').trim();
}
