import { describe, expect, test } from 'vitest';
import type { RouteDocument } from '../../contracts/settings.ts';
import { compilePolicy } from '../../policies/index.ts';
import { post, smart } from './faults/routes.ts';
import { DEFAULTS, documentOf, page } from './support.ts';

describe('what a route demands when it does not say', () => {
  const first = (route: RouteDocument) => {
    const compiled = compilePolicy('p', documentOf(route), DEFAULTS);
    if (!compiled.ok) throw new Error(JSON.stringify(compiled.faults));
    return compiled.policy.routes[0];
  };

  test('a safe route: a bearer token verified locally, a verdict no older than 1 s, no body', () => {
    expect(first(page('a', '/a'))).toMatchObject({
      credential: 'bearer',
      introspection: 'never',
      integrity: { mode: 'bounded', maxAgeMs: 1000 },
      hide: 'none',
      maxBodyBytes: 0,
      upgrade: undefined,
    });
  });

  test('a write: introspection and a strict verdict', () => {
    expect(first(post({}))).toMatchObject({
      introspection: 'always',
      integrity: { mode: 'strict' },
      maxBodyBytes: 1_048_576,
    });
  });

  test('one unsafe method makes the route a write', () => {
    expect(first(page('a', '/a', { methods: ['GET', 'DELETE'] }))).toMatchObject({
      introspection: 'always',
      integrity: { mode: 'strict' },
    });
  });

  test('a page that saves by GET: a strict verdict, and another afterwards', () => {
    expect(first(page('a', '/a', { writes: true }))).toMatchObject({
      integrity: { mode: 'strict' },
      writes: true,
    });
    expect(first(page('a', '/a', { integrity: { mode: 'strict' } }))).toMatchObject({ writes: false });
  });

  test('an upgrade: a strict verdict', () => {
    expect(first(page('a', '/a', { upgrade: 'websocket' }))?.integrity).toEqual({ mode: 'strict' });
  });

  test('a route that names the patient hides', () => {
    const named = { scopes: [], smart: { ...smart, contexts: ['patient'] } as const };
    expect(first(page('a', '/{id}', { ...named, patient: { capture: 'id' } }))).toMatchObject({
      hide: 'record',
      hideDeadlineMs: 400,
    });
    expect(first(page('a', '/a', { ...named, patient: { parameter: 'patient' } }))?.hide).toBe('collection');
  });

  test('routes are frozen and the digest names the rules, not how they were written', () => {
    const one = compilePolicy(
      'p',
      documentOf({ id: 'a', methods: ['GET'], path: '/a', scopes: ['s'] }),
      DEFAULTS,
    );
    const two = compilePolicy(
      'q',
      { file: 'other', routes: [{ scopes: ['s'], path: '/a', methods: ['GET'], id: 'a' }] },
      DEFAULTS,
    );
    const three = compilePolicy(
      'p',
      documentOf({ id: 'a', methods: ['GET'], path: '/a', scopes: ['t'] }),
      DEFAULTS,
    );
    if (!one.ok || !two.ok || !three.ok) throw new Error('did not compile');
    expect(Object.isFrozen(one.policy) && one.policy.routes.every(Object.isFrozen)).toBe(true);
    expect(one.policy.digest).toMatch(/^[0-9a-f]{64}$/);
    expect(two.policy.digest).toBe(one.policy.digest);
    expect(three.policy.digest).not.toBe(one.policy.digest);
  });
});
