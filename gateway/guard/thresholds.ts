import type { GuardSettings, GuardSteps, GuardThresholds } from '../../contracts/limits.ts';
import type { AuthenticatedPrincipal } from '../../contracts/principal.ts';

export const LEVELS = ['none', 'slow', 'step-up', 'lock'] as const;
export type Level = (typeof LEVELS)[number];

/** What is unusual for somebody: by role where one of theirs is listed, else by what kind of principal they are. */
export function thresholdsOf(
  principal: Pick<AuthenticatedPrincipal, 'roles' | 'patient' | 'scopes' | 'kind'>,
  settings: Pick<GuardSettings, 'roles' | 'patient' | 'system' | 'person'>,
): GuardThresholds {
  let found: GuardThresholds | undefined;
  if (settings.roles.size > 0 && principal.roles !== undefined) {
    for (const role of principal.roles) {
      const of = settings.roles.get(role);
      if (of !== undefined)
        found =
          found === undefined
            ? of
            : { misses: larger(found, of, 'misses'), patients: larger(found, of, 'patients') };
    }
  }
  if (found !== undefined) return found;
  if (principal.patient !== undefined) return settings.patient;
  return isSystem(principal) ? settings.system : settings.person;
}

/** The more generous of two, step by step. */
function larger(a: GuardThresholds, b: GuardThresholds, what: 'misses' | 'patients'): GuardSteps {
  return {
    slow: Math.max(a[what].slow, b[what].slow),
    stepUp: Math.max(a[what].stepUp, b[what].stepUp),
    lock: Math.max(a[what].lock, b[what].lock),
  };
}

/** A token for an app that acts for nobody (SMART App Launch 2.2, "Backend Services"). */
function isSystem({ kind, scopes }: Pick<AuthenticatedPrincipal, 'kind' | 'scopes'>): boolean {
  if (kind !== 'bearer') return false;
  let system = false;
  for (const scope of scopes) {
    if (scope.startsWith('user/') || scope.startsWith('patient/')) return false;
    if (scope.startsWith('system/')) system = true;
  }
  return system;
}

export function levelOf(
  seen: { readonly misses: number; readonly patients: number },
  thresholds: GuardThresholds,
): Level {
  const of = (count: number, steps: GuardSteps): number => {
    if (count >= steps.lock) return 3;
    if (count >= steps.stepUp) return 2;
    return count >= steps.slow ? 1 : 0;
  };
  return (
    LEVELS[Math.max(of(seen.misses, thresholds.misses), of(seen.patients, thresholds.patients))] ?? 'lock'
  );
}
