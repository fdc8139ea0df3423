import type { Json, JsonObject } from '../../contracts/content.ts';
import type { AnswerJudge, AnswerJudgement } from '../../contracts/policy.ts';
import type { OwnRowsSettings, RowMark } from '../../contracts/settings.ts';
import { folded } from '../canonical/parameter-names.ts';

const OWN = Object.freeze([Object.freeze({ code: 'rows-own', held: true } as const)]);
const FOREIGN = Object.freeze([Object.freeze({ code: 'rows-foreign', held: false } as const)]);
const UNCHANGED: AnswerJudgement = Object.freeze({ release: 'unchanged', reasons: OWN });
const HIDDEN: AnswerJudgement = Object.freeze({ release: 'hidden', reasons: FOREIGN });

const judges = new WeakMap<OwnRowsSettings, AnswerJudge>();

/**
 * Judges answers of an EMR whose database holds rows of other tenants too: every record has to bear a mark of this
 * one. Lists and FHIR bundles lose the records that do not; anything else that does not is hidden. An answer without
 * content has nothing of anybody's in it: for reads see `withContent`.
 */
export function ownRowsJudge(settings: OwnRowsSettings): AnswerJudge {
  let judge = judges.get(settings);
  if (judge === undefined) {
    const rows = new Rows(settings);
    judge = ({ content }) => (content === undefined ? UNCHANGED : rows.judge(content));
    judges.set(settings, judge);
  }
  return judge;
}

/** The same where there has to be something to judge: that a record is there, an empty answer says as well. */
export function withContent(judge: AnswerJudge): AnswerJudge {
  return (answer) => (answer.content === undefined ? HIDDEN : judge(answer));
}

/** The judge of what a change would change: nothing of others may be in it, not even beside what is this tenant's. */
export function whollyOwn(judge: AnswerJudge, next: AnswerJudge | undefined): AnswerJudge {
  return (answer) => {
    const judgement = withContent(judge)(answer);
    if (judgement.release !== 'unchanged') return HIDDEN;
    return next === undefined ? judgement : next(answer);
  };
}

/** What a request's own body says of whose it is. */
export function contradicts(settings: OwnRowsSettings, content: Json, method: string): boolean {
  if (method === 'PATCH') return isPatch(content) ? content.some((step) => touches(settings, step)) : true;
  if (Array.isArray(content)) return content.some((each) => contradicts(settings, each, method));
  if (!isObject(content)) return false;
  // What is not of the form that it should be, some EMR reads all the same, and says something else by it.
  if (member(content, 'resourceType') === 'Bundle') {
    const entries = member(content, 'entry');
    if (entries === undefined) return false;
    return !isList(entries) || entries.some((entry) => changesOthers(settings, entry));
  }
  return settings.marks.some((mark) => saysOther(mark, content));
}

class Rows {
  readonly #settings: OwnRowsSettings;
  readonly #shared: ReadonlySet<string>;

  constructor(settings: OwnRowsSettings) {
    this.#settings = settings;
    this.#shared = new Set(settings.shared);
  }

  judge(content: Json): AnswerJudgement {
    if (isList(content)) return this.#judgeList(content);
    if (!isObject(content)) return HIDDEN;
    if (member(content, 'resourceType') !== 'Bundle') return this.#isOwn(content) ? UNCHANGED : HIDDEN;
    const kept = this.#bundle(content);
    if (kept === undefined) return HIDDEN;
    return kept === content ? UNCHANGED : { release: 'replaced', content: kept, reasons: OWN };
  }

  #judgeList(content: readonly Json[]): AnswerJudgement {
    const kept = content.filter((each) => isObject(each) && this.#isOwn(each));
    return kept.length === content.length ? UNCHANGED : { release: 'replaced', content: kept, reasons: OWN };
  }

  #isOwn(record: JsonObject): boolean {
    const type = member(record, 'resourceType');
    if (typeof type === 'string' && this.#shared.has(type)) return true;
    return this.#settings.marks.some((mark) => bears(mark, record));
  }

  /** The same object where nothing had to be taken out; undefined where it is no bundle at all. */
  #bundle(bundle: JsonObject): JsonObject | undefined {
    const entries = member(bundle, 'entry');
    if (entries !== undefined && !isList(entries)) return undefined;
    const found = list(entries);
    const answered = /-response$/.test(String(member(bundle, 'type')));
    const kept: Json[] = [];
    let changed = false;
    for (const entry of found) {
      const shown = this.#entry(entry, answered);
      if (shown !== entry) changed = true;
      if (shown !== undefined) kept.push(shown);
    }
    // A total counts what the database has, and only an answer of one page can be counted here.
    const total = member(bundle, 'total');
    const counted = isWhole(bundle) ? kept.filter(isMatch).length : undefined;
    if (!changed && (total === undefined || total === counted)) return bundle;
    const { entry: _entry, total: _total, ...rest } = bundle;
    return {
      ...rest,
      ...(counted === undefined || total === undefined ? {} : { total: counted }),
      ...(kept.length === 0 ? {} : { entry: kept }),
    };
  }

  #entry(entry: Json, answered: boolean): Json | undefined {
    if (!isObject(entry)) return undefined;
    const resource = member(entry, 'resource');
    // Of a history, it would say that something of somebody's was deleted; of a batch, how a step of it went.
    if (resource === undefined) return answered ? entry : undefined;
    if (!isObject(resource)) return undefined;
    if (member(resource, 'resourceType') !== 'Bundle') return this.#isOwn(resource) ? entry : undefined;
    const kept = this.#bundle(resource);
    if (kept === undefined) return undefined;
    return kept === resource ? entry : { ...entry, resource: kept };
  }
}

