import { describe, expect, it } from 'vitest';
import { systemClock } from '../../contracts/clock.ts';
import type { Verdict } from '../../contracts/integrity.ts';
import { Inspection } from '../../gateway/content/inspection.ts';
import type { Exchange } from '../../gateway/pipeline/exchange.ts';
import { Exchange as RealExchange } from '../../gateway/pipeline/exchange.ts';
import { apart } from '../../gateway/pipeline/stages/apart.ts';
import { attest } from '../../gateway/pipeline/stages/attest.ts';
import { attestAgain } from '../../gateway/pipeline/stages/attest-again.ts';
import { decide } from '../../gateway/pipeline/stages/decide.ts';
import { forward } from '../../gateway/pipeline/stages/forward.ts';
import { judgeAnswer } from '../../gateway/pipeline/stages/judge-answer.ts';
import { judgeContent } from '../../gateway/pipeline/stages/judge-content.ts';
import { judgeExisting } from '../../gateway/pipeline/stages/judge-existing.ts';
import { recordIntent } from '../../gateway/pipeline/stages/record-intent.ts';
import { routeToTenant } from '../../gateway/pipeline/stages/route.ts';

/** Each stage by itself, given what the stages before it should never leave behind. */

const EPOCH = 'e'.repeat(32);
const verdict = (state: Verdict['state'], epoch = EPOCH): Verdict =>
  Object.freeze({ state, epoch, findings: [], notBefore: 0 });

function exchange(more: Record<string, unknown>): Exchange {
  return {
    facts: { method: 'PUT', arrivedAt: 0, receivedAt: 0 },
    tenant: { id: 'north', settings: { database: 'north' } },
    route: { integrity: { mode: 'strict' }, backendTimeoutMs: 10 },
    client: { gone: false },
    reasons: [],
    held() {},
    failed() {},
    ...more,
  } as unknown as Exchange;
}

const oracle = (given: Verdict) => ({ oracle: { attest: () => given } });

describe('a verdict', () => {
  it.each([
    ['intact', EPOCH, undefined, 'intact in an epoch'],
    ['intact', '', 'integrity-unverified', 'intact, but in none'],
    ['broken', EPOCH, 'integrity-broken', 'broken, whatever the epoch'],
    ['unverified', EPOCH, 'integrity-unverified', 'not verified, whatever the epoch'],
    ['unheard-of', EPOCH, 'integrity-unverified', 'a state nobody knows'],
  ])('%s "%s" before forwarding: %s (%s)', async (state, epoch, reason, _why) => {
    const x = exchange({ runtime: oracle(verdict(state as Verdict['state'], epoch)) });
    expect((await attest(x))?.reason).toBe(reason);
  });

  it.each([
    [verdict('intact'), verdict('intact'), undefined, 'the same epoch'],
    [undefined, verdict('intact'), 'integrity-changed-during-write', 'none before'],
    [verdict('intact', ''), verdict('intact', ''), 'integrity-changed-during-write', 'no epoch at all'],
    [verdict('intact'), verdict('intact', 'f'.repeat(32)), 'integrity-changed-during-write', 'another epoch'],
    [verdict('intact'), verdict('unverified'), 'integrity-changed-during-write', 'unverified after'],
    [verdict('unverified'), verdict('intact'), 'integrity-changed-during-write', 'unverified before'],
  ])('%j before and %j after a write: %s (%s)', async (before, after, reason, _why) => {
    const recorded: unknown[] = [];
    const x = exchange({
      verdict: before,
      services: {
        clock: systemClock,
        current: () => oracle(after),
        activity: { append: async (entry: unknown) => void recorded.push(entry) },
      },
    });
    expect((await attestAgain(x))?.reason).toBe(reason);
    expect(recorded).toHaveLength(reason === undefined ? 0 : 1);
  });

  it('is asked for again after a GET only where the route says that its GETs write', async () => {
    const asked: string[] = [];
    const get = (writes: boolean): Exchange =>
      exchange({
        facts: { method: 'GET', arrivedAt: 0, receivedAt: 0 },
        route: { integrity: { mode: 'strict' }, writes, backendTimeoutMs: 10 },
        verdict: verdict('intact'),
        services: {
          clock: systemClock,
          current: () => ({
            oracle: {
              attest: () => {
                asked.push(writes ? 'a page that saves' : 'a read');
                return verdict('intact');
              },
            },
          }),
        },
      });
    expect(await attestAgain(get(false))).toBeUndefined();
    expect(await attestAgain(get(true))).toBeUndefined();
    expect(asked).toEqual(['a page that saves']);
  });

  it('that nobody can write down ends the write as a failure of the log', async () => {
    const x = exchange({
      verdict: verdict('intact'),
      services: {
        clock: systemClock,
        current: () => oracle(verdict('broken')),
        activity: { append: () => Promise.reject(new Error('full')) },
      },
    });
    expect((await attestAgain(x))?.reason).toBe('activity-log-unavailable');
  });
});

