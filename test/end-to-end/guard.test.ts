import { connect, createServer, type Server } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { activityOf, metric } from '../../examples/demo/evidence.ts';
import type { Stack } from '../../examples/demo/stack.ts';
import { ask } from '../../examples/support/https-client.ts';
import { stackFor } from '../support/stack.ts';

const FAR = { slow: 1000, stepUp: 1000, lock: 1000 };

/** What lies between a gateway and its EMR; once it fails, every request is cut off without an answer. */
class Between {
  failing = false;
  readonly #target: () => number;
  readonly #server: Server;

  constructor(target: () => number) {
    this.#target = target;
    this.#server = createServer((near) => {
      const far = connect(this.#target(), '127.0.0.1');
      near.on('error', () => far.destroy()).on('close', () => far.destroy());
      far.on('error', () => near.destroy()).on('close', () => near.destroy());
      near.on('data', (bytes) => (this.failing ? near.destroy() : far.write(bytes)));
      far.on('data', (bytes) => near.write(bytes));
    });
  }

  async listen(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    const address = this.#server.address();
    return `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`;
  }

  close(): void {
    this.#server.close();
  }
}

describe('somebody who goes through records', () => {
  let stack: Stack;
  const between = new Between(() => stack.tenants.south.emr.port);
  beforeAll(async () => {
    const south = await between.listen();
    stack = await stackFor('guard', {
      workers: 2,
      backends: { south },
      clients: ['ward', 'laboratory', 'registry', 'attacker'].map((id) => ({
        id,
        what: 'a partner system',
        scopes: ['system/Patient.r'],
      })),
      guard: {
        mode: 'enforce',
        window: '60s',
        slowBy: '300ms',
        lockFor: '60s',
        system: {
          misses: { slow: 5, stepUp: 8, lock: 20 },
          patients: { slow: 20, stepUp: 20, lock: 20 },
        },
        patient: { misses: FAR, patients: { slow: 4, stepUp: 6, lock: 6 } },
      },
    });
  });
  afterAll(async () => {
    await stack?.stop();
    between.close();
  });

  // Each request has a connection of its own: the kernel spreads them over both workers.
  const get = async (token: string, id: number) => {
    const begun = performance.now();
    const reply = await ask({
      url: `${stack.tenants.north.origin}/fhir/Patient/${id}`,
      authority: stack.authority,
      token,
    });
    return { reply, status: reply.status, ms: performance.now() - begun };
  };
  const recordsOf = async (reply: { headers: Readonly<Record<string, unknown>> }) =>
    JSON.stringify(await activityOf(stack, String(reply.headers['x-request-id'])));

  it('and finds nothing is slowed, then has to give a second factor, which a system cannot; others go on', async () => {
    const token = await stack.token({ tenant: 'north', scopes: ['system/Patient.r'] });
    const replies = [];
    for (let n = 0; n < 12; n += 1) replies.push(await get(token, 900_000 + n));
    const statuses = replies.map(({ status }) => status);
    expect(statuses.slice(0, 8)).toEqual(Array(8).fill(404));
    // Sums of two workers take a moment to come round.
    expect(statuses.slice(9)).toEqual(Array(3).fill(429));
    expect(replies[3]?.ms).toBeLessThan(290);
    expect(replies[7]?.ms).toBeGreaterThanOrEqual(390);
    const last = replies.at(-1)?.reply;
    expect(Number(last?.headers['retry-after'])).toBeGreaterThanOrEqual(1);
    expect(await recordsOf(last ?? { headers: {} })).toContain('guard-step-up');
    expect(await metric(stack, 'chartgate_alarms_total', { alarm: 'guard-slowed' })).toBeGreaterThanOrEqual(
      1,
    );
    expect(await metric(stack, 'chartgate_alarms_total', { alarm: 'guard-step-up' })).toBeGreaterThanOrEqual(
      1,
    );
    // What is refused as unusual is not the same as what is not there.
    const bodies = new Set(replies.slice(0, 8).map(({ reply }) => reply.body.length));
    expect(bodies.size).toBe(1);
    const other = await stack.token({ tenant: 'south', scopes: ['system/Patient.r'] });
    const elsewhere = await ask({
      url: `${stack.tenants.south.origin}/fhir/Patient/1`,
      authority: stack.authority,
      token: other,
    });
    expect(elsewhere.status).toBe(200);
  });

  it('with a token for one patient is locked for naming others, at every worker', async () => {
    const token = await stack.token({
      tenant: 'north',
      client: 'patient-app',
      scopes: ['patient/Patient.r'],
    });
    const replies = [];
    for (let n = 1; n <= 10; n += 1) replies.push(await get(token, n));
    const statuses = replies.map(({ status }) => status);
    expect(statuses.slice(7)).toEqual([429, 429, 429]);
    expect(statuses.slice(0, 4)).not.toContain(429);
    expect(await recordsOf(replies[9]?.reply ?? { headers: {} })).toContain('guard-locked');
    // Its own record is not served either.
    for (let n = 0; n < 4; n += 1) expect((await get(token, 7)).status).toBe(429);
    expect(await metric(stack, 'chartgate_alarms_total', { alarm: 'guard-locked' })).toBeGreaterThanOrEqual(
      1,
    );
  }, 30_000);

  it('is noticed by what searches release, too', async () => {
    const token = await stack.token({ tenant: 'south', scopes: ['system/Patient.rs'] });
    const { origin } = stack.tenants.south;
    const search = await ask({ url: `${origin}/fhir/Patient?_count=100`, authority: stack.authority, token });
    expect(search.status).toBe(200);
    const listed = new Set(search.text.match(/"id":\s*"\d+"/g));
    expect(listed.size).toBeGreaterThan(20);
    await sleep(200);
    const next = await ask({ url: `${origin}/fhir/Patient/1`, authority: stack.authority, token });
    expect(next.status).toBe(429);
    expect(await recordsOf(next)).toContain('guard-locked');
  });

  it('and alone meets failures is slowed all the same; in an outage that all meet nobody is', async () => {
    const { origin } = stack.tenants.south;
    const tokens = new Map<string, string>();
    for (const client of ['ward', 'laboratory', 'registry', 'attacker'])
      tokens.set(client, await stack.token({ tenant: 'south', client, scopes: ['system/Patient.r'] }));
    // A 503, such as of a probe that took too long on a busy machine, says nothing of the EMR: it is asked again.
    const read = async (client: string) => {
      const token = tokens.get(client) ?? '';
      const url = `${origin}/fhir/Patient/1`;
      for (let attempt = 0; ; attempt += 1) {
        const { status } = await ask({ url, authority: stack.authority, token });
        if (status !== 503 || attempt === 20) return status;
        await sleep(100);
      }
    };
    // The EMR cuts off only what the attacker asks: one at a time, so that no one else's is under way.
    const alone = [];
    for (let n = 0; n < 12; n += 1) {
      between.failing = true;
      alone.push(await read('attacker'));
      between.failing = false;
      if (n % 4 === 0)
        for (const client of ['ward', 'laboratory', 'registry']) expect(await read(client)).toBe(200);
    }
    expect(alone[0]).toBe(404);
    expect(alone.at(-1)).toBe(429);
    between.failing = true;
    const statuses = new Set<number>();
    for (let n = 0; n < 25; n += 1)
      for (const status of await Promise.all(
        ['ward', 'laboratory', 'registry'].map((client) => read(client)),
      ))
        statuses.add(status);
    expect(statuses).toEqual(new Set([404]));
    expect(await metric(stack, 'chartgate_alarms_total', { alarm: 'guard-outage' })).toBeGreaterThanOrEqual(
      1,
    );
    between.failing = false;
    for (const client of ['ward', 'laboratory', 'registry']) expect(await read(client)).toBe(200);
  }, 60_000);
});
