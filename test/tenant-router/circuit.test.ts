import { setTimeout as wait } from 'node:timers/promises';
import { afterEach, describe, expect, test } from 'vitest';
import { createTenantRouter, outcomeOfError, type TenantRouter } from '../../tenant-router/index.ts';
import { backend, tenant } from './support.ts';

let router: TenantRouter | undefined;
afterEach(() => router?.close(0));

/** A tenant with the given number of back ends, and a breaker that ejects for `firstEjectionMs`. */
function tenantOf(count: number, firstEjectionMs = 60_000) {
  const backends = Array.from({ length: count }, (_, i) => backend(`http://127.0.0.1:${9001 + i}`));
  router = createTenantRouter([tenant('a', ['a.example'], ...backends)], {
    circuit: { firstEjectionMs, longestEjectionMs: 8 * firstEjectionMs, trialMs: 60_000 },
  });
  const only = router.tenants[0];
  if (only === undefined) throw new Error('no tenant');
  return only;
}

describe('connection failures', () => {
  test('three in a row eject, and with nobody left there is nobody to pick', () => {
    const a = tenantOf(1);
    const only = a.pick();
    only?.report('connect-failed');
    only?.report('connect-failed');
    expect(a.pick()).toBe(only);
    only?.report('connect-failed');
    expect(a.pick()).toBeUndefined();
    expect(router?.stats()[0]?.ejected).toBe(true);
  });

  test('a success in between starts the count anew', () => {
    const a = tenantOf(1);
    const only = a.pick();
    for (const outcome of [
      'connect-failed',
      'connect-failed',
      'ok',
      'connect-failed',
      'connect-failed',
    ] as const) {
      only?.report(outcome);
    }
    expect(a.pick()).toBe(only);
  });

  test('the others take over', () => {
    const a = tenantOf(2);
    const first = a.pick();
    for (let i = 0; i < 3; i++) first?.report('connect-failed');
    const picked = new Set([1, 2, 3, 4].map(() => a.pick()?.origin));
    expect(picked).toEqual(new Set(['http://127.0.0.1:9002']));
  });

  test('after the ejection one trial goes through; its success lets everybody in', async () => {
    const a = tenantOf(1, 20);
    const only = a.pick();
    for (let i = 0; i < 3; i++) only?.report('connect-failed');
    expect(a.pick()).toBeUndefined();
    await wait(40);
    expect(a.pick()).toBe(only);
    expect(a.pick()).toBeUndefined();
    only?.report('ok');
    expect(a.pick()).toBe(only);
    expect(a.pick()).toBe(only);
    // Nothing to tell of a back end that is not left out and was never connected to.
    expect(router?.stats()).toEqual([]);
  });

  test('a trial that fails ejects again; reports from before count nothing', async () => {
    const a = tenantOf(1, 20);
    const only = a.pick();
    for (let i = 0; i < 50; i++) only?.report('connect-failed');
    await wait(40);
    // Fifty reports during one ejection did not double it fifty times.
    expect(a.pick()).toBe(only);
    only?.report('connect-failed');
    expect(a.pick()).toBeUndefined();
    expect(router?.stats()[0]?.ejected).toBe(true);
  });
});

describe('time-outs and broken answers', () => {
  test.each(['timeout', 'protocol'] as const)(
    '%s: five in a row eject where another can take over',
    (outcome) => {
      const a = tenantOf(2);
      const first = a.pick();
      for (let i = 0; i < 5; i++) first?.report(outcome);
      const picked = new Set([1, 2, 3, 4].map(() => a.pick()?.origin));
      expect(picked).toEqual(new Set(['http://127.0.0.1:9002']));
    },
  );

  test('never eject the only back end: a slow page must not shut a tenant off', () => {
    const a = tenantOf(1);
    const only = a.pick();
    for (let i = 0; i < 50; i++) only?.report(i % 2 ? 'timeout' : 'protocol');
    expect(a.pick()).toBe(only);
  });

  test('never eject the last of several', () => {
    const a = tenantOf(3);
    const all = [a.pick(), a.pick(), a.pick()];
    for (const one of all) for (let i = 0; i < 9; i++) one?.report('timeout');
    const picked = new Set([1, 2, 3, 4, 5].map(() => a.pick()?.origin));
    expect(picked.size).toBe(1);
    expect(picked).not.toContain(undefined);
  });
});

describe('what an error says about the back end', () => {
  test.each([
    ['ECONNREFUSED', 'connect-failed'],
    ['UND_ERR_CONNECT_TIMEOUT', 'connect-failed'],
    ['ENOTFOUND', 'connect-failed'],
    ['DEPTH_ZERO_SELF_SIGNED_CERT', 'connect-failed'],
    ['ERR_TLS_CERT_ALTNAME_INVALID', 'connect-failed'],
    ['CERT_HAS_EXPIRED', 'connect-failed'],
    ['UND_ERR_HEADERS_TIMEOUT', 'timeout'],
    ['UND_ERR_BODY_TIMEOUT', 'timeout'],
    ['UND_ERR_SOCKET', 'protocol'],
    ['ECONNRESET', 'protocol'],
    ['HPE_INVALID_CONSTANT', 'protocol'],
    ['something-new', 'protocol'],
    ['UND_ERR_ABORTED', undefined],
    ['UND_ERR_DESTROYED', undefined],
  ])('%s', (code, expected) => {
    expect(outcomeOfError(Object.assign(new Error('x'), { code }))).toBe(expected);
  });

  test('what is no error at all is a broken answer', () => {
    expect(outcomeOfError(undefined)).toBe('protocol');
    expect(outcomeOfError({ code: 5 })).toBe('protocol');
    expect(outcomeOfError(new DOMException('x', 'AbortError'))).toBeUndefined();
  });
});
