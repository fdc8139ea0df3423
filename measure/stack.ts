import type { Stack, StackOptions, TenantName } from '../examples/demo/stack.ts';
import { onStop } from './processes.ts';

/** The tenant that is measured. */
export const TENANT: TenantName = 'north';

/** The most that may be configured, and far above what a machine can do, so that the limiter counts every request and stops none. */
const abundant = () => ({ requests: 100_000_000, window: '60s' });

/**
 * The demo's stack, as people start it, with one worker and limits that nobody reaches. It is loaded only
 * here: whoever measures something else need not have it. It is stopped with everything else.
 */
export async function startMeasuredStack(
  options: Pick<StackOptions, 'directory' | 'backends' | 'gatewayCpu' | 'onStep'>,
): Promise<Stack> {
  const { startStack } = await import('../examples/demo/stack.ts');
  const stack = await startStack({
    ...options,
    workers: 1,
    // Two objects: one object twice would become an anchor in the YAML, which the gateway refuses.
    limits: { perPeer: abundant(), perPrincipal: abundant() },
  });
  onStop(() => stack.stop());
  return stack;
}

/** `host:port` of the measured tenant. */
export function tenantAuthority(stack: Stack): string {
  return new URL(stack.tenants[TENANT].origin).host;
}
