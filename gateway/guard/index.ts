import { createHmac } from 'node:crypto';
import type { GatewaySettings } from '../../contracts/settings.ts';

export { Guard, type GuardOptions, type Miss } from './guard.ts';
export type { Fared } from './outages.ts';

/** What a reload compares: with the same of these a guard goes on with what it has counted. */
export function guardSettings(settings: GatewaySettings): unknown {
  const { guard, limits, state } = settings;
  // With another key the same caller would be somebody else.
  const key = guardKey(settings).toString('hex');
  return { ...guard, roles: [...guard.roles], limits, state: state ?? null, key };
}

/**
 * The key of the hashes: the same at every worker, and at every gateway that shares a Redis with a password; nobody
 * who reads that Redis can make them.
 */
export function guardKey({ limits, integrity }: GatewaySettings): Buffer {
  const secret = limits.redis?.password ?? integrity.secret;
  return createHmac('sha256', secret.reveal()).update('chartgate enumeration guard').digest();
}
