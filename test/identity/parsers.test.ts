import fc from 'fast-check';
import { afterAll, describe, expect, test } from 'vitest';
import { systemClock } from '../../contracts/clock.ts';
import { REASONS } from '../../contracts/reasons.ts';
import { parseCredential } from '../../identity/bearer.ts';
import { checkClaims, parseScope } from '../../identity/claims.ts';
import { parseCompactToken } from '../../identity/compact-token.ts';
import { createAuthenticator } from '../../identity/index.ts';
import { judgeIntrospection } from '../../identity/introspection.ts';
import { decodeBase64url, parseJsonObject } from '../../identity/json.ts';
import { importKeySet } from '../../identity/key-set.ts';
import { hashOf } from '../../identity/lengths.ts';
import { AUDIENCE_A, asking, tenant } from './support/clinic.ts';

const bytes = (text: string) => Buffer.from(text);
const jsonObject = fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 3 }), { maxKeys: 6 });
const b64Json = fc.jsonValue().map((value) => bytes(JSON.stringify(value)).toString('base64url'));

describe('JSON objects', () => {
  test('are read as they were written', () => {
    fc.assert(
      fc.property(jsonObject, fc.constantFrom(0, 2), (value, indent) => {
        const text = JSON.stringify(value, null, indent);
        expect(JSON.stringify(parseJsonObject(bytes(text)))).toBe(JSON.stringify(JSON.parse(text)));
      }),
    );
  });

  test('are refused when any object in them names a member twice', () => {
    fc.assert(
      fc.property(fc.string(), fc.jsonValue(), fc.jsonValue(), jsonObject, (name, first, second, around) => {
        const [key, a, b] = [name, first, second].map((part) => JSON.stringify(part));
        const twice = `{${key}:${a}, ${key} : ${b}}`;
        expect(parseJsonObject(bytes(twice))).toBeUndefined();
        const outer = JSON.stringify({ ...around, inner: [0] }).replace('"inner":[0]', `"inner":[${twice}]`);
        expect(parseJsonObject(bytes(outer))).toBeUndefined();
      }),
    );
  });

  test('are the only thing that is read, and nothing throws', () => {
    fc.assert(
      fc.property(fc.uint8Array(), (any) => {
        const value = parseJsonObject(any);
        expect(value === undefined || typeof value === 'object').toBe(true);
      }),
    );
  });
});

describe('base64url', () => {
  test('round-trips, and has one text for the same bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1 }), (any) => {
        expect(decodeBase64url(Buffer.from(any).toString('base64url'))).toEqual(Buffer.from(any));
      }),
    );
    const letters = fc.string({ unit: fc.constantFrom(...'AQgw-_/+= \n'), maxLength: 8 });
    fc.assert(
      fc.property(letters, (text) => {
        const decoded = decodeBase64url(text);
        expect(decoded === undefined || decoded.toString('base64url') === text).toBe(true);
      }),
    );
  });
});

describe('a bearer credential', () => {
  test('is exactly what the header says, or it is refused', () => {
    const near = fc
      .tuple(
        fc.constantFrom('Bearer', 'bearer', 'Basic', 'DPoP', ''),
        fc.constantFrom(' ', '  ', '\t', ''),
        fc.string(),
      )
      .map((parts) => parts.join(''));
    fc.assert(
      fc.property(fc.oneof(fc.string(), near), (text) => {
        const parsed = parseCredential(text);
        if (parsed.ok) expect(text.slice(parsed.scheme.length + 1)).toBe(parsed.token);
        if (parsed.ok) expect(parsed.token).toMatch(/^[A-Za-z0-9._~+/-]+=*$/);
      }),
    );
  });
});

describe('a scope claim', () => {
  test('gives the scopes that were joined, whatever they are made of', () => {
    const scope = fc.stringMatching(/^[\x21\x23-\x5b\x5d-\x7e]{1,20}$/);
    fc.assert(
      fc.property(fc.array(scope, { minLength: 1, maxLength: 20 }), (scopes) => {
        expect(parseScope(scopes.join(' '))).toEqual(new Set(scopes));
      }),
    );
    fc.assert(fc.property(fc.jsonValue(), (any) => void parseScope(any)));
  });
});

