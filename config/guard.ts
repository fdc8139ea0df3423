import type { GuardSettings, GuardSteps, GuardThresholds } from '../contracts/limits.ts';
import type { View } from './view.ts';

/** The enumeration guard. Whatever is not plainly another mode is the one that enforces. */
export function guardOf(view: View): GuardSettings {
  const mode = view.at('mode').text;
  const person = thresholdsOf(view.at('person'));
  const roles = view.at('roles').entries.map(([role, place]) => [role, thresholdsOf(place, person)] as const);
  return {
    mode: mode === 'report' || mode === 'off' ? mode : 'enforce',
    windowMs: view.at('window').milliseconds ?? 0,
    slowMs: view.at('slowBy').milliseconds ?? 0,
    lockMs: view.at('lockFor').milliseconds ?? 0,
    patient: thresholdsOf(view.at('patient')),
    person,
    system: thresholdsOf(view.at('system')),
    roles: new Map(roles),
  };
}

function thresholdsOf(view: View, otherwise?: GuardThresholds): GuardThresholds {
  return {
    misses: stepsOf(view.at('misses'), otherwise?.misses),
    patients: stepsOf(view.at('patients'), otherwise?.patients),
  };
}

/** A number that is missing is at fault; until that is told, it is the strictest one. */
function stepsOf(view: View, otherwise: GuardSteps | undefined): GuardSteps {
  if (!view.exists && otherwise !== undefined) return otherwise;
  const steps = {
    slow: view.at('slow').integer ?? 1,
    stepUp: view.at('stepUp').integer ?? 1,
    lock: view.at('lock').integer ?? 1,
  };
  if (steps.slow > steps.stepUp)
    view
      .at('stepUp')
      .fault('must not be less than "slow": a step begins where the one before it has not helped');
  if (steps.stepUp > steps.lock)
    view
      .at('lock')
      .fault('must not be less than "stepUp": a step begins where the one before it has not helped');
  return steps;
}
