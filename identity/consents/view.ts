import type { ConsentAnswer, ConsentQuestion, ConsentView } from '../../contracts/consent.ts';
import type { ConsentIndex, KnownCategories } from './index-of-consents.ts';

/** What a follower knows, and whether it vouches for that. */
export interface KnownConsents {
  readonly fresh: boolean;
  readonly kept: { readonly consent: ConsentIndex };
}

/** The consents in force as the follower knows them; `unavailable` while it cannot vouch for that. */
export function consentView(follower: KnownConsents): ConsentView {
  const answer = (
    question: Omit<ConsentQuestion, 'categories'>,
    categories: KnownCategories,
  ): ConsentAnswer => {
    if (!follower.fresh) return 'unavailable';
    return follower.kept.consent.covers(question, categories) ? 'in-force' : 'none';
  };
  return Object.freeze({
    check: (question: ConsentQuestion) => answer(question, question.categories ?? 'unknown'),
    possible: (question: Omit<ConsentQuestion, 'categories'>) => answer(question, 'any'),
  });
}
