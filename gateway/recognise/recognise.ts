import { gunzipSync } from 'node:zlib';
import type { ReasonCode } from '../../contracts/reasons.ts';
import type { Exchange } from '../pipeline/exchange.ts';
import type { BackendAnswer } from '../transport/backend-answer.ts';
import { codingOf, Unpacking, unpacked } from './coding.ts';
import { type Finding, type LookedFor, Looker } from './looker.ts';
import { readingOf, resourceIn } from './media.ts';
import { ownMatcher } from './own.ts';
import { answerRulesOf } from './rules.ts';

/** What an answer of the EMR turned out to be although its status says it is a good one. */
export interface Recognised {
  readonly kind: 'hidden' | 'backend-failed';
  readonly reason: Extract<ReasonCode, 'answer-recognised' | 'answer-error' | 'answer-unjudged'>;
  /** A sign, or what kept it from being looked through: fixed words. */
  readonly detail: string;
}

/** Bytes of a packed body that are unpacked at once; more, and other work would wait. */
const MOST_AT_ONCE = 16 * 1024;
/**
 * Milliseconds for which an answer that nobody hides is held until its end has come: most errors come at once, and
 * what dawdles, such as a report that is written while it is read, is looked through as it passes.
 */
const MOST_HELD_MS = 1000;
/** Media types of answers that go on until somebody leaves: nothing waits for their end. */
const ENDLESS = /^(?:text\/event-stream|multipart\/x-mixed-replace)\b/i;

/**
 * Looks through an answer of the EMR whose status would let it pass, before anything of it is released. What has come
 * already is looked through at once; where nothing has to be waited for, neither has the caller. An answer that is too
 * long to be held is looked through as it passes, and cut at the first sign.
 */
export function recogniseAnswer(
  x: Exchange,
  backend: BackendAnswer,
): Recognised | undefined | Promise<Recognised | undefined> {
  const { status } = backend;
  if (status < 200 || status > 399 || backend.failed) return undefined;
  const { headers } = backend;
  const rules = answerRulesOf(x.route, x.policy);
  const own = rules === undefined ? undefined : ownMatcher(rules);
  const head = { status, location: own === undefined ? undefined : locationOf(headers.location) };
  const byHead = own?.ofHead(head);
  if (byHead !== undefined) return meaning({ by: 'settings', means: byHead });
  const type = headers['content-type'];
  const reading = readingOf(Array.isArray(type) ? type.join(',') : type);
  const lookedFor: LookedFor = { reading, rules, own, head, judged: x.answerJudges.length > 0 };
  const coding = codingOf(headers['content-encoding']);
  const whole = backend.whole;
  if (whole !== undefined) {
    if (whole.length === 0) return undefined;
    if (coding === undefined) {
      // The common small answer: one look at its beginning and its end.
      const content = contentOf(whole, lookedFor);
      if (content === 'record' && own?.body === undefined) return undefined;
      return meaning(
        lookThrough(whole, new Looker(content === undefined ? lookedFor : { ...lookedFor, content })),
      );
    }
    return packed(whole, coding, lookedFor);
  }
  // Nobody waits for pictures and films; what only says that it is one is found out with its first bytes.
  if (reading === 'binary' || reading === 'program' || ENDLESS.test(String(type ?? '')))
    return passing(backend, coding, lookedFor);
  return held(x, backend, coding, lookedFor);
}

async function held(
  x: Exchange,
  backend: BackendAnswer,
  coding: ReturnType<typeof codingOf>,
  lookedFor: LookedFor,
): Promise<Recognised | undefined> {
  const must = x.route.hide !== 'none' || lookedFor.own?.body !== undefined;
  await backend.settled(must ? x.route.backendTimeoutMs : Math.min(MOST_HELD_MS, x.route.backendTimeoutMs));
  // What broke off, `shape` answers.
  if (backend.failed) return undefined;
  const { whole } = backend;
  if (whole === undefined) {
    // Half of a page that says "no such patient" at its end must not be on its way by then.
    if (lookedFor.own?.body !== undefined) return meaning({ by: 'unreadable' }, 'answer-size');
    return passing(backend, coding, lookedFor);
  }
  if (coding !== undefined) return packed(whole, coding, lookedFor);
  return meaning(lookThrough(whole, new Looker({ ...lookedFor, content: contentOf(whole, lookedFor) })));
}

