import type { ErrorSign } from '../../contracts/answer-rules.ts';
import { Automaton } from './automaton.ts';
import type { Matcher } from './scan.ts';
import { SIGNS } from './signs.ts';

/** Characters on either side of a weak sign in which a word of errors must stand. */
const BESIDE = 240;

const WIDE: readonly boolean[] = SIGNS.map(
  ({ at, near, beside }) => near !== undefined && at === undefined && beside === undefined,
);

let made: Matcher<ErrorSign> | undefined;

/** What finds the built-in signs; made once for the process. */
export function errorMatcher(): Matcher<ErrorSign> {
  made ??= Object.freeze({
    automaton: new Automaton(SIGNS.map(({ needle }) => needle)),
    lengths: SIGNS.map(({ needle }) => needle.length),
    wide: (needle: number) => WIDE[needle] === true,
    prove,
  });
  return made;
}

function prove(index: number, window: string, from: number, end: number): ErrorSign | undefined {
  const candidate = SIGNS[index];
  if (candidate === undefined) return undefined;
  const { sign, needle, cased, at, near, beside } = candidate;
  const there = window.slice(from, end);
  // Rare bytes share a column of the automaton, so that what it found is compared once more.
  if (there !== needle && (cased === true || there.toLowerCase() !== needle.toLowerCase())) return undefined;
  if (at !== undefined) {
    at.lastIndex = from;
    if (!at.test(window)) return undefined;
  }
  if (near !== undefined && !near.test(window)) return undefined;
  if (beside !== undefined && !beside.test(window.slice(Math.max(0, from - BESIDE), end + BESIDE)))
    return undefined;
  return sign;
}