describe('what is not for the EMR', () => {
  it.each([
    ['a page of the gateway', {}],
    ['the host of an embedded issuer', { embedded: { forward: () => expect.unreachable() } }],
  ])('%s does nothing while the activity log takes no entries', async (_name, more) => {
    const x = exchange({
      facts: { path: { segments: ['.chartgate', 'sign-in'] }, parameters: new Map() },
      runtime: { browsers: { serves: () => true } },
      services: { activity: { healthy: false } },
      ...more,
    });
    expect(await apart(x)).toMatchObject({ kind: 'unavailable', reason: 'activity-log-unavailable' });
  });
});

describe('a stage out of its place', () => {
  it('forwards nothing without a durable intent', async () => {
    expect(await forward(exchange({ intentRecorded: false }))).toMatchObject({
      kind: 'unavailable',
      reason: 'internal',
    });
  });

  it('forwards nothing for a client that has gone', async () => {
    const x = exchange({ intentRecorded: true, client: { gone: true } });
    expect((await forward(x))?.reason).toBe('client-gone');
    expect((await recordIntent(exchange({ client: { gone: true }, principal: {} })))?.reason).toBe(
      'client-gone',
    );
  });

  it('does not take the permit of a policy for a request that no route matched', () => {
    const policy = { decide: () => ({ effect: 'permit', reasons: [] }) };
    const x = exchange({ policy, match: undefined, principal: {}, runtime: {} });
    expect(decide(x)).toMatchObject({ kind: 'unavailable', reason: 'internal' });
  });

  it('does not do half of what a permit asks of it', () => {
    for (const obligations of [
      { query: 'a=1', watermark: true },
      { constructor: () => undefined },
      { headers: { host: 'other.example' } },
      { headers: { 'x-forwarded-for': '10.0.0.1' } },
    ]) {
      const policy = { decide: () => ({ effect: 'permit', reasons: [], obligations }) };
      const x = exchange({ policy, match: {}, principal: {}, runtime: {}, outgoing: {} });
      expect(decide(x)).toMatchObject({ kind: 'unavailable', reason: 'internal' });
    }
  });

  it('opens no tunnel for a permit whose body or answer would have to be judged', () => {
    const obligations = { answer: () => ({ release: 'unchanged', reasons: [] }) };
    const policy = { decide: () => ({ effect: 'permit', reasons: [], obligations }) };
    const facts = { ...exchange({}).facts, upgrade: 'websocket' };
    const x = exchange({ policy, facts, match: {}, principal: {}, runtime: {}, outgoing: {} });
    expect(decide(x)).toMatchObject({ kind: 'unavailable', reason: 'internal' });
  });

  it('takes no body for judged that was not read', () => {
    const x = exchange({
      obligations: { content: () => ({ effect: 'permit', reasons: [] }) },
      content: undefined,
    });
    expect(judgeContent(x)).toMatchObject({ kind: 'unavailable', reason: 'internal' });
  });

  it('releases no answer that a judge should have seen and that is not there', async () => {
    const x = exchange({ answerJudges: [() => ({ release: 'unchanged', reasons: [] })], backend: undefined });
    expect(await judgeAnswer(x)).toMatchObject({ kind: 'unavailable', reason: 'internal' });
  });

  it('asks for nothing that exists without a durable intent', async () => {
    const x = exchange({
      obligations: { existing: () => ({ release: 'unchanged', reasons: [] }) },
      intentRecorded: false,
    });
    expect(await judgeExisting(x)).toMatchObject({ kind: 'unavailable', reason: 'internal' });
  });

  it('takes an inspector that throws for a finding', () => {
    const broken = {
      head: () => {
        throw new Error('engine');
      },
      content: () => {
        throw new Error('engine');
      },
      wants: () => true,
      close: () => {},
    };
    const inspection = new Inspection([broken]);
    const found = { status: 'bad-request', reason: 'inspection-failed' };
    expect(inspection.head({} as never, {} as never, () => {})).toMatchObject(found);
    expect(inspection.content({} as never, {} as never, {} as never, () => {})).toMatchObject(found);
  });

  it('refuses a tenant whose policy is missing', () => {
    const runtime = {
      router: { route: () => ({ ok: true, tenant: { settings: { policy: 'gone' } } }) },
      policies: new Map(),
    };
    const x = exchange({
      facts: { authority: 'north.example', tls: { serverName: 'north.example' } },
      services: { current: () => runtime },
    });
    expect(routeToTenant(x)).toMatchObject({ kind: 'unavailable' });
  });

  it.each(['facts', 'tenant', 'policy', 'principal', 'route', 'answer'] as const)(
    'cannot read %s before it is there',
    (name) => {
      const x = new RealExchange({} as never, {} as never, {} as never, {} as never);
      expect(() => x[name]).toThrow(/before the stage/);
    },
  );
});

describe('a reload between arrival and routing', () => {
  it('cannot mix the tenants of one configuration with the policies of another', () => {
    const runtime = (name: string) => ({
      name,
      router: { route: () => ({ ok: true, tenant: { settings: { policy: 'emr' } } }) },
      policies: new Map([['emr', { match: () => undefined, name }]]),
    });
    const after = runtime('after');
    const x = exchange({
      facts: { authority: 'north.example', tls: { serverName: 'north.example' }, path: { segments: [] } },
      runtime: runtime('before'),
      services: { current: () => after },
    });
    expect(routeToTenant(x)).toBeUndefined();
    expect(x.runtime).toBe(after);
    expect(x.policy.name).toBe('after');
  });
});
