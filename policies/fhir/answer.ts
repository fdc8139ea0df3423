import type { Json, JsonObject } from '../../contracts/content.ts';
import type { AnswerJudge, AnswerJudgement, JudgedAnswer } from '../../contracts/policy.ts';
import type { Reason, ReasonCode } from '../../contracts/reasons.ts';
import { isObject, list, member, text } from './elements.ts';
import { type Action, judgeResource, LETTER, type Reach } from './reach.ts';
import { ID, type ReferenceBase } from './references.ts';

const JUDGED: readonly Reason[] = Object.freeze([
  Object.freeze({ code: 'answer-judged', held: true } as const),
]);
export const UNCHANGED: AnswerJudgement = Object.freeze({ release: 'unchanged', reasons: JUDGED });

export function hiddenAnswer(code: ReasonCode): AnswerJudgement {
  return { release: 'hidden', reasons: [{ code, held: false }] };
}

function isSuccess(status: number): boolean {
  return status >= 200 && status < 300;
}

/** References of an answer may name the back end by its own origin. */
export function answerBase(
  reach: Reach,
  { origin, told }: Pick<JudgedAnswer, 'origin' | 'told'>,
): ReferenceBase {
  return origin === undefined ? reach.base : { ...reach.base, origin, told };
}

export interface Expected {
  readonly type: string;
  /** Undefined: any. */
  readonly id: string | undefined;
  readonly mask: number;
  readonly action: Action;
}

/** One resource, as it was asked for: released whole or not at all. */
export function resourceJudge(reach: Reach, expected: Expected): AnswerJudge {
  return (answer) => {
    if (!isSuccess(answer.status) || !isObject(answer.content)) return hiddenAnswer('resource-outside');
    return judgeOne(reach, answer.content, expected, answerBase(reach, answer));
  };
}

function judgeOne(
  reach: Reach,
  resource: JsonObject,
  expected: Expected,
  base: ReferenceBase,
): AnswerJudgement {
  const id = text(resource, 'id');
  if (text(resource, 'resourceType') !== expected.type || id === undefined)
    return hiddenAnswer('resource-mismatch');
  if (expected.id !== undefined && id !== expected.id) return hiddenAnswer('resource-mismatch');
  const verdict = judgeResource(reach, resource, expected.mask, expected.action, base);
  return verdict.ok ? UNCHANGED : hiddenAnswer(verdict.reason);
}

/** What is left of an EMR's remarks on something that was created: that it was. */
const CREATED: AnswerJudgement = Object.freeze({
  release: 'replaced',
  content: {
    resourceType: 'OperationOutcome',
    issue: [{ severity: 'information', code: 'informational', diagnostics: 'Created.' }],
  },
  reasons: JUDGED,
});

/** The answer to a write that was judged before it was made: the resource, an outcome, or nothing. */
export function writtenJudge(reach: Reach, expected: Expected): AnswerJudge {
  return (answer) => {
    if (!isSuccess(answer.status)) return hiddenAnswer('resource-outside');
    const { content } = answer;
    const created = expected.id === undefined;
    if (content !== undefined && !isObject(content)) return hiddenAnswer('resource-mismatch');
    if (content === undefined || text(content, 'resourceType') === 'OperationOutcome') {
      // What it says of a change is about the request's own content, or about what was found to be in reach.
      if (!created) return UNCHANGED;
      // R4 §3.1.0.8: new is 201. Anything else points to one that was there, which nobody has judged.
      if (answer.status !== 201) return hiddenAnswer('resource-outside');
      // Warnings of an EMR name whom the new one looks like.
      return content === undefined ? UNCHANGED : CREATED;
    }
    return judgeOne(reach, content, expected, answerBase(reach, answer));
  };
}

/** What kinds of bundle a route answers with, and what may be in them. */
export interface ExpectedBundle {
  readonly kinds: readonly string[];
  /** The type that is asked for, and what its resources need; others are included, and need to be readable. */
  readonly type: string | undefined;
  readonly mask: number;
  /** Only the number of matches is to be told. */
  readonly counted?: boolean;
  /** Of a history: the one resource whose versions these are. */
  readonly id?: string;
}

