import {
  BACKEND_ROLES,
  BALANCING_METHODS,
  type BackendRole,
  type BalancingSettings,
  USUAL_BALANCING,
} from '../contracts/balancing.ts';
import type { View } from './view.ts';

/** Undefined where nothing was written: the usual, without an object for each of many tenants. */
export function balancingOf(view: View): BalancingSettings | undefined {
  if (!view.exists) return undefined;
  const queue = view.at('queue');
  const check = view.at('healthCheck');
  const interval = check.at('interval').milliseconds;
  const timeout = check.at('timeout').milliseconds;
  if (interval !== undefined && timeout !== undefined && timeout > interval)
    check.at('timeout').fault('must not be longer than "interval": a check ends before the next one begins');
  const usual = USUAL_BALANCING;
  return {
    method: BALANCING_METHODS.find((method) => method === view.at('method').text) ?? usual.method,
    replicationDelayMs: view.at('replicationDelay').milliseconds ?? usual.replicationDelayMs,
    queue: {
      length: queue.at('length').integer ?? usual.queue.length,
      waitMs: queue.at('wait').milliseconds ?? usual.queue.waitMs,
    },
    retryPercent: view.at('retry').at('budget').integer ?? usual.retryPercent,
    slowStartMs: view.at('slowStart').milliseconds ?? usual.slowStartMs,
    healthCheck: !check.exists
      ? undefined
      : {
          path: check.at('path').text ?? '/',
          intervalMs: interval ?? 2_000,
          timeoutMs: timeout ?? 1_000,
          healthyAfter: check.at('healthyAfter').integer ?? 2,
          unhealthyAfter: check.at('unhealthyAfter').integer ?? 2,
        },
  };
}

export function roleOf(view: View): BackendRole | undefined {
  return BACKEND_ROLES.find((role) => role === view.at('role').text);
}

/** Writes have to go somewhere. */
export function refuseNoPrimary(backends: View): void {
  const { items } = backends;
  if (items.length > 0 && items.every((backend) => backend.at('role').text === 'replica'))
    backends.fault('has replicas only; one back end has to be the primary, where writes go');
}
