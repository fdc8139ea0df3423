import type { Engine } from '../clinic.ts';

/**
 * One way to disable, get round or falsify the audit. Statements are the administrator's; `{emr}`, `{audit}` are
 * the schemas, `{insert}`, `{update}`, `{delete}` the triggers of `observations`, `{user}`, `{definer}`,
 * `{guard}`, `{checker}` the accounts, `{pattern}` the EMR's schema in a grant. Words with `@` are done by `tampering.ts`.
 */
export interface Tamper {
  readonly name: string;
  /** What somebody would gain by it. */
  readonly why: string;
  /** The engine that has it; both unless told. */
  readonly on?: Engine;
  readonly apply: readonly string[];
  readonly undo: readonly string[];
  /** Part of `--short`. */
  readonly sample?: true;
}