/**
 * A search set or a history: entries that may not be seen are taken out, and what is left says nothing of them. A total
 * is kept only where it can be counted.
 */
export function bundleJudge(reach: Reach, expected: ExpectedBundle): AnswerJudge {
  return (answer) => {
    const { content } = answer;
    if (!isSuccess(answer.status) || !isObject(content)) return hiddenAnswer('resource-outside');
    if (text(content, 'resourceType') !== 'Bundle' || !expected.kinds.includes(text(content, 'type') ?? '')) {
      return hiddenAnswer('resource-mismatch');
    }
    const base = { ...answerBase(reach, answer), entries: entryNames(content) };
    const kept: JsonObject[] = [];
    let matches = 0;
    let unavailable = false;
    const found = list(member(content, 'entry'));
    for (const entry of found) {
      if (!isObject(entry)) continue;
      const verdict = judgeEntry(reach, entry, expected, base);
      if (verdict === 'unavailable') unavailable = true;
      if (verdict !== 'kept') continue;
      kept.push(cleanEntry(entry, base));
      if (searchMode(entry) === 'match') matches += 1;
    }
    // A part of a record that looks like the whole of it would mislead whoever relies on it.
    if (unavailable) return hiddenAnswer('consent-unavailable');
    const shown = expected.id === undefined ? kept : withDeletions(kept, found, expected, base);
    // Nothing of a history that is there was to be seen: the record is as if it were not there.
    if (expected.id !== undefined && shown.length === 0) return hiddenAnswer('resource-outside');
    if (expected.counted === true) return countOf(content, matches);
    return { release: 'replaced', content: rebuild(content, shown, matches, base), reasons: JUDGED };
  };
}

/** What R4 §3.1.1.5.5 says of `_summary=count`: a number, and no resources. One that goes on elsewhere is not known. */
function countOf(bundle: JsonObject, matches: number): AnswerJudgement {
  const onward = list(member(bundle, 'link')).some(
    (link) => isObject(link) && text(link, 'relation') === 'next',
  );
  if (onward) return hiddenAnswer('search-unsupported');
  return {
    release: 'replaced',
    content: { resourceType: 'Bundle', type: 'searchset', total: matches },
    reasons: JUDGED,
  };
}

function searchMode(entry: JsonObject): string {
  const search = member(entry, 'search');
  return (isObject(search) ? text(search, 'mode') : undefined) ?? 'match';
}

function judgeEntry(
  reach: Reach,
  entry: JsonObject,
  expected: ExpectedBundle,
  base: ReferenceBase,
): 'kept' | 'dropped' | 'unavailable' {
  const resource = member(entry, 'resource');
  if (!isObject(resource)) return 'dropped';
  const type = text(resource, 'resourceType');
  // Outcomes are words of the EMR's own, which may be about what is not released.
  if (type === undefined || type === 'OperationOutcome') return 'dropped';
  const id = text(resource, 'id');
  if (id === undefined || !ID.test(id)) return 'dropped';
  if (expected.id !== undefined && (type !== expected.type || id !== expected.id)) return 'dropped';
  const asked = type === expected.type && searchMode(entry) === 'match';
  const verdict = judgeResource(reach, resource, asked ? expected.mask : LETTER.r, 'read', base);
  if (verdict.ok) return 'kept';
  return verdict.reason === 'consent-unavailable' ? 'unavailable' : 'dropped';
}

/** Members of an entry that say nothing but what the released resource says. */
function cleanEntry(entry: JsonObject, base: ReferenceBase): JsonObject {
  const { resource = null } = entry;
  const fullUrl = publicUrl(text(entry, 'fullUrl'), base);
  const search = member(entry, 'search');
  const request = member(entry, 'request');
  const response = member(entry, 'response');
  return {
    ...(fullUrl === undefined ? {} : { fullUrl }),
    resource,
    ...(isObject(search) ? { search: pick(search, ['mode', 'score']) } : {}),
    ...(isObject(request) ? { request: pick(request, ['method', 'url']) } : {}),
    ...(isObject(response) ? { response: pick(response, ['status', 'etag', 'lastModified']) } : {}),
  };
}

