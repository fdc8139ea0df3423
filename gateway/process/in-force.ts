import { createHash } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import { certificateExpiries, expiryMessage, warningsOf } from '../../config/index.ts';
import { EXPIRES_SOON_MS } from '../../contracts/certificates.ts';
import type { GatewaySettings } from '../../contracts/settings.ts';
import { log } from './log.ts';
import { compilePolicies } from './runtime.ts';

/** What the supervisor needs of the configuration that serves. */
export interface InForce {
  readonly policyDigest: string;
  readonly drainMs: number;
  readonly leaveMs: number;
}

/** Compiles what the supervisor itself does not use, to know that it is whole; throws when it is not. */
export function describe(settings: GatewaySettings): InForce {
  warn(settings);
  const digests = [...compilePolicies(settings).values()].map((policy) => [policy.name, policy.digest]);
  return {
    policyDigest: createHash('sha256').update(JSON.stringify(digests.sort())).digest('hex'),
    drainMs: settings.timeouts.drainMs,
    leaveMs: settings.timeouts.leaveMs ?? 0,
  };
}

/** Warnings of one kind that are told one by one; of thousands of tenants nobody reads more. */
const MOST_OF_A_KIND = 20;

function warn(settings: GatewaySettings): void {
  const told = new Map<string, number>();
  for (const { code, message } of warningsOf(settings)) {
    const count = (told.get(code) ?? 0) + 1;
    told.set(code, count);
    if (count <= MOST_OF_A_KIND) log('warning', code, { message });
  }
  for (const [code, count] of told) {
    const more = count - MOST_OF_A_KIND;
    if (more > 0) log('warning', code, { message: `and ${more} more of this kind (chartgate check)` });
  }
}

/** Settings that a running gateway keeps whatever its file says: what it listens on, and how many it is. */
export function needsRestart(serving: GatewaySettings, written: GatewaySettings): string[] {
  const fixed = ({ listen, operations, workers, activityLog, timeouts }: GatewaySettings) => ({
    'listen.host': listen.host,
    'listen.port': listen.port,
    operations,
    workers,
    activityLog,
    timeouts,
  });
  const now = Object.entries(fixed(serving));
  const then = new Map<string, unknown>(Object.entries(fixed(written)));
  return now.filter(([name, value]) => !isDeepStrictEqual(value, then.get(name))).map(([name]) => name);
}

const DAY_MS = 86_400_000;

/** Says each day which certificates expire within 30 days; at the start and at reloads the other warnings say it. */
export function watchCertificates(serving: () => GatewaySettings): () => void {
  const timer = setInterval(() => {
    const now = Date.now();
    for (const expiry of certificateExpiries(serving())) {
      if (expiry.expiresAt - now >= EXPIRES_SOON_MS) continue;
      log('warning', 'certificate-expires-soon', { message: expiryMessage(expiry, now) });
    }
  }, DAY_MS);
  timer.unref();
  return () => clearInterval(timer);
}
