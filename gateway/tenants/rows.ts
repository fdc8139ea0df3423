import type { Json, JsonObject } from '../../contracts/content.ts';
import type { AnswerJudge, AnswerJudgement } from '../../contracts/policy.ts';
import type { OwnRowsSettings } from '../../contracts/settings.ts';
import { bears, isList, isObject, list, member } from './marks.ts';

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

/**
 * The judge of what a change would change: nothing of others may be in it, not even beside what is this tenant's, and
 * something of this tenant's has to be: an empty list or a page of several says nothing of what else would be changed.
 * @param byQuery the record is named by the query, so that a list is the answer of an EMR that took no notice of it
 */
export function whollyOwn(judge: AnswerJudge, next: AnswerJudge | undefined, byQuery = false): AnswerJudge {
  return (answer) => {
    const judgement = withContent(judge)(answer);
    if (judgement.release !== 'unchanged' || !holdsAll(answer.content, byQuery)) return HIDDEN;
    return next === undefined ? judgement : next(answer);
  };
}

function holdsAll(content: Json | undefined, byQuery: boolean): boolean {
  if (isList(content)) return content.length > 0 && !byQuery;
  if (!isObject(content) || member(content, 'resourceType') !== 'Bundle') return content !== undefined;
  return isWhole(content) && list(member(content, 'entry')).some((entry) => isMatch(entry));
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

  /** @param answered for a step each (R4 §3.1.0.11.1), whose place it has to keep; undefined: it is left out */
  #entry(entry: Json, answered: boolean): Json | undefined {
    const absent = answered ? ABSENT : undefined;
    if (!isObject(entry)) return absent;
    const resource = member(entry, 'resource');
    // Of a history, it would say that something of somebody's was deleted; of a batch, how a step of it went.
    if (resource === undefined) return answered && tellsOfTheStep(entry) ? entry : absent;
    if (!isObject(resource)) return absent;
    if (member(resource, 'resourceType') !== 'Bundle') return this.#isOwn(resource) ? entry : absent;
    const kept = this.#bundle(resource);
    if (kept === undefined) return absent;
    return kept === resource ? entry : { ...entry, resource: kept };
  }
}

/** What takes the place of the answer to a step, whether the record is another's or there is none. */
const ABSENT: JsonObject = Object.freeze({ response: Object.freeze({ status: '404 Not Found' }) });

/** Without a resource: that something was made, or what is wrong with the step; never that a record is there or was. */
function tellsOfTheStep(entry: JsonObject): boolean {
  const response = member(entry, 'response');
  const said = isObject(response) ? member(response, 'status') : undefined;
  const status = typeof said === 'string' ? said.slice(0, 3) : '';
  return status === '201' || (/^[45]\d\d$/.test(status) && status !== '404' && status !== '410');
}

function isWhole(bundle: JsonObject): boolean {
  return !list(member(bundle, 'link')).some((link) => isObject(link) && member(link, 'relation') !== 'self');
}

function isMatch(entry: Json): boolean {
  const search = isObject(entry) ? member(entry, 'search') : undefined;
  return !isObject(search) || (member(search, 'mode') ?? 'match') === 'match';
}
