import type { Site } from '../../site.ts';
import type { Problem } from './form.ts';

/** What can be wrong on any page with a form. */
export const COMMON_PROBLEMS = ['stale', 'busy'] as const;
export type CommonProblem = (typeof COMMON_PROBLEMS)[number];

/**
 * What to say, and beside which field. The order is the table's, which is the fields' order on the page, whatever
 * order they were found in; each is said once.
 */
export function problemsOf<P extends string>(
  site: Site,
  found: readonly (P | CommonProblem)[] | undefined,
  table: Readonly<Record<P, Problem>>,
): readonly Problem[] {
  const all: Readonly<Record<string, Problem>> = {
    stale: { text: site.texts.frame.stale },
    busy: { text: site.texts.frame.busy },
    ...table,
  };
  const wanted = new Set<string>(found ?? []);
  return Object.entries(all).flatMap(([name, problem]) => (wanted.has(name) ? [problem] : []));
}
