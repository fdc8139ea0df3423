import { FACT_LISTS, type FactList, type FactOf, KINDS, type Kind, keyOf } from './kinds.ts';
import type { Snapshot } from './types.ts';

/** One way in which a list of facts differs from what was expected. */
export type FactDifference<List extends FactList = FactList> = List extends FactList
  ?
      | { readonly list: List; readonly change: 'missing'; readonly expected: FactOf<List> }
      | {
          readonly list: List;
          readonly change: 'added';
          readonly found: FactOf<List>;
          /** It is listed more than once. */
          readonly twice: boolean;
        }
      | {
          readonly list: List;
          readonly change: 'changed';
          readonly expected: FactOf<List>;
          readonly found: FactOf<List>;
          readonly field: string;
        }
  : never;

/** Everything in which the facts of two snapshots differ; empty only if all is equal. */
export function factDifferences(expected: Snapshot, found: Snapshot): FactDifference[] {
  return FACT_LISTS.flatMap((list) => ofList(list, expected, found));
}

function ofList<List extends FactList>(list: List, expected: Snapshot, found: Snapshot): FactDifference[] {
  const kind = KINDS[list] as unknown as Kind<FactOf<List>>;
  const differences: unknown[] = [];
  const remaining = new Map<string, FactOf<List>>();
  for (const fact of found[list] as readonly FactOf<List>[]) {
    const key = keyOf(fact, kind);
    if (remaining.has(key)) differences.push({ list, change: 'added', found: fact, twice: true });
    remaining.set(key, fact);
  }
  for (const fact of expected[list] as readonly FactOf<List>[]) {
    const key = keyOf(fact, kind);
    const other = remaining.get(key);
    if (other === undefined) {
      differences.push({ list, change: 'missing', expected: fact });
      continue;
    }
    remaining.delete(key);
    for (const field of differingFields(fact, other)) {
      differences.push({ list, change: 'changed', expected: fact, found: other, field });
    }
  }
  for (const fact of remaining.values()) {
    differences.push({ list, change: 'added', found: fact, twice: false });
  }
  return differences as FactDifference[];
}

function differingFields<Fact extends object>(expected: Fact, found: Fact): string[] {
  const a = expected as Readonly<Record<string, unknown>>;
  const b = found as Readonly<Record<string, unknown>>;
  // A field that only one of them has is a difference too.
  const further = Object.keys(b).filter((field) => !Object.hasOwn(a, field));
  return [...Object.keys(a), ...further].filter(
    (field) => a[field] !== b[field] && JSON.stringify(a[field]) !== JSON.stringify(b[field]),
  );
}
