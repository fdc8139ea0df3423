import { describe, expect, test } from 'vitest';
import type { PackLookup, PolicyPack } from '../../contracts/policy-packs.ts';
import type { PolicyDocument } from '../../contracts/settings.ts';
import { compilePolicy, PACKS } from '../../policies/index.ts';
import { bearer, DEFAULTS, documentOf, facts, outcome, page } from './support.ts';

const PACK: PolicyPack = {
  name: 'demo',
  title: 'a demo',
  versions: ['1.0.2', '2.*'],
  base: '/app',
  routes: [
    page('demo-list', '/app/list'),
    page('demo-read', '/app/{kind}/{id}', { where: { kind: ['a', 'b', 'c'] } }),
    page('demo-b', '/app/b/{id}', { scopes: ['other'] }),
    { id: 'demo-never', effect: 'deny', methods: ['GET'], path: '/app/c/secret' },
  ],
};
const packs: PackLookup = (name) => (name === 'demo' ? PACK : undefined);
const READER = bearer(['pages']);

function compiled(document: Partial<PolicyDocument>) {
  return compilePolicy('p', { ...documentOf(), ...document }, { ...DEFAULTS, packs });
}

function policy(document: Partial<PolicyDocument>) {
  const result = compiled({ extends: [{ pack: 'demo', version: '1.0.2' }], ...document });
  if (!result.ok) throw new Error(JSON.stringify(result.faults));
  return result.policy;
}

function faults(document: Partial<PolicyDocument>): string {
  const result = compiled({ extends: [{ pack: 'demo', version: '1.0.2' }], ...document });
  return result.ok ? '' : result.faults.map(({ pointer, message }) => `${pointer}: ${message}`).join('\n');
}

