import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { LimitDemand } from '../contracts/policy.ts';

/** What a measurement uses of the demo's stack: everything Chartgate needs to serve, on loopback. */
export interface Stack {
  readonly tenants: Readonly<Record<string, { readonly origin: string } | undefined>>;
  /** PEM of the authority of the gateway's certificate. */
  readonly authorityFile: string;
  token(wanted: {
    readonly tenant: string;
    readonly client?: string;
    readonly scopes: readonly string[];
  }): Promise<string>;
  gatewayPids(): readonly number[];
  stop(): Promise<void>;
}

export interface StackOptions {
  readonly directory: string;
  /** Origins that take the place of a tenant's EMR. */
  readonly backends?: Readonly<Record<string, string>>;
  readonly workers?: number;
  /** The core of the gateway's processes. */
  readonly gatewayCpu?: number;
  readonly limits?: { readonly perPeer: LimitDemand; readonly perPrincipal: LimitDemand };
}

type StartStack = (options: StackOptions) => Promise<Stack>;

const file = join(import.meta.dirname, '..', 'examples', 'demo', 'stack.ts');

/** The tenant that is measured. */
export const TENANT = 'north';

/** Far above what a machine can do, so that the limiter counts every request and stops none. */
export const MEASURED_LIMIT: LimitDemand = Object.freeze({ requests: 1_000_000_000, windowSeconds: 60 });

/** The demo's stack, or undefined while the checkout has none. */
export async function loadStack(): Promise<StartStack | undefined> {
  if (!existsSync(file)) return undefined;
  const module = (await import(pathToFileURL(file).href)) as { readonly startStack?: StartStack };
  return module.startStack;
}

/** `host:port` of the measured tenant. */
export function tenantAuthority(stack: Stack): string {
  const origin = stack.tenants[TENANT]?.origin;
  if (origin === undefined) throw new Error(`the stack has no tenant ${TENANT}`);
  return new URL(origin).host;
}
