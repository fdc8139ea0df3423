import type { Decision, Denial } from '../../contracts/policy.ts';
import type { Reason } from '../../contracts/reasons.ts';
import { type Asked, type Atom, atomsOf, evaluate, holdsFor, type Node } from './node.ts';

/** The two reasons of an atom, made once. */
interface Told {
  readonly atom: Atom;
  readonly negated: boolean;
  readonly held: Reason;
  readonly failed: Reason;
}

/** A condition ready to be asked and to give account. */
export interface Condition {
  readonly node: Node;
  holds(asked: Asked): boolean;
  /** Each thing it asks, and whether that was as wanted. */
  reasons(asked: Asked): readonly Reason[];
  /** What somebody for whom it does not hold lacks, as far as they can help it. */
  lacks(
    asked: Asked,
  ): Extract<Denial, 'factor-stale' | 'sender-unconstrained' | 'certificate-required' | 'forbidden'>;
}

/** What could be got, and by what word the client is told. The order is the order of the trouble. */
const HELP = [
  ['factor', 'factor-stale'],
  ['sender', 'sender-unconstrained'],
  ['certificate', 'certificate-required'],
] as const;

export function conditionOf(node: Node): Condition {
  const told: readonly Told[] = atomsOf(node).map(({ atom, negated }) => {
    const detail = negated ? `not ${atom.detail}` : atom.detail;
    const [held, failed] =
      atom.kind === 'roles' && !negated
        ? (['role-present', 'role-missing'] as const)
        : (['condition-held', 'condition-failed'] as const);
    return {
      atom,
      negated,
      held: Object.freeze({ code: held, held: true, detail }),
      failed: Object.freeze({ code: failed, held: false, detail }),
    };
  });
  return {
    node,
    holds: (asked) => holdsFor(node, asked),
    reasons: (asked) =>
      told.map(({ atom, negated, held, failed }) =>
        atom.holds(atom.read(asked)) === negated ? failed : held,
      ),
    lacks(asked) {
      for (const [kind, denial] of HELP) {
        // A session cannot be bound to its sender.
        if (kind === 'sender' && asked.principal.kind !== 'bearer') continue;
        const truth = (atom: Atom) => atom.kind === kind || atom.holds(atom.read(asked));
        if (evaluate(node, truth)) return denial;
      }
      return 'forbidden';
    },
  };
}

/**
 * Whether a further "no" may be said of a decision: of a permit, and of a denial that hides a record. Said of the one
 * and not of the other, it would tell whose record it is.
 */
export function isOpenToDenial(decision: Decision): boolean {
  return decision.effect === 'permit' || decision.denial === 'record-hidden';
}

/** A permit, if the condition holds as well; whatever else it is handed stays. */
export function under(condition: Condition, decision: Decision, asked: Asked): Decision {
  if (!isOpenToDenial(decision)) return decision;
  const held = condition.holds(asked);
  if (decision.effect !== 'permit' && held) return decision;
  const reasons = condition.reasons(asked);
  if (held) {
    return Object.freeze({ ...decision, reasons: Object.freeze([...decision.reasons, ...reasons]) });
  }
  // The decisive one is the last that failed; of a condition, any of those that failed would be it.
  const failed = reasons.some((reason) => !reason.held) ? [] : [FAILED];
  return Object.freeze({
    effect: 'deny',
    denial: condition.lacks(asked),
    reasons: Object.freeze([...decision.reasons, ...reasons, ...failed]),
  });
}

const FAILED: Reason = Object.freeze({ code: 'condition-failed', held: false });
