import { type Method, methodOf, methodsOf } from '../second-factors.ts';
import { ACCOUNT_PAGES, reachedBy } from './entrance.ts';
import {
  type Answer,
  bindingOf,
  field,
  formFor,
  keepProof,
  passkeySite,
  said,
  shown,
  stale,
  type Visit,
} from './visit.ts';

type Problem = 'wrong' | 'missing' | 'stale';

/** `/account/proof`: a second factor once more, before what one signs in with may be changed. */
export async function proof(visit: Visit): Promise<Answer> {
  const { parts, principal, query } = visit;
  const to = reachedBy(query.get('to'));
  const methods = methodsOf(await parts.factors.state(principal));
  const [first] = methods;
  // None left that could be shown: only administrators can help.
  if (first === undefined)
    return { status: 403, page: parts.pages.error({ kind: 'refused', requestId: visit.requestId }) };
  const wanted = methodOf(field(visit, 'method')) ?? methodOf(query.get('method'));
  const method = wanted !== undefined && methods.includes(wanted) ? wanted : first;
  const page = (problems: readonly Problem[]) => proofPage(visit, { method, methods, to, problems });
  if (visit.form === undefined) return page(stale(visit));
  const text = field(visit, method === 'passkey' ? 'passkey' : 'code');
  if (text === '') return page(['missing']);
  const proved =
    method === 'passkey'
      ? await parts.factors.finishPasskey({
          principal,
          binding: bindingOf(visit),
          site: passkeySite(visit),
          response: text,
        })
      : await parts.factors.verify({ principal, method, code: text, source: visit.source });
  if (!proved.ok) {
    // Locked, wrong, used before: one answer.
    parts.log('factor-refused', { requestId: visit.requestId, why: proved.why });
    return page(['wrong']);
  }
  await keepProof(visit);
  return { location: ACCOUNT_PAGES[to] };
}

interface About {
  readonly method: Method;
  readonly methods: readonly Method[];
  readonly to: string;
  readonly problems: readonly Problem[];
}

async function proofPage(visit: Visit, { method, methods, to, problems }: About): Promise<Answer> {
  const { parts, principal } = visit;
  const begun =
    method === 'passkey'
      ? await parts.factors.beginPasskey({ principal, binding: bindingOf(visit), site: passkeySite(visit) })
      : undefined;
  const asked = (other: Method) => `?to=${to}&method=${other}`;
  return shown(
    parts.pages.factor({
      form: formFor(visit, 'proof', asked(method)),
      method,
      ...(begun?.ok === true ? { options: begun.options } : {}),
      others: methods
        .filter((other) => other !== method)
        .map((other) => ({ method: other, href: `${ACCOUNT_PAGES.proof}${asked(other)}` })),
      purpose: 'step-up',
      cancelHref: ACCOUNT_PAGES.home,
      ...said(problems),
    }),
    problems,
  );
}
