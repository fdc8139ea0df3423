import { describe, expect, test } from 'vitest';
import type { RouteDocument } from '../../contracts/settings.ts';
import { DEMAND_FAULTS } from './faults/demands.ts';
import { PATH_FAULTS } from './faults/paths.ts';
import { faultsOfRoutes, page } from './support.ts';

describe('a policy with a fault does not compile and says where', () => {
  test.each([...PATH_FAULTS, ...DEMAND_FAULTS])('%s', (_what, routes, expected) => {
    const faults = faultsOfRoutes(...routes);
    const says = (fault: string) =>
      typeof expected === 'string' ? fault.startsWith(expected) : expected.test(fault);
    expect(faults.filter(says), JSON.stringify(faults)).toHaveLength(1);
    expect(faults.filter((fault) => !says(fault))).toEqual([]);
  });

  test('no route at all', () => {
    expect(faultsOfRoutes()).toHaveLength(1);
  });

  test('every fault of every route is reported in one run', () => {
    const faults = faultsOfRoutes(
      page('A', '/a//b', { methods: ['get'], scopes: [''] }),
      page('b', '/{x*}/y', { where: { z: [] } }),
      page('b', '/b', { maxBodyBytes: 5, mediaTypes: ['x'] }),
    );
    expect(faults.map((fault) => fault.split(':')[0])).toEqual([
      '/routes/0/id',
      '/routes/0/methods/0',
      '/routes/0/path',
      '/routes/0/scopes/0',
      '/routes/1/path',
      '/routes/1/where/z',
      '/routes/1/where/z',
      '/routes/2/id',
      '/routes/2/maxBodyBytes',
      '/routes/2/mediaTypes/0',
    ]);
  });
});

describe('routes that only seem to compete', () => {
  const accepted: readonly (readonly [string, readonly RouteDocument[]])[] = [
    ['a literal inside a capture', [page('a', '/fhir/{t}/{id}'), page('b', '/fhir/Patient/{id}')]],
    ['a capture inside the rest', [page('a', '/{f*}'), page('b', '/{x}'), page('c', '/')]],
    ['other methods', [page('a', '/x'), page('b', '/x', { methods: ['DELETE'] })]],
    ['an upgrade beside a page', [page('a', '/x'), page('b', '/x', { upgrade: 'websocket' })]],
    ['a trailing slash', [page('a', '/x'), page('b', '/x/')]],
    ['an overlap that a third route decides', [page('a', '/a/{x}'), page('b', '/{y}/b'), page('c', '/a/b')]],
  ];
  test.each(accepted)('%s', (_what, routes) => {
    expect(faultsOfRoutes(...routes)).toEqual([]);
  });
});
