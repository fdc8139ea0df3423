import type { Content, Json, JsonObject } from '../../contracts/content.ts';
import { type CanonicalPath, METHODS, type Method, type RequestFacts } from '../../contracts/facts.ts';
import type {
  AnswerJudge,
  ContentJudge,
  ContentJudgement,
  Decision,
  DecisionContext,
  PolicySet,
} from '../../contracts/policy.ts';
import type { AuthenticatedPrincipal } from '../../contracts/principal.ts';
import { pick } from './answer.ts';
import { denyContent } from './content.ts';
import { isObject, list, member, text } from './elements.ts';
import { LONGEST_QUERY, readQuery } from './query-text.ts';

/** A bundle with more entries is refused as it is, before any of them is looked at. */
export const MOST_ENTRIES = 1_000;
/** Parameters of all URLs and conditions together, so that a bundle costs no more than so many plain requests. */
const MOST_PARAMETERS = 16 * MOST_ENTRIES;
const SEGMENT = /^[A-Za-z0-9$_][A-Za-z0-9$_.-]{0,127}$/;
const UNRESERVED_PATH = /^[A-Za-z0-9$_./-]*$/;

/** Who sends a bundle, and by which policy its entries are decided. */
export interface Sender {
  readonly facts: RequestFacts;
  readonly principal: AuthenticatedPrincipal;
  readonly now: number;
  readonly context: DecisionContext | undefined;
  readonly self: PolicySet;
}

type Denied = Extract<ContentJudgement, { effect: 'deny' }>;
type Kind = 'batch' | 'transaction';

interface Permitted {
  readonly entry: JsonObject;
  /** Undefined: its answer is released as it is. */
  readonly judge: AnswerJudge | undefined;
}

/**
 * `POST [base]` (R4 §3.1.0.11): every entry is decided as if it were sent by itself, by the route that it would match.
 * The bundle goes on, with its searches narrowed, when each of them is permitted; else none of it does, in a batch as in
 * a transaction, because an EMR that answers for entries that were taken out would tell of them.
 */
export function batchContent(sender: Sender, base: string): ContentJudge {
  return (content: Content) => {
    if (content.kind !== 'json') return denyContent('forbidden', 'bundle-unsupported', 'media type');
    const bundle = content.value;
    if (!isObject(bundle) || text(bundle, 'resourceType') !== 'Bundle') {
      return denyContent('forbidden', 'bundle-unsupported', 'resourceType');
    }
    const kind = text(bundle, 'type');
    if (kind !== 'batch' && kind !== 'transaction')
      return denyContent('forbidden', 'bundle-unsupported', 'type');
    const entries = list(member(bundle, 'entry'));
    if (entries.length > MOST_ENTRIES)
      return denyContent('forbidden', 'bundle-unsupported', `more than ${MOST_ENTRIES} entries`);
    const permitted: Permitted[] = [];
    let parameters = 0;
    for (const [index, entry] of entries.entries()) {
      parameters += parametersIn(entry);
      if (parameters > MOST_PARAMETERS)
        return denyContent('forbidden', 'bundle-unsupported', `more than ${MOST_PARAMETERS} parameters`);
      const judged = judgeEntry(sender, base, entry, content);
      if ('effect' in judged) return at(judged, index);
      permitted.push(judged);
    }
    return {
      effect: 'permit',
      reasons: [{ code: 'resource-outside', held: true, detail: `${permitted.length} entries` }],
      replacement: { ...bundle, entry: permitted.map(({ entry }) => entry) },
      answer: responseJudge(
        kind,
        permitted.map(({ judge }) => judge),
      ),
    };
  };
}

/** As many separators as there are, so that they are counted before anything is read. */
function parametersIn(entry: Json): number {
  const request = isObject(entry) ? member(entry, 'request') : undefined;
  if (!isObject(request)) return 0;
  const count = (query: string) => query.split('&', MOST_PARAMETERS + 1).length;
  return count(text(request, 'url') ?? '') + count(text(request, 'ifNoneExist') ?? '');
}

function at(denied: Denied, index: number): Denied {
  return {
    ...denied,
    reasons: [{ code: 'bundle-entry-refused', held: false, detail: `entry ${index}` }, ...denied.reasons],
  };
}

function refuse(detail: string): Denied {
  return denyContent('forbidden', 'bundle-unsupported', detail) as Denied;
}

function judgeEntry(sender: Sender, base: string, entry: Json, content: Content): Permitted | Denied {
  const request = isObject(entry) ? member(entry, 'request') : undefined;
  if (!isObject(entry) || !isObject(request)) return refuse('entry without request');
  const method = METHODS.find((known) => known === text(request, 'method'));
  const url = text(request, 'url');
  if (method === undefined || url === undefined || url.length > LONGEST_QUERY)
    return refuse('request of an entry');
  const inner = innerFacts(sender.facts, base, method, url, request);
  if (inner === undefined) return refuse('url or condition of an entry');
  const { self, principal, now, context } = sender;
  const match = self.match(inner);
  // What is no FHIR is not done for a bundle, and a bundle in a bundle is none.
  if (match?.route.fhir === undefined || match.route.fhir.interaction === 'batch')
    return refuse('route of an entry');
  const decision = self.decide(inner, match, principal, now, context);
  if (decision.effect === 'deny') return decision;
  return withObligations(entry, request, url, decision, content);
}

