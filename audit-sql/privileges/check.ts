import { ChartgateError } from '../../contracts/errors.ts';
import type { TellingHistogram } from './histograms.ts';
import type { ProtectPlan } from './plan.ts';
import { accountText } from './reach.ts';
import type { ProtectReport } from './reports.ts';
import { differenceText, grantLines, histogramText } from './summary.ts';
import type { Difference } from './types.ts';

/** The answer of `protect --check`. */
export interface ProtectCheck {
  /** False: the command exits non-zero. */
  readonly ok: boolean;
  /** What `protect --apply` would change, each with its sentence. */
  readonly differences: readonly (Difference & { readonly sentence: string })[];
  /** Histograms that `protect --apply` would drop. */
  readonly histograms: readonly (TellingHistogram & { readonly sentence: string })[];
  /** What `protect` cannot change by itself and the policy does not allow. */
  readonly problems: readonly ProtectReport[];
  readonly notes: readonly ProtectReport[];
}

/** Every difference of a plan, those of everybody last. */
export function planDifferences(plan: ProtectPlan): readonly Difference[] {
  return [...plan.accounts.flatMap((one) => one.differences), ...plan.everybody];
}

/** Judges a plan: `ok` only when the server is exactly as the policy says. Pure. */
export function checkProtection(plan: ProtectPlan): ProtectCheck {
  const differences = planDifferences(plan).map((one) => ({ ...one, sentence: differenceText(one) }));
  const problems = plan.reports.filter((one) => one.severity !== 'note');
  const notes = plan.reports.filter((one) => one.severity === 'note');
  return Object.freeze({
    ok: differences.length === 0 && plan.histograms.length === 0 && problems.length === 0,
    differences,
    histograms: plan.histograms.map((one) => ({ ...one, sentence: histogramText(one) })),
    problems,
    notes,
  });
}

/** @throws ChartgateError `policy-invalid` when the plan has something that a person must decide first */
export function refuseStops(plan: ProtectPlan): void {
  const stops = plan.reports.filter((one) => one.severity === 'stop');
  if (stops.length === 0) return;
  throw new ChartgateError(
    'policy-invalid',
    `protect does nothing until this is decided:\n${stops.map((one) => `${one.object}: ${one.sentence}`).join('\n')}`,
  );
}

/** What `protect` would do to each account, for `plan`. */
export function plannedAccounts(plan: ProtectPlan): {
  readonly accounts: readonly {
    readonly account: string;
    readonly role: string | undefined;
    readonly gains: readonly string[];
    readonly loses: readonly string[];
  }[];
  readonly unmatched: readonly string[];
  readonly warnings: readonly string[];
} {
  const lines = (differences: readonly Difference[], change: Difference['change']): string[] =>
    grantLines(differences.filter((one) => one.change === change));
  const everybody = plan.everybody.map(differenceText);
  const unmatched = plan.reports.filter((one) => one.code === 'account-unmatched');
  return {
    accounts: plan.accounts.map((one) => ({
      account: accountText(one.account),
      role: one.role,
      gains: lines(one.differences, 'grant'),
      loses: lines(one.differences, 'revoke'),
    })),
    unmatched: unmatched.map((one) => `${one.object}: ${one.sentence}`),
    warnings: [
      ...plan.reports
        .filter((one) => one.code !== 'account-unmatched')
        .map((one) => `${one.object}: ${one.sentence}`),
      ...everybody,
      ...plan.histograms.map(histogramText),
    ],
  };
}
