import type { Command } from 'commander';

interface CommandModule {
  /** Adds the command to the program. */
  register(program: Command): void;
}

/**
 * Each command is one file, loaded only when it is the one that was asked for: the checker's process holds
 * no code of the gateway, and the gateway's none of the checker.
 */
export const COMMANDS: Readonly<Record<string, () => Promise<CommandModule>>> = Object.freeze({
  start: () => import('./start.ts'),
  checker: () => import('./checker.ts'),
  issuer: () => import('./issuer.ts'),
  check: () => import('./check.ts'),
  policy: () => import('./policy.ts'),
  log: () => import('./log.ts'),
  state: () => import('./state.ts'),
  client: () => import('./client.ts'),
  consent: () => import('./consent.ts'),
  emergency: () => import('./emergency.ts'),
  guard: () => import('./guard.ts'),
  incident: () => import('./incident.ts'),
  factor: () => import('./factor.ts'),
  organisation: () => import('./organisation.ts'),
  user: () => import('./user.ts'),
  role: () => import('./role.ts'),
  approval: () => import('./approval.ts'),
  tenant: () => import('./tenant/index.ts'),
  tunnel: () => import('./tunnel/index.ts'),
  doctor: () => import('./doctor.ts'),
  audit: () => import('./audit/index.ts'),
  'audit-sql': () => import('./audit-sql/index.ts'),
});
