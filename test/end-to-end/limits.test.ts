import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { activityOf, metric } from '../../examples/demo/evidence.ts';
import type { Stack } from '../../examples/demo/stack.ts';
import { ask } from '../../examples/support/https-client.ts';
import { stackFor } from '../support/stack.ts';

describe.each([
  ['peer', { perPeer: { requests: 10, window: '30s' }, perPrincipal: { requests: 1000, window: '30s' } }],
  [
    'principal',
    { perPeer: { requests: 1000, window: '30s' }, perPrincipal: { requests: 10, window: '30s' } },
  ],
] as const)('a limit of 10 requests per %s', (limit, limits) => {
  let stack: Stack;
  beforeAll(async () => {
    // One worker: with several each holds its share, and the kernel decides which worker a connection gets.
    stack = await stackFor(`limits-${limit}`, { workers: 1, limits });
  });
  afterAll(() => stack?.stop());

  it('lets ten pass and refuses the eleventh with 429, Retry-After, a record and a metric', async () => {
    const token = await stack.token({ tenant: 'north', scopes: ['system/Patient.r'] });
    const send = (bearer: string | undefined) =>
      ask({ url: `${stack.tenants.north.origin}/fhir/Patient/1`, authority: stack.authority, token: bearer });
    const replies = [];
    for (let sent = 0; sent < 12; sent += 1) replies.push(await send(token));
    expect(replies.map((reply) => reply.status)).toEqual([...Array(10).fill(200), 429, 429]);
    const refused = replies[10];
    expect(Number(refused?.headers['retry-after'])).toBeGreaterThanOrEqual(1);
    expect(Number(refused?.headers['retry-after'])).toBeLessThanOrEqual(30);
    const records = JSON.stringify(await activityOf(stack, String(refused?.headers['x-request-id'])));
    expect(records).toContain(`limit-${limit}`);
    expect(await metric(stack, 'chartgate_limited_total', { limit })).toBe(2);
    // Somebody else from the same address: the peer's limit holds for them too, the principal's does not.
    const other = await stack.token({
      tenant: 'north',
      client: 'patient-app',
      scopes: ['patient/Patient.r'],
    });
    const reply = await ask({
      url: `${stack.tenants.north.origin}/fhir/Patient/7`,
      authority: stack.authority,
      token: other,
    });
    expect(reply.status).toBe(limit === 'peer' ? 429 : 200);
  });
});