export function pick(object: JsonObject, names: readonly string[]): JsonObject {
  const picked: Record<string, Json> = {};
  for (const name of names) {
    const value = member(object, name);
    if (typeof value === 'string' || typeof value === 'number') picked[name] = value;
  }
  return picked;
}

/** Versions without a resource say when it was deleted; they are shown with versions that may be seen, and only then. */
function withDeletions(
  kept: readonly JsonObject[],
  found: readonly Json[],
  expected: ExpectedBundle,
  base: ReferenceBase,
): readonly JsonObject[] {
  if (kept.length === 0) return kept;
  const shown = new Map(kept.map((entry) => [entry.resource, entry]));
  return found.flatMap((entry): readonly JsonObject[] => {
    if (!isObject(entry)) return [];
    const resource = member(entry, 'resource');
    if (resource !== undefined) {
      const released = shown.get(resource);
      return released === undefined ? [] : [released];
    }
    const request = member(entry, 'request');
    const isDeletion = isObject(request) && text(request, 'method') === 'DELETE';
    const about =
      isObject(request) && text(request, 'url')?.endsWith(`${expected.type}/${expected.id}`) === true;
    const { resource: _none, ...clean } = cleanEntry(entry, base);
    return isDeletion && about ? [clean] : [];
  });
}

/** Full URLs that are no addresses, by the resource they stand for. */
function entryNames(bundle: JsonObject): ReadonlyMap<string, string> {
  const names = new Map<string, string>();
  for (const entry of list(member(bundle, 'entry'))) {
    if (!isObject(entry)) continue;
    const fullUrl = text(entry, 'fullUrl');
    const resource = member(entry, 'resource');
    if (fullUrl === undefined || !isObject(resource) || !fullUrl.startsWith('urn:')) continue;
    // The same name twice would make a reference mean two things.
    names.set(fullUrl, names.has(fullUrl) ? '' : `${text(resource, 'resourceType')}/${text(resource, 'id')}`);
  }
  return names;
}

const LINKS: ReadonlySet<string> = new Set(['self', 'next', 'previous', 'prev']);

function rebuild(
  bundle: JsonObject,
  entries: readonly JsonObject[],
  matches: number,
  base: ReferenceBase,
): JsonObject {
  const links = list(member(bundle, 'link')).flatMap((link) => {
    if (!isObject(link)) return [];
    const relation = text(link, 'relation') ?? '';
    const url = publicUrl(text(link, 'url'), base);
    return LINKS.has(relation) && url !== undefined ? [{ relation, url }] : [];
  });
  const alone = !links.some(({ relation }) => relation !== 'self');
  const { type = 'searchset' } = bundle;
  return {
    resourceType: 'Bundle',
    ...pick(bundle, ['id', 'timestamp']),
    type,
    // Over several pages only the EMR knows how many there are, and it may count what is not released.
    ...(alone ? { total: type === 'history' ? entries.length : matches } : {}),
    ...(links.length === 0 ? {} : { link: links }),
    ...(entries.length === 0 ? {} : { entry: entries }),
  };
}

/** A URL as clients know it: below this base, whatever origin the EMR thinks it has; undefined: any other. */
export function publicUrl(url: string | undefined, base: ReferenceBase): string | undefined {
  if (url === undefined) return undefined;
  if (url.startsWith('urn:uuid:')) return /^urn:uuid:[0-9a-fA-F-]{36}$/.test(url) ? url : undefined;
  let parsed: URL;
  try {
    parsed = new URL(url, `https://${base.authority}${base.base}/`);
  } catch {
    return undefined;
  }
  const known = [`https://${base.authority}`, `http://${base.authority}`, base.origin].includes(
    parsed.origin,
  );
  const { prefix = '', parameter } = base.told ?? {};
  if (prefix !== '' && parsed.pathname.startsWith(`${prefix}/`))
    parsed.pathname = parsed.pathname.slice(prefix.length);
  if (parameter !== undefined && parsed.searchParams.has(parameter)) parsed.searchParams.delete(parameter);
  const below = parsed.pathname === base.base || parsed.pathname.startsWith(`${base.base}/`);
  if (!known || !below || parsed.username !== '' || parsed.hash !== '') return undefined;
  return `https://${base.authority}${parsed.pathname}${parsed.search}`;
}