describe('no input makes a parser throw', () => {
  test('tokens of any segments', () => {
    const segment = fc.oneof(b64Json, fc.string(), fc.base64String());
    fc.assert(
      fc.property(fc.array(segment, { maxLength: 6 }), (segments) => {
        const parsed = parseCompactToken(segments.join('.'));
        if ('reason' in parsed) expect(REASONS).toContain(parsed.reason);
      }),
    );
  });

  const now = 1_800_000_000;
  const good = {
    iss: 'https://issuer.localhost',
    aud: AUDIENCE_A,
    sub: 'person-7',
    client_id: 'portal',
    jti: 'j',
    iat: now - 1,
    exp: now + 60,
  };
  const expected = { issuer: good.iss, audience: AUDIENCE_A, now, skewSeconds: 5 };

  test('the very second of the expiry is too late, and another issuer is another issuer', () => {
    expect(checkClaims(good, { ...expected, now: good.exp - 0.001 })).not.toHaveProperty('reason');
    expect(checkClaims(good, { ...expected, now: good.exp })).toMatchObject({ reason: 'token-expired' });
    expect(checkClaims({ ...good, iss: `${good.iss}/` }, expected)).toMatchObject({ reason: 'token-issuer' });
  });

  test('claims of any kind; what is accepted has the right types', () => {
    expect(checkClaims(good, expected)).not.toHaveProperty('reason');
    const names = fc.constantFrom(
      'iss',
      'aud',
      'sub',
      'client_id',
      'jti',
      'iat',
      'exp',
      'nbf',
      'scope',
      'patient',
      'cnf',
    );
    fc.assert(
      fc.property(fc.dictionary(names, fc.jsonValue(), { maxKeys: 3 }), (changes) => {
        const checked = checkClaims({ ...good, ...changes }, expected);
        if ('reason' in checked) return;
        expect(typeof checked.subject).toBe('string');
        expect(typeof checked.clientId).toBe('string');
        expect(checked.expiresAt).toBeGreaterThan(now);
        expect(['string', 'undefined']).toContain(typeof checked.patient);
      }),
      { numRuns: 500 },
    );
  });

  test('introspection answers of any kind; none but an active one passes', () => {
    fc.assert(
      fc.property(jsonObject, fc.jsonValue(), (answer, active) => {
        const judged = judgeIntrospection(
          { ...good, ...answer, active },
          { ...expected, tenant: tenant('clinic-a'), verified: undefined },
        );
        expect('reason' in judged || active === true).toBe(true);
      }),
    );
  });

  test('key sets of any kind', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.oneof(fc.jsonValue(), jsonObject)), async (listed) => {
        const keys = listed.map((value, index) =>
          typeof value === 'object' && value !== null && !Array.isArray(value)
            ? { kty: 'EC', crv: 'P-256', kid: `${index}`, ...value }
            : value,
        );
        expect((await importKeySet({ keys }, new Set(['ES256', 'EdDSA'] as const))).size).toBe(0);
      }),
    );
  });
});

describe('a key over several strings', () => {
  test('is another one for every other way to cut them', () => {
    const lists = fc.array(fc.string({ unit: fc.constantFrom('a', '1', ':', '2'), maxLength: 4 }), {
      maxLength: 4,
    });
    fc.assert(
      fc.property(lists, lists, (one, other) => {
        expect(hashOf(...one) === hashOf(...other)).toBe(JSON.stringify(one) === JSON.stringify(other));
      }),
      { numRuns: 1000 },
    );
  });
});

describe('authentication', () => {
  const authenticator = createAuthenticator({
    issuers: [
      {
        id: 'main',
        issuer: 'https://issuer.localhost',
        authority: undefined,
        algorithms: ['ES256'],
        skewSeconds: 5,
        cache: { maxTokens: 10, maxSeconds: 10 },
        introspection: undefined,
      },
    ],
    clock: systemClock,
  });
  afterAll(() => authenticator.close());

  test('refuses any value with a known reason and never throws', async () => {
    const tokens = fc.array(fc.oneof(b64Json, fc.base64String()), { minLength: 1, maxLength: 4 });
    const value = fc.oneof(
      fc.string(),
      tokens.map((parts) => `Bearer ${parts.join('.')}`),
    );
    await fc.assert(
      fc.asyncProperty(value, async (authorization) => {
        const result = await authenticator.authenticate(asking(authorization));
        expect(result.ok ? 'accepted' : REASONS.includes(result.reason) && result.reason !== 'internal').toBe(
          true,
        );
      }),
    );
  });
});
