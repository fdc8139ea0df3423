import {
  type AnswerPattern,
  type AnswerPatternDocument,
  type AnswerRules,
  type AnswerRulesDocument,
  ERROR_SIGNS,
  type ErrorSign,
} from '../contracts/answer-rules.ts';
import { type FaultList, wholeNumber } from './faults.ts';

/** Characters of the first text of a pattern, by which bodies are searched. */
const SHORTEST_START = 4;
const LONGEST = 200;
/** So that a pattern never reaches further than what is kept of a body. */
const MOST_STARS = 3;
const LARGEST = 64 * 1024 * 1024;

/** What answers mean, as a route or a whole policy writes it. */
export function compileAnswers(
  document: AnswerRulesDocument | undefined,
  at: string,
  faults: FaultList,
): AnswerRules | undefined {
  if (document === undefined) return undefined;
  const { hidden = [], failed = [], except = [], maxBytes } = document;
  wholeNumber(maxBytes, 1024, LARGEST, `${at}/maxBytes`, faults);
  const signs = new Set<ErrorSign>();
  except.forEach((name, index) => {
    const sign = ERROR_SIGNS.find((known) => known === name);
    if (sign === undefined)
      faults.add(`${at}/except/${index}`, `is not a sign of errors; there are ${ERROR_SIGNS.join(', ')}`);
    else signs.add(sign);
  });
  if (hidden.length + failed.length + except.length === 0 && maxBytes === undefined)
    faults.add(at, 'says nothing: give "hidden", "failed", "except" or "maxBytes"');
  return Object.freeze({
    hidden: compileAll(hidden, `${at}/hidden`, faults),
    failed: compileAll(failed, `${at}/failed`, faults),
    except: signs,
    maxBytes,
  });
}

function compileAll(
  documents: readonly AnswerPatternDocument[],
  at: string,
  faults: FaultList,
): readonly AnswerPattern[] {
  return Object.freeze(documents.map((document, index) => compileOne(document, `${at}/${index}`, faults)));
}

function compileOne(
  { status, bodyContains, bodyMatches, location }: AnswerPatternDocument,
  at: string,
  faults: FaultList,
): AnswerPattern {
  if (bodyContains !== undefined && bodyMatches !== undefined)
    faults.add(`${at}/bodyMatches`, 'excludes "bodyContains"; give one or the other');
  if (
    bodyContains === undefined &&
    bodyMatches === undefined &&
    location === undefined &&
    status === undefined
  )
    faults.add(at, 'matches everything: give "bodyContains", "bodyMatches", "location" or "status"');
  (status ?? []).forEach((each, index) => {
    // From 400 on, nothing of the EMR's answer passes anyway.
    wholeNumber(each, 200, 399, `${at}/status/${index}`, faults);
  });
  return Object.freeze({
    status: status === undefined ? undefined : Object.freeze([...status]),
    body:
      bodyContains !== undefined
        ? start([bodyContains], `${at}/bodyContains`, faults)
        : bodyMatches === undefined
          ? undefined
          : start(pieces(bodyMatches, `${at}/bodyMatches`, faults), `${at}/bodyMatches`, faults),
    location: location === undefined ? undefined : locationPieces(location, `${at}/location`, faults),
  });
}

/** No regular expression: a pattern of settings must not be able to stop the gateway. */
function pieces(pattern: string, at: string, faults: FaultList): readonly string[] {
  const all = pattern.split('*');
  if (all.length - 1 > MOST_STARS) faults.add(at, `has more than ${MOST_STARS} "*"`);
  const kept = all.filter((piece) => piece !== '');
  if (pattern.startsWith('*') || pattern.endsWith('*'))
    faults.add(at, 'must not begin or end with "*": it is searched for anywhere in the body');
  return Object.freeze(kept);
}

function start(texts: readonly string[], at: string, faults: FaultList): readonly string[] {
  const all = texts.join('');
  if ((texts[0]?.trim().length ?? 0) < SHORTEST_START)
    faults.add(at, `must begin with at least ${SHORTEST_START} characters before any "*"`);
  if (all.length > LONGEST) faults.add(at, `must not be longer than ${LONGEST} characters`);
  if (/[\u0000-\u0008\u000e-\u001f]/.test(all)) faults.add(at, 'must not hold control characters');
  return texts;
}

function locationPieces(pattern: string, at: string, faults: FaultList): readonly string[] {
  if (!/^\/[\x21-\x7e]*$/.test(pattern))
    faults.add(at, 'must be a path, and maybe a query, such as /login or /login?expired=*');
  if (pattern.split('*').length - 1 > MOST_STARS) faults.add(at, `has more than ${MOST_STARS} "*"`);
  if (pattern.length > LONGEST) faults.add(at, `must not be longer than ${LONGEST} characters`);
  return Object.freeze(pattern.split('*').filter((piece) => piece !== ''));
}
