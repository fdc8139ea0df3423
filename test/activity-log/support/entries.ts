import { randomInt } from 'node:crypto';
import type { ActivityEntry } from '../../../contracts/activity.ts';
import {
  parseRequestId,
  parseRouteId,
  parseTenantId,
  type RequestId,
} from '../../../contracts/identifiers.ts';

const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';

function known<T>(value: T | undefined): T {
  if (value === undefined) throw new Error('not a valid identifier');
  return value;
}

export function requestId(number: number = randomInt(2 ** 40)): RequestId {
  let text = '';
  for (let rest = number; text.length < 26; rest = Math.floor(rest / 32)) text = ALPHABET[rest % 32] + text;
  return known(parseRequestId(text));
}

export const TENANT = known(parseTenantId('clinic-a'));
export const ROUTE = known(parseRouteId('patient-read'));

export function intent(
  request: RequestId = requestId(),
  change: Partial<Extract<ActivityEntry, { kind: 'intent' }>> = {},
): ActivityEntry {
  return {
    kind: 'intent',
    request,
    tenant: TENANT,
    route: ROUTE,
    method: 'GET',
    peer: '127.0.0.1',
    issuer: 'https://issuer.example.org',
    subject: 'user-17',
    client: 'portal',
    epoch: 'e1',
    policy: 'a'.repeat(64),
    reasons: [
      { code: 'route-matched', held: true, detail: 'patient-read' },
      { code: 'scope-missing', held: false },
    ],
    ...change,
  };
}

export function outcome(
  request: RequestId = requestId(),
  reason: 'scope-present' | 'scope-missing' = 'scope-present',
): ActivityEntry {
  return {
    kind: 'outcome',
    request,
    tenant: TENANT,
    route: ROUTE,
    method: 'GET',
    peer: '127.0.0.1',
    issuer: 'https://issuer.example.org',
    subject: 'user-17',
    client: 'portal',
    outcome: reason === 'scope-present' ? 'permitted' : 'denied',
    reason,
    reasons: [{ code: reason, held: true }],
    status: 200,
    backendStatus: 200,
    micros: 1500,
  };
}

/** An entry as its line has it: reasons as text, what is empty left out. */
export function asWritten(entry: ActivityEntry): Record<string, unknown> {
  const written: Record<string, unknown> = { ...entry };
  if ('reasons' in entry) {
    written.reasons = entry.reasons.map(
      ({ code, held, detail }) => `${held ? '+' : '-'}${code}${detail === undefined ? '' : ` ${detail}`}`,
    );
    for (const [name, value] of Object.entries(written)) if (value === '') delete written[name];
  }
  return written;
}