function isWhole(bundle: JsonObject): boolean {
  return !list(member(bundle, 'link')).some((link) => isObject(link) && member(link, 'relation') !== 'self');
}

function isMatch(entry: Json): boolean {
  const search = isObject(entry) ? member(entry, 'search') : undefined;
  return !isObject(search) || (member(search, 'mode') ?? 'match') === 'match';
}

function bears(mark: RowMark, record: JsonObject): boolean {
  if (mark.by === 'tag') return tags(record).some((tag) => isTag(mark, tag));
  const value = valueAt(mark.path, record);
  return (typeof value === 'string' || typeof value === 'number') && String(value) === mark.value;
}

/** It has the place for the mark, and another one stands there. */
function saysOther(mark: RowMark, record: JsonObject): boolean {
  if (mark.by === 'tag')
    return (
      !tagsAreFormed(record) ||
      tags(record).some((tag) => isObject(tag) && member(tag, 'system') === mark.system && !isTag(mark, tag))
    );
  return valueAt(mark.path, record) !== undefined && !bears(mark, record);
}

function tagsAreFormed(record: JsonObject): boolean {
  const meta = member(record, 'meta');
  if (meta === undefined) return true;
  if (!isObject(meta)) return false;
  const tag = member(meta, 'tag');
  return tag === undefined || isList(tag);
}

function tags(record: JsonObject): readonly Json[] {
  const meta = member(record, 'meta');
  return isObject(meta) ? list(member(meta, 'tag')) : [];
}

function isTag(mark: Extract<RowMark, { by: 'tag' }>, tag: Json): boolean {
  return isObject(tag) && member(tag, 'system') === mark.system && member(tag, 'code') === mark.code;
}

/** RFC 6901 §4. */
function valueAt(path: readonly string[], record: Json): Json | undefined {
  let value: Json | undefined = record;
  for (const part of path) {
    if (isList(value)) value = /^(?:0|[1-9]\d{0,8})$/.test(part) ? value[Number(part)] : undefined;
    else value = isObject(value) ? member(value, part) : undefined;
  }
  return value;
}

/** The same of the fields of a form: one that is called as a mark's place is has to hold the mark. */
export function formContradicts(
  settings: OwnRowsSettings,
  fields: Iterable<readonly [string, string | undefined]>,
): boolean {
  const places = new Map<string, string>();
  for (const mark of settings.marks)
    if (mark.by === 'pointer' && mark.path.length === 1)
      places.set(folded(mark.path[0] as string), mark.value);
  if (places.size === 0) return false;
  for (const [name, value] of fields) {
    const wanted = places.get(folded(name));
    if (wanted !== undefined && wanted !== value) return true;
  }
  return false;
}

/** A step of a transaction that changes what is there; whose that is, nobody has looked at. */
function changesOthers(settings: OwnRowsSettings, entry: Json): boolean {
  if (!isObject(entry)) return true;
  const request = member(entry, 'request');
  if (request !== undefined && !isObject(request)) return true;
  const method = request === undefined ? undefined : member(request, 'method');
  if (method !== undefined && method !== 'GET' && method !== 'HEAD' && method !== 'POST') return true;
  const resource = member(entry, 'resource');
  return resource !== undefined && contradicts(settings, resource, 'POST');
}

/** JSON Patch (RFC 6902); other kinds of patches are not understood here. */
function isPatch(content: Json): content is readonly Json[] {
  return isList(content);
}

/** Whether a step of a patch changes what marks a record, or something around it. */
function touches(settings: OwnRowsSettings, step: Json): boolean {
  if (!isObject(step)) return true;
  const places = [member(step, 'path'), member(step, 'from')].filter((place) => place !== undefined);
  return places.some((place) => {
    if (typeof place !== 'string') return true;
    const path = place
      .split('/')
      .slice(1)
      .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'));
    return settings.marks.some((mark) => meet(path, mark.by === 'tag' ? ['meta', 'tag'] : mark.path));
  });
}

/** One of the two lies at or below the other. */
function meet(a: readonly string[], b: readonly string[]): boolean {
  const length = Math.min(a.length, b.length);
  for (let at = 0; at < length; at += 1) if (a[at] !== b[at]) return false;
  return true;
}

function isList(value: Json | undefined): value is readonly Json[] {
  return Array.isArray(value);
}

function list(value: Json | undefined): readonly Json[] {
  return isList(value) ? value : [];
}

function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Never what an object inherits. */
function member(object: JsonObject, name: string): Json | undefined {
  return Object.hasOwn(object, name) ? object[name] : undefined;
}
