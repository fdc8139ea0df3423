import { describe, expect, test } from 'vitest';
import { parseRoles } from '../../identity/claims.ts';
import { bearerPrincipal } from '../../identity/principal.ts';
import { withRolesOf } from '../../identity/relying-party/granted.ts';

describe('a claim that lists roles (RFC 9068 section 2.2.3.1)', () => {
  test.each<[string, unknown, readonly string[] | undefined]>([
    ['is not there', undefined, []],
    ['lists none', [], []],
    ['lists texts', ['nurse', 'clerk'], ['nurse', 'clerk']],
    ['lists one twice', ['nurse', 'nurse'], ['nurse']],
    ['lists what SCIM does (RFC 7643 section 4.1.2)', [{ value: 'nurse', primary: true }], ['nurse']],
    ['is one text', 'nurse', ['nurse']],
    ['is an empty text', '', undefined],
    ['is a number', 7, undefined],
    ['is an object', { nurse: true }, undefined],
    ['is null', null, undefined],
    ['lists a number', ['nurse', 7], undefined],
    ['lists an object without value', [{ display: 'nurse' }], undefined],
    ['inherits its value', [Object.create({ value: 'nurse' })], undefined],
    ['lists a text with a control character', ['nurse\n'], undefined],
    ['lists a text that is too long', ['x'.repeat(256)], undefined],
    ['lists too many', Array.from({ length: 257 }, (_, i) => `r${i}`), undefined],
  ])('that %s', (_, claim, expected) => {
    const roles = parseRoles(claim);
    expect(roles === undefined ? undefined : [...roles]).toEqual(expected);
  });
});

test('roles of a principal cannot be added to', () => {
  const principal = bearerPrincipal({
    credential: 'token',
    constraint: 'none',
    tenant: 'north' as never,
    issuer: 'https://sso.example',
    subject: 's',
    clientId: 'c',
    scopes: new Set(),
    roles: new Set(['nurse']),
    patient: undefined,
    expiresAt: 1,
  });
  expect([...(principal.roles ?? [])]).toEqual(['nurse']);
  expect(() => (principal.roles as Set<string>).add('physician')).toThrow(TypeError);
});

describe('roles of whoever signs in at a browser', () => {
  const granted = { scopes: ['emr'], roles: ['of-the-token'], patient: undefined };
  test('come from the claim that the settings name', () => {
    const claims = { groups: ['nurse'], roles: ['physician'] };
    expect(withRolesOf(claims as never, 'groups', granted)).toMatchObject({ roles: ['nurse'] });
    expect(withRolesOf({} as never, 'groups', granted)).toMatchObject({ roles: [] });
  });
  test('are those of the access token where the settings name none', () => {
    expect(withRolesOf({ roles: ['physician'] } as never, undefined, granted)).toMatchObject({
      roles: ['of-the-token'],
    });
  });
  test('are not guessed: a claim of another form signs nobody in', () => {
    expect(withRolesOf({ groups: 7 } as never, 'groups', granted)).toMatchObject({ reason: 'refused' });
  });
});
