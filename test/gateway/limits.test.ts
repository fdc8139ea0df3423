import { describe, expect, it } from 'vitest';
import type { ReasonCode } from '../../contracts/reasons.ts';
import { createLimits, peerKey, share } from '../../gateway/limits.ts';
import type { Exchange } from '../../gateway/pipeline/exchange.ts';
import { canonicalise } from '../../gateway/pipeline/stages/canonicalise.ts';

const limits = (requests: number, workers = 1) => {
  const demand = { requests, windowSeconds: 10 };
  return createLimits({ perPeer: demand, perPrincipal: demand }, workers);
};

describe('a limit that several workers share', () => {
  it.each([
    [100, 10, 1, { points: 100, duration: 10 }],
    [100, 10, 4, { points: 25, duration: 10 }],
    [7, 10, 4, { points: 1, duration: 10 }],
    [1, 10, 4, { points: 1, duration: 40 }],
    [3, 60, 8, { points: 1, duration: 160 }],
  ])('%i in %i s over %i: together never more than that', (requests, windowSeconds, workers, expected) => {
    const part = share({ requests, windowSeconds }, workers);
    expect(part).toEqual(expected);
    expect((part.points * workers) / part.duration).toBeLessThanOrEqual(requests / windowSeconds);
  });
});

describe('a peer', () => {
  it.each([
    ['192.0.2.1', '192.0.2.1', 'an IPv4 address is one peer'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2', 'an IPv6 peer is its /64'],
    ['2001:db8:1:2::9', '2001:db8:1:2', 'shortened in the middle'],
    ['2001:DB8:0001:0002::9', '2001:db8:1:2', 'written in another way'],
    ['2001:db8::1', '2001:db8:0:0', 'zeros left out'],
    ['::1', '0:0:0:0', 'loopback'],
    ['::', '0:0:0:0', 'nothing at all'],
    ['fe80::1%eth0', 'fe80:0:0:0', 'with a zone'],
    ['', '', 'a connection that has no address any more'],
  ])('%s counts as %s: %s', (address, key) => {
    expect(peerKey(address)).toBe(key);
  });

  it('that sends what has no meaning is limited like any other', async () => {
    const shared = limits(3);
    const send = async () => {
      const failed: ReasonCode[] = [];
      const x = {
        client: { request: { method: 'BREW', rawHeaders: [], httpVersion: '1.1' } },
        arrival: { peer: '192.0.2.1' },
        runtime: { limits: shared },
        services: {},
        failed: (code: ReasonCode) => failed.push(code),
      } as unknown as Exchange;
      return { ending: await canonicalise(x), failed };
    };
    for (let sent = 0; sent < 3; sent += 1) {
      const { ending, failed } = await send();
      expect(ending).toMatchObject({ kind: 'bad-request', reason: 'method-unknown', closeConnection: true });
      expect(failed).toEqual(['method-unknown']);
    }
    const { ending, failed } = await send();
    expect(ending).toMatchObject({ kind: 'limited', reason: 'limit-peer', closeConnection: true });
    expect(ending?.retryAfterSeconds).toBeGreaterThanOrEqual(1);
    expect(failed).toEqual(['method-unknown', 'limit-peer']);
  });
});

describe('keys', () => {
  it('of one tenant or route say nothing about another', async () => {
    const shared = limits(1);
    const north = 'north' as Parameters<typeof shared.principal>[0];
    const south = 'south' as Parameters<typeof shared.principal>[0];
    expect(await shared.principal(north, 'a')).toBe(0);
    expect(await shared.principal(south, 'a')).toBe(0);
    expect(await shared.principal(north, 'a')).toBeGreaterThan(0);
    // Names that objects have of their own are keys like any other.
    for (const key of ['__proto__', 'constructor', 'toString']) {
      expect(await shared.principal(north, key)).toBe(0);
      expect(await shared.principal(north, key)).toBeGreaterThan(0);
    }
  });
});
