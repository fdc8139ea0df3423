import { afterAll, describe, expect, test } from 'vitest';
import { ChartgateError } from '../../contracts/errors.ts';
import { createTenantRouter } from '../../tenant-router/index.ts';
import { backend, tenant } from './support.ts';

const a = backend('http://127.0.0.1:9001');
const b = backend('http://127.0.0.1:9002');
const router = createTenantRouter([
  tenant('north', ['north.example', 'portal.north.example:8443'], a),
  tenant('south', ['south.example'], a, b),
]);
afterAll(() => router.close(0));

const described = (authority: string, serverName: string): string => {
  const route = router.route(authority, serverName);
  return route.ok ? route.tenant.id : route.reason;
};

describe('a request reaches a tenant only by its exact host, with the same name in the handshake', () => {
  test.each([
    ['its host', 'north.example', 'north.example', 'north'],
    ['its host with a port', 'portal.north.example:8443', 'portal.north.example', 'north'],
    ['another tenant', 'south.example', 'south.example', 'south'],
    ['the handshake of another tenant', 'north.example', 'south.example', 'tenant-mismatch'],
    ['a handshake without a name', 'north.example', '', 'tenant-mismatch'],
    [
      'a handshake with the port in it',
      'portal.north.example:8443',
      'portal.north.example:8443',
      'tenant-mismatch',
    ],
    ['another name of the same tenant', 'north.example', 'portal.north.example', 'tenant-mismatch'],
    ['a port that is not configured', 'north.example:8443', 'north.example', 'tenant-unknown'],
    ['a port left out', 'portal.north.example', 'portal.north.example', 'tenant-unknown'],
    ['capitals, which are not canonical', 'North.example', 'north.example', 'tenant-unknown'],
    ['a trailing dot, which is not canonical', 'north.example.', 'north.example', 'tenant-unknown'],
    ['a name below', 'x.north.example', 'x.north.example', 'tenant-unknown'],
    ['a name that ends the same', 'evilnorth.example', 'evilnorth.example', 'tenant-unknown'],
    ['a name that begins the same', 'north.example.evil.test', 'north.example.evil.test', 'tenant-unknown'],
    ['nothing', '', '', 'tenant-unknown'],
    ['a prototype name', '__proto__', '__proto__', 'tenant-unknown'],
    ['another prototype name', 'constructor', 'constructor', 'tenant-unknown'],
  ])('%s', (_what, authority, serverName, expected) => {
    expect(described(authority, serverName)).toBe(expected);
  });
});

describe('tenants that cannot be told apart are refused', () => {
  test.each([
    [
      'one id twice',
      [tenant('a', ['a.example'], a), tenant('a', ['b.example'], a)],
      /"a" is configured twice/,
    ],
    [
      'one host twice',
      [tenant('a', ['x.example'], a), tenant('b', ['x.example'], a)],
      /both have the host "x.example"/,
    ],
    ['no host', [tenant('a', [], a)], /needs a host/],
    ['no back end', [tenant('a', ['a.example'])], /needs a host and a back end/],
  ])('%s', (_what, tenants, message) => {
    expect(() => createTenantRouter(tenants)).toThrow(message);
    expect(() => createTenantRouter(tenants)).toThrow(ChartgateError);
  });

  test('and leave the router as it was', async () => {
    const twice = [tenant('a', ['x.example'], a), tenant('b', ['x.example'], a)];
    await expect(router.replace(twice, 0)).rejects.toThrow(/both have the host/);
    expect(described('north.example', 'north.example')).toBe('north');
    expect(described('x.example', 'x.example')).toBe('tenant-unknown');
  });
});

test('two tenants with one origin never share a pool', () => {
  const north = router.tenants[0]?.pick();
  const south = router.tenants[1]?.pick();
  expect(north?.origin).toBe(south?.origin);
  expect(north?.dispatcher).not.toBe(south?.dispatcher);
});

test('back ends take turns', () => {
  const south = router.tenants[1];
  const origins = [1, 2, 3, 4].map(() => south?.pick()?.origin);
  expect(origins[0]).toBe(origins[2]);
  expect(origins[1]).toBe(origins[3]);
  expect(new Set(origins)).toEqual(new Set([a.origin, b.origin]));
});