function withObligations(
  entry: JsonObject,
  request: JsonObject,
  url: string,
  { obligations }: Extract<Decision, { effect: 'permit' }>,
  content: Content,
): Permitted | Denied {
  if (obligations === undefined) return { entry, judge: undefined };
  // Inside a bundle nothing can be looked at before it is changed.
  if (obligations.existing !== undefined) return refuse('change of an entry that has to be looked at first');
  let judge = obligations.answer;
  if (obligations.content !== undefined) {
    const resource = member(entry, 'resource');
    if (resource === undefined) return refuse('entry without resource');
    const judged = obligations.content({
      kind: 'json',
      value: resource,
      bytes: content.bytes,
      mediaType: content.mediaType,
    });
    if (judged.effect === 'deny') return judged;
    if (judged.replacement !== undefined || judged.form !== undefined)
      return refuse('entry that would be rewritten');
    judge = judged.answer ?? judge;
  }
  const path = url.split('?')[0] ?? '';
  const query = obligations.query ?? url.split('?')[1] ?? '';
  const condition = obligations.headers?.['if-none-exist'];
  const { ifNoneExist: _condition, ...rest } = request;
  return {
    entry: {
      ...entry,
      request: {
        ...rest,
        url: query === '' ? path : `${path}?${query}`,
        ...(condition === undefined ? {} : { ifNoneExist: condition }),
      },
    },
    judge,
  };
}

/**
 * An entry's request as it would have come by itself; undefined when its URL is not relative to the base and plain, or
 * its condition no text of a header's length.
 */
function innerFacts(
  facts: RequestFacts,
  base: string,
  method: Method,
  url: string,
  request: JsonObject,
): RequestFacts | undefined {
  const [path = '', query = '', ...more] = url.split('?', 3);
  if (more.length > 0 || !UNRESERVED_PATH.test(path)) return undefined;
  const own = path === '' ? [] : path.split('/');
  if (own.some((segment) => !SEGMENT.test(segment) || segment.endsWith('.'))) return undefined;
  const parameters = readQuery(query);
  if (parameters === undefined) return undefined;
  const inBase = base.split('/').slice(1).map(decodeURIComponent);
  const segments = [...inBase, ...own];
  const whole = `${base}${own.length === 0 && base !== '' ? '' : '/'}${own.join('/')}`;
  const headers = innerHeaders(facts, request);
  if (headers === undefined) return undefined;
  const carries = method === 'POST' || method === 'PUT' || method === 'PATCH';
  return {
    ...facts,
    method,
    // Plain segments below a path that was made canonical are canonical themselves.
    path: { text: whole, segments } as unknown as CanonicalPath,
    query,
    parameters,
    headers,
    upgrade: undefined,
    body: carries ? facts.body : { kind: 'none' },
    mediaType: carries ? facts.mediaType : undefined,
  };
}

/** An entry's condition is its own; what else the bundle came with is every entry's. */
function innerHeaders(facts: RequestFacts, request: JsonObject): ReadonlyMap<string, string> | undefined {
  const headers = new Map(facts.headers);
  headers.delete('if-none-exist');
  const condition = member(request, 'ifNoneExist');
  if (condition === undefined) return headers;
  if (typeof condition !== 'string' || condition.length > LONGEST_QUERY) return undefined;
  return headers.set('if-none-exist', condition);
}

const GONE: JsonObject = Object.freeze({ response: Object.freeze({ status: '404 Not Found' }) });

/** The answer has an entry for each one that was sent, in order (R4 §3.1.0.11.1): each goes to its own judge. */
function responseJudge(kind: Kind, judges: readonly (AnswerJudge | undefined)[]): AnswerJudge {
  return (answer) => {
    const { content } = answer;
    const entries = isObject(content) ? list(member(content, 'entry')) : [];
    const fits =
      answer.status === 200 &&
      isObject(content) &&
      text(content, 'resourceType') === 'Bundle' &&
      text(content, 'type') === `${kind}-response` &&
      entries.length === judges.length;
    if (!fits || !isObject(content))
      return { release: 'hidden', reasons: [{ code: 'resource-mismatch', held: false }] };
    const entry = entries.map((each, index) => answerOf(each, judges[index], answer));
    const released = { resourceType: 'Bundle', ...pick(content, ['id']), type: `${kind}-response`, entry };
    return { release: 'replaced', content: released, reasons: [{ code: 'answer-judged', held: true }] };
  };
}

function answerOf(
  entry: Json,
  judge: AnswerJudge | undefined,
  answer: Parameters<AnswerJudge>[0],
): JsonObject {
  const response = isObject(entry) ? member(entry, 'response') : undefined;
  if (!isObject(entry) || !isObject(response)) return GONE;
  if (judge === undefined) return entry;
  const status = Number((text(response, 'status') ?? '').slice(0, 3));
  const { resource } = entry;
  const judged = judge({ ...answer, status, headers: {}, content: resource });
  if (judged.release === 'hidden') return GONE;
  const clean = pick(response, ['status', 'location', 'etag', 'lastModified']);
  const content = judged.release === 'replaced' ? judged.content : resource;
  return content === undefined ? { response: clean } : { resource: content, response: clean };
}
