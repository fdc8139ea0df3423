import type { AnswerPattern, AnswerRules } from '../../contracts/answer-rules.ts';
import { Automaton } from './automaton.ts';
import type { Matcher } from './scan.ts';

/** Bytes of anything that `*` may stand for. */
export const MOST_BETWEEN = 256;

export type OwnFinding = 'hidden' | 'failed';

/** Patterns of settings, compiled: those that need the body, and those that the head decides. */
export interface OwnMatcher {
  /** Undefined: no pattern looks at bodies. */
  readonly body: ((head: AnswerHead) => Matcher<OwnFinding>) | undefined;
  ofHead(head: AnswerHead): OwnFinding | undefined;
}

export interface AnswerHead {
  readonly status: number;
  /** Path and query of `Location`, as the client would get it; undefined without one. */
  readonly location: string | undefined;
}

interface Compiled extends AnswerPattern {
  readonly means: OwnFinding;
}

/** A body pattern in one encoding: UTF-8, or Latin-1 as older systems write. */
interface Written {
  readonly pattern: Compiled;
  readonly pieces: readonly string[];
}

const made = new WeakMap<AnswerRules, OwnMatcher>();

/** Compiled when first asked for: most routes of most tenants never are. */
export function ownMatcher(rules: AnswerRules): OwnMatcher {
  let matcher = made.get(rules);
  if (matcher === undefined) {
    matcher = compile(rules);
    made.set(rules, matcher);
  }
  return matcher;
}

function compile({ hidden, failed }: AnswerRules): OwnMatcher {
  // Where both would match, what hides less would tell more.
  const patterns: readonly Compiled[] = [
    ...hidden.map((each) => ({ ...each, means: 'hidden' as const })),
    ...failed.map((each) => ({ ...each, means: 'failed' as const })),
  ];
  const ofHead = patterns.filter(({ body }) => body === undefined);
  const written = patterns.flatMap(spellings);
  return Object.freeze({
    body: written.length === 0 ? undefined : bodyMatcher(written),
    ofHead: (head: AnswerHead) => ofHead.find((pattern) => headFits(pattern, head))?.means,
  });
}

function spellings(pattern: Compiled): readonly Written[] {
  const { body } = pattern;
  if (body === undefined) return [];
  const utf8 = body.map((piece) => lower(Buffer.from(piece, 'utf8').toString('latin1')));
  const plain = body.map(lower);
  const latin = plain.every((piece) => /^[\0-\xff]*$/.test(piece));
  const same = plain.every((piece, i) => piece === utf8[i]);
  return [{ pattern, pieces: utf8 }, ...(latin && !same ? [{ pattern, pieces: plain }] : [])];
}

function bodyMatcher(written: readonly Written[]): (head: AnswerHead) => Matcher<OwnFinding> {
  const automaton = new Automaton(written.map(({ pieces }) => pieces[0] ?? ''));
  const lengths = written.map(({ pieces }) => (pieces[0] ?? '').length);
  return (head) => ({
    automaton,
    lengths,
    wide: () => false,
    prove(index, window, from) {
      const one = written[index];
      if (one === undefined || !headFits(one.pattern, head)) return undefined;
      return follow(one.pieces, lower(window), from) ? one.pattern.means : undefined;
    },
  });
}

function headFits({ status, location }: AnswerPattern, head: AnswerHead): boolean {
  if (status !== undefined && !status.includes(head.status)) return false;
  if (location === undefined) return true;
  return head.location !== undefined && follow(location, head.location, 0);
}

/**
 * Whether the pieces stand there, the first at `from`. Each is taken where it first stands after the one before: no
 * way back, so that the time is bounded whatever the settings and the body are.
 */
function follow(pieces: readonly string[], text: string, from: number): boolean {
  let at = from;
  for (const [index, piece] of pieces.entries()) {
    const found = index === 0 ? (text.startsWith(piece, at) ? at : -1) : text.indexOf(piece, at);
    if (found < 0 || found - at > MOST_BETWEEN) return false;
    at = found + piece.length;
  }
  return true;
}

/** ASCII letters alone, as the automaton folds them. */
function lower(text: string): string {
  return text.replace(/[A-Z]+/g, (letters) => letters.toLowerCase());
}
