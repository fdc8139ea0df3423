import type { AnswerRules, ErrorSign } from '../../contracts/answer-rules.ts';
import { errorMatcher } from './errors.ts';
import { beginsAsContent, beginsAsMarkup, isWide, looksLikeText, type Reading } from './media.ts';
import type { AnswerHead, OwnFinding, OwnMatcher } from './own.ts';
import { type Matcher, Scan } from './scan.ts';

/** What was found in an answer: a built-in sign of an error, a pattern of the settings, or that nothing can be found. */
export type Finding =
  | { readonly by: 'sign'; readonly sign: ErrorSign }
  | { readonly by: 'settings'; readonly means: OwnFinding }
  | { readonly by: 'unreadable' };

const UNREADABLE: Finding = Object.freeze({ by: 'unreadable' });

/** What one answer is looked through for. */
export interface LookedFor {
  readonly reading: Reading;
  readonly rules: AnswerRules | undefined;
  readonly own: OwnMatcher | undefined;
  /**
   * It is records' content. Of one that is released as it is, or was judged, only what the settings say means anything;
   * in a bundle that nobody judged, an address or a path is content too, and a stack trace is not.
   */
  readonly content?: 'record' | 'records' | undefined;
  readonly head: AnswerHead;
  /** Every resource in it is judged by itself. */
  readonly judged: boolean;
}

interface Scans {
  readonly errors: Scan<ErrorSign>;
  readonly own: Scan<OwnFinding> | undefined;
}

/** Looks through the body of one answer, without its coding, in one part or in several. */
export class Looker {
  readonly #for: LookedFor;
  #scans: Scans | undefined;
  #strongAlone = false;
  #state: 'fresh' | 'looking' | 'away' = 'fresh';

  constructor(lookedFor: LookedFor) {
    this.#for = lookedFor;
  }

  /** Nothing can be found in it any more. */
  get done(): boolean {
    return this.#state === 'away';
  }

  /**
   * @param last nothing follows
   * @returns the first thing that was found
   */
  see(part: Buffer, last: boolean): Finding | undefined {
    if (this.#state === 'away' || (part.length === 0 && !last)) return undefined;
    if (this.#state === 'fresh') {
      const { reading } = this.#for;
      if (reading === 'unreadable' || (reading === 'text' && isWide(part))) return UNREADABLE;
      const wanted =
        reading === 'text' ||
        (reading === 'program' && beginsAsMarkup(part)) ||
        (reading === 'binary' && looksLikeText(part));
      this.#state = wanted ? 'looking' : 'away';
      if (!wanted) return undefined;
      this.#strongAlone = this.#for.content === 'records' || beginsAsContent(part);
    }
    const scans = this.#scans ?? this.#begin();
    const means = scans.own?.add(part, last);
    if (means !== undefined) return { by: 'settings', means };
    if (this.#for.content === 'record') return undefined;
    const sign = scans.errors.add(part, last);
    return sign === undefined ? undefined : { by: 'sign', sign };
  }

  #begin(): Scans {
    const { rules, own, head } = this.#for;
    const body = own?.body;
    const scans = {
      errors: new Scan(without(errorMatcher(), rules, this.#strongAlone)),
      own: body === undefined ? undefined : new Scan(body(head)),
    };
    this.#scans = scans;
    return scans;
  }
}

function without(
  matcher: Matcher<ErrorSign>,
  rules: AnswerRules | undefined,
  strongAlone: boolean,
): Matcher<ErrorSign> {
  const except = rules?.except;
  if (!strongAlone && (except === undefined || except.size === 0)) return matcher;
  return {
    ...matcher,
    // What does not count here must not speak for what does.
    wide: () => false,
    prove(needle, window, from, end) {
      const sign = matcher.prove(needle, window, from, end);
      if (sign === undefined || except?.has(sign) === true) return undefined;
      return strongAlone && WEAK.has(sign) ? undefined : sign;
    },
  };
}

/** Signs that are content where records are. */
const WEAK: ReadonlySet<ErrorSign> = new Set<ErrorSign>(['version', 'address', 'path']);
