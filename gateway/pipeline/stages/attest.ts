import type { Verdict } from '../../../contracts/integrity.ts';
import type { Exchange, Step } from '../exchange.ts';

/** Stage 7: the audit triggers of this tenant's database are intact, as fresh as the route demands. */
export function attest(x: Exchange): Step | Promise<Step> {
  const demand = x.route.integrity;
  if (demand.mode === 'off') {
    x.held('integrity-off');
    return undefined;
  }
  const verdict = x.runtime.oracle.attest(x.tenant.settings.database, demand, x.facts.arrivedAt);
  return verdict instanceof Promise ? verdict.then((settled) => judge(x, settled)) : judge(x, verdict);
}

function judge(x: Exchange, verdict: Verdict): Step {
  x.verdict = verdict;
  if (verdict.state === 'intact' && verdict.epoch !== '') {
    x.held('integrity-intact');
    return undefined;
  }
  const reason = verdict.state === 'broken' ? 'integrity-broken' : 'integrity-unverified';
  x.failed(reason, verdict.findings.join(' '));
  return { kind: 'unavailable', reason };
}