describe('a policy that extends a pack', () => {
  test('has its routes and its denials', () => {
    const demo = policy({});
    expect(demo.routes.map(({ id }) => id)).toEqual(['demo-list', 'demo-read', 'demo-b']);
    expect(outcome(demo, 'GET /app/list', READER)).toBe('permit');
    expect(outcome(demo, 'GET /app/b/1', READER)).toBe('insufficient-scope');
    expect(outcome(demo, 'GET /app/c/secret', READER)).toBe('forbidden');
    expect(outcome(demo, 'GET /other', READER)).toBe('route-unknown');
  });

  test('may have them in another place', () => {
    const demo = policy({ extends: [{ pack: 'demo', version: '2.7', base: '/deep/er' }] });
    expect(outcome(demo, 'GET /deep/er/list', READER)).toBe('permit');
    expect(outcome(demo, 'GET /deep/er/c/secret', READER)).toBe('forbidden');
    expect(outcome(demo, 'GET /app/list', READER)).toBe('route-unknown');
    const root = policy({ extends: [{ pack: 'demo', version: '2.7', base: '/' }] });
    expect(outcome(root, 'GET /list', READER)).toBe('permit');
  });

  test('has its own routes beside them, the most specific first', () => {
    const demo = policy({ routes: [page('own', '/app/a/7', { scopes: ['own'] }), page('wide', '/{rest*}')] });
    expect(outcome(demo, 'GET /app/a/7', READER)).toBe('insufficient-scope');
    expect(outcome(demo, 'GET /app/a/8', READER)).toBe('permit');
    const request = facts('GET /app/x');
    expect(demo.match(request)?.route.id).toBe('wide');
  });

  test('may change a route in its place, and leave routes and denials out', () => {
    const demo = policy({
      override: [
        { id: 'demo-b', scopes: ['pages'] },
        { id: 'demo-list', path: '/app/index' },
      ],
      remove: ['demo-never'],
    });
    expect(outcome(demo, 'GET /app/b/1', READER)).toBe('permit');
    expect(outcome(demo, 'GET /app/index', READER)).toBe('permit');
    expect(outcome(demo, 'GET /app/list', READER)).toBe('route-unknown');
    expect(outcome(demo, 'GET /app/c/secret', READER)).toBe('permit');
    expect(outcome(policy({}), 'GET /app/b/1', READER)).toBe('insufficient-scope');
  });

  test('a removed route leaves its paths to the next', () => {
    expect(outcome(policy({ remove: ['demo-b'] }), 'GET /app/b/1', READER)).toBe('permit');
  });

  test('a match of another policy with the same pack is worth nothing where the route was removed or changed', () => {
    const request = facts('GET /app/b/1');
    const match = policy({}).match(request);
    const other = bearer(['other']);
    for (const document of [{ remove: ['demo-b'] }, { override: [{ id: 'demo-b', scopes: ['x'] }] }]) {
      expect(policy(document).decide(request, match, other, 0)).toMatchObject({ denial: 'route-unknown' });
    }
  });

  test('has another digest for every change', () => {
    const digests = [
      policy({}),
      policy({ remove: ['demo-b'] }),
      policy({ override: [{ id: 'demo-b', scopes: ['x'] }] }),
      policy({ extends: [{ pack: 'demo', version: '2.0', base: '/x' }] }),
      policy({ roles: { nurse: [] } }),
    ].map(({ digest }) => digest);
    expect(new Set(digests).size).toBe(5);
  });

  test.each<[string, Partial<PolicyDocument>, string]>([
    ['an unknown pack', { extends: [{ pack: 'x' }] }, '/extends/0/pack: is not a pack of this version'],
    [
      'a pack for another version',
      { extends: [{ pack: 'demo', version: '1.0.3' }] },
      '/extends/0/version: is not one that the pack was made for: pack "demo" is for a demo, 1.0.2, 2.*',
    ],
    ['no version', { extends: [{ pack: 'demo' }] }, '/extends/0/version: is missing'],
    [
      'a pack twice',
      {
        extends: [
          { pack: 'demo', version: '2.1' },
          { pack: 'demo', version: '2.1', base: '/x' },
        ],
      },
      '/extends/1/pack: is extended already',
    ],
    [
      'a base that captures',
      { extends: [{ pack: 'demo', version: '2.1', base: '/{x}' }] },
      '/extends/0/base: must be a fixed path',
    ],
    [
      'an override of nothing',
      { override: [{ id: 'demo-x', scopes: ['a'] }] },
      '/override/0/id: is not the id of a route of demo',
    ],
    ['an override without a change', { override: [{ id: 'demo-b' }] }, '/override/0: changes nothing'],
    [
      'an override that is wrong',
      { override: [{ id: 'demo-b', scopes: ['a b'] }] },
      '/override/0/scopes/0: is not a scope',
    ],
    ['a removal of nothing', { remove: ['demo-x'] }, '/remove/0: is not the id of a route'],
    [
      'a route removed and changed',
      { remove: ['demo-b'], override: [{ id: 'demo-b', scopes: ['x'] }] },
      '/override/0/id: is removed under "remove"',
    ],
    ['an id of the pack', { routes: [page('demo-b', '/x')] }, '/routes/0/id: is the id of a route of a pack'],
    [
      'the same path again',
      { routes: [page('own', '/app/list')] },
      '/routes/0/path: matches exactly what route "demo-list" (/app/list) of pack "demo" matches already (GET, HEAD); change that one under "override"',
    ],
    [
      'a route of the pack that none of its paths is left to',
      { routes: [page('own', '/app/{kind}/{id}', { where: { kind: ['a', 'c'] } })] },
      '/extends/0: route "demo-read" (/app/{kind}/{id}) of the pack can never match for GET',
    ],
    [
      'two that are ambiguous',
      { routes: [page('own', '/{x}/a/{id}', {})] },
      '/routes/0/path: is ambiguous with route "demo-read"',
    ],
  ])('is refused with %s', (_, document, message) => {
    expect(faults(document)).toContain(message);
  });
});

test.each(PACKS.map((pack) => [pack.name, pack] as const))('the pack %s compiles by itself', (name, pack) => {
  const [version] = pack.versions;
  const exact = version?.endsWith('.*') ? `${version.slice(0, -1)}0` : version;
  const document = {
    ...documentOf(),
    extends: [{ pack: name, ...(exact === undefined ? {} : { version: exact }) }],
  };
  const result = compilePolicy('p', document, DEFAULTS);
  expect(result.ok ? [] : result.faults).toEqual([]);
});
