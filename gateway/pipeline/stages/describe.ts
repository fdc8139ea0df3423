import type { AnswerJudge } from '../../../contracts/policy.ts';
import { type CapabilitySite, rewriteCapabilities } from '../../../policies/index.ts';
import type { Exchange, Step } from '../exchange.ts';
import { expectAnswer } from './decide.ts';

/** Parameters that ask for another form than the one that can be judged (FHIR R4 §3.1.0.1.11), or a part of it. */
const FORM = /^(?:_format|_pretty|_summary|_elements|mode)$/;

/**
 * Stage 5b: the EMR's capability statement says what the EMR can do and where it thinks one signs in. Clients get what
 * the policy permits, and where the tenant's own issuer authorises (SMART App Launch 2.2, "Conformance").
 */
export function describe(x: Exchange): Step | Promise<Step> {
  return x.match?.route.fhir?.interaction === 'capabilities' ? rewritten(x) : undefined;
}

async function rewritten(x: Exchange): Promise<Step> {
  const { facts, tenant } = x;
  const own = facts.path.segments.slice(0, -1).join('/');
  const base = `https://${facts.authority}${own === '' ? '' : `/${own}`}`;
  const site: CapabilitySite = { base, ...(await endpointsOf(x, tenant.settings.issuers)) };
  const offers = x.policy.fhir ?? [];
  const judge: AnswerJudge = ({ content }) => {
    const statement = content === undefined ? undefined : rewriteCapabilities(content, offers, site);
    if (statement === undefined)
      return {
        release: 'hidden',
        reasons: [{ code: 'answer-unjudged', held: false, detail: 'capabilities' }],
      };
    return { release: 'replaced', content: statement, reasons: [] };
  };
  expectAnswer(x, judge);
  const accept = x.route.fhir?.version === 'DSTU2' ? 'application/json+fhir' : 'application/fhir+json';
  const query = facts.query
    .split('&')
    .filter((part) => !FORM.test(part.split('=', 1)[0] ?? ''))
    .join('&');
  x.outgoing = { ...x.outgoing, query, headers: { ...x.outgoing.headers, accept } };
  return undefined;
}

/** Of the first of the tenant's issuers that can be asked; a statement without them is still true. */
async function endpointsOf(x: Exchange, issuers: readonly string[]): Promise<Omit<CapabilitySite, 'base'>> {
  for (const id of issuers) {
    const endpoints = await x.runtime.authenticator.endpoints?.(id);
    if (endpoints !== undefined) return endpoints;
  }
  return {};
}
