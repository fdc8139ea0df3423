import { type FactDifference, factDifferences } from './differences.ts';
import { KINDS, type Kind, nameOf, words } from './kinds.ts';
import type { Snapshot } from './types.ts';

/** What approving a new baseline in place of an old one would accept, for the person who signs. */
export interface Change {
  readonly change: 'added' | 'removed' | 'changed';
  /** `trigger emr.chartgate_x`. */
  readonly what: string;
  /** What it says now and what it would say; empty where only digests are known. */
  readonly detail: string;
}

const DIGEST = /^[0-9a-f]{64}$/;

/** A value for a person: digests by their first digits, lists in one line. */
function shown(value: unknown): string {
  if (typeof value !== 'string') return JSON.stringify(value ?? null);
  return DIGEST.test(value) ? `${value.slice(0, 12)}…` : JSON.stringify(value);
}

/** The fields of something new that say what it does. */
function facts(fact: object, kind: Kind<object>): string {
  return Object.entries(fact)
    .filter(([field, value]) => !(kind.identity as readonly string[]).includes(field) && value !== '')
    .map(([field, value]) => `${words(field)} ${shown(value)}`)
    .join(', ');
}

function describe(difference: FactDifference): Change {
  const kind = KINDS[difference.list] as unknown as Kind<object>;
  const named = (fact: object): string => `${kind.noun} ${nameOf(fact, kind)}`;
  if (difference.change === 'missing') {
    return { change: 'removed', what: named(difference.expected), detail: facts(difference.expected, kind) };
  }
  if (difference.change !== 'changed') {
    return { change: 'added', what: named(difference.found), detail: facts(difference.found, kind) };
  }
  const value = (fact: object): string =>
    shown((fact as Readonly<Record<string, unknown>>)[difference.field]);
  return {
    change: 'changed',
    what: named(difference.expected),
    detail: `${words(difference.field)}: ${value(difference.expected)} → ${value(difference.found)}`,
  };
}

/** Everything in which `next` differs from `before`, in words. Empty when approving it would change nothing. */
export function describeChanges(before: Snapshot, next: Snapshot): readonly Change[] {
  const changes: Change[] = [];
  for (const field of ['engine', 'emrSchema', 'auditSchema'] as const) {
    if (before[field] === next[field]) continue;
    changes.push({
      change: 'changed',
      what: words(field),
      detail: `${shown(before[field])} → ${shown(next[field])}`,
    });
  }
  changes.push(...factDifferences(before, next).map(describe));
  const known = new Map(before.history.map((entry) => [entry.id, entry.digest]));
  for (const { id, digest } of next.history) {
    if (known.get(id) === digest) continue;
    changes.push({
      change: known.has(id) ? 'changed' : 'added',
      what: `entry ${id} of the instatement log`,
      detail: '',
    });
  }
  const now = new Set(next.history.map((entry) => entry.id));
  for (const { id } of before.history) {
    if (!now.has(id))
      changes.push({ change: 'removed', what: `entry ${id} of the instatement log`, detail: '' });
  }
  return changes;
}
