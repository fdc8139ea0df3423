import { describe, expect, it } from 'vitest';
import { audienceFaults } from '../../config/audiences.ts';
import type { PolicyDocument, RouteDocument, TenantSettings } from '../../contracts/settings.ts';

const route = (audience?: string): RouteDocument => ({
  id: 'a',
  methods: ['GET'],
  path: '/a',
  scopes: ['a'],
  ...(audience === undefined ? {} : { audience }),
});
const tenant = (policy: string, audiences?: Record<string, string>) =>
  ({
    policy,
    audiences: audiences === undefined ? undefined : new Map(Object.entries(audiences)),
  }) as unknown as TenantSettings;
const policies = new Map<string, PolicyDocument>([
  ['plain', { file: 'plain.yaml', routes: [route()] }],
  ['research', { file: 'research.yaml', routes: [route(), { ...route('research'), id: 'b' }] }],
  ['changed', { file: 'changed.yaml', routes: [], override: [{ id: 'c', audience: 'partners' }] }],
]);

describe('a route for a further audience', () => {
  it('is refused at a tenant that has none of that name, since no token would be good there', () => {
    const tenants = [
      tenant('plain'),
      tenant('research', { research: 'https://a.example' }),
      tenant('research'),
      tenant('research', { partners: 'https://b.example' }),
      tenant('changed', { research: 'https://c.example' }),
      tenant('changed', { partners: 'https://d.example' }),
    ];
    expect(
      audienceFaults({ tenants, policies }).map(({ pointer, message }) => `${pointer}: ${message}`),
    ).toEqual(
      [2, 3, 4].map(
        (index) =>
          `/tenants/${index}/policy: names a policy with routes for the audience "${index === 4 ? 'partners' : 'research'}", which the tenant does not have under "audiences"`,
      ),
    );
  });
});