/** What the policy judges resource by resource is content like a resource by itself: its judge drops outcomes. */
function contentOf(whole: readonly Buffer[], { judged }: LookedFor): LookedFor['content'] {
  const content = resourceIn(whole);
  return content === 'records' && judged ? 'record' : content;
}

function lookThrough(parts: readonly Buffer[], looker: Looker): Finding | undefined {
  for (const [index, part] of parts.entries()) {
    const found = looker.see(part, index === parts.length - 1);
    if (found !== undefined || looker.done) return found;
  }
  return undefined;
}

/** A body that is here whole, under a coding. */
function packed(
  whole: readonly Buffer[],
  coding: NonNullable<ReturnType<typeof codingOf>>,
  lookedFor: LookedFor,
): Recognised | undefined | Promise<Recognised | undefined> {
  if (coding === 'unknown') return unlookable(lookedFor);
  const bytes = whole.length === 1 ? (whole[0] as Buffer) : Buffer.concat(whole);
  if ((coding === 'gzip' || coding === 'x-gzip') && bytes.length <= MOST_AT_ONCE) {
    try {
      return lookInto(gunzipSync(bytes, { maxOutputLength: 64 * MOST_AT_ONCE }), lookedFor);
    } catch {
      // Larger than it seemed, or no such thing: the other way tells.
    }
  }
  return unpacked(bytes, coding).then((plain) =>
    plain === undefined ? unlookable(lookedFor) : lookInto(plain, lookedFor),
  );
}

function lookInto(plain: Buffer, lookedFor: LookedFor): Recognised | undefined {
  const content = contentOf([plain], lookedFor);
  if (content === 'record' && lookedFor.own?.body === undefined) return undefined;
  return meaning(new Looker({ ...lookedFor, content }).see(plain, true));
}

/** Text that cannot be looked through does not pass; pictures are never looked through. */
function unlookable({ reading }: LookedFor): Recognised | undefined {
  return reading === 'binary' || reading === 'program'
    ? undefined
    : meaning({ by: 'unreadable' }, 'answer-coding');
}

/** What has come is looked through now, and what is still to come before it goes on. */
function passing(
  backend: BackendAnswer,
  coding: ReturnType<typeof codingOf>,
  lookedFor: LookedFor,
): Recognised | undefined | Promise<Recognised | undefined> {
  if (coding === 'unknown') return unlookable(lookedFor);
  const looker = new Looker(lookedFor);
  if (coding === undefined) {
    const found = lookAtHeld(backend, looker);
    if (found !== undefined || looker.done) return meaning(found);
    backend.gate((part) => looker.see(part, false) === undefined);
    return undefined;
  }
  if (lookedFor.reading === 'binary' || lookedFor.reading === 'program') return undefined;
  let found: Finding | undefined;
  const unpacking = new Unpacking(coding, (part) => {
    found ??= looker.see(part, false);
    return found === undefined;
  });
  const first = backend.heldSoFar.map((part) => unpacking.add(part));
  backend.gate((part) => unpacking.add(part));
  return Promise.all(first).then((sound) =>
    sound.every(Boolean) ? undefined : meaning(found ?? { by: 'unreadable' }, 'answer-coding'),
  );
}

function lookAtHeld(backend: BackendAnswer, looker: Looker): Finding | undefined {
  for (const part of backend.heldSoFar) {
    const found = looker.see(part, false);
    if (found !== undefined || looker.done) return found;
  }
  return undefined;
}

function meaning(found: Finding | undefined, why = 'charset'): Recognised | undefined {
  if (found === undefined) return undefined;
  switch (found.by) {
    case 'sign':
      return { kind: 'backend-failed', reason: 'answer-error', detail: found.sign };
    case 'settings':
      return {
        kind: found.means === 'hidden' ? 'hidden' : 'backend-failed',
        reason: 'answer-recognised',
        detail: found.means,
      };
    case 'unreadable':
      return { kind: 'backend-failed', reason: 'answer-unjudged', detail: why };
  }
}

/** Path and query, whatever host it names: the EMR may call itself anything. */
function locationOf(field: string | string[] | undefined): string | undefined {
  const value = Array.isArray(field) ? field[0] : field;
  if (value === undefined) return undefined;
  const path = value.replace(/^[a-z][a-z0-9+.-]*:(?=\/\/)/i, '').replace(/^\/\/[^/?#]*/, '');
  return path.startsWith('/') ? path : `/${path.replace(/^(?:\.{1,2}\/)+/, '')}`;
}
