import type { Exchange, Step } from '../exchange.ts';

/** Stage 8: what is about to be done, by whom and why it may be, durable before the EMR sees it. */
export async function recordIntent(x: Exchange): Promise<Step> {
  // The stage before has ended it; this is what would make a mistake there harmless.
  if (x.withheld !== undefined) return x.withheld;
  const { facts, principal } = x;
  const somebody = principal.kind === 'anonymous' ? undefined : principal;
  // What is not going to be forwarded needs no durable intent: resets in a row must not cost a write each.
  if (x.client.gone) {
    x.failed('client-gone');
    return { kind: 'unavailable', reason: 'client-gone', closeConnection: true };
  }
  try {
    await x.services.activity.append({
      kind: 'intent',
      request: facts.id,
      tenant: x.tenant.id,
      route: x.route.id,
      method: facts.method,
      peer: facts.peer,
      issuer: somebody?.issuer ?? '',
      subject: somebody?.subject ?? '',
      client: somebody?.clientId ?? '',
      epoch: x.verdict?.epoch ?? '',
      policy: x.policy.digest.slice(0, 16),
      reasons: x.reasons,
    });
  } catch {
    x.failed('activity-log-unavailable');
    return { kind: 'unavailable', reason: 'activity-log-unavailable' };
  }
  x.intentRecorded = true;
  return undefined;
}
