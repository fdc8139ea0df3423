import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isControlling, readHeaders } from '../../gateway/canonical/headers.ts';
import { canonicalMediaType } from '../../gateway/canonical/media-type.ts';
import { canonicalPath, readPath } from '../../gateway/canonical/path.ts';
import { canonicalQuery } from '../../gateway/canonical/query.ts';
import { isAmbiguousQuery } from '../../gateway/canonical/query-rules.ts';
import { compilePolicy } from '../../policies/index.ts';

describe('a spelling that a route may allow', () => {
  it.each([
    ['/files/a%2Fb', 'encoded-slash', ['files', 'a/b'], '/files/a%2Fb'],
    ['/files/a%2fb', 'encoded-slash', ['files', 'a/b'], '/files/a%2Fb'],
    ['/files/a%5Cb', 'encoded-backslash', ['files', 'a\\b'], '/files/a%5Cb'],
    ['/files/100%25', 'encoded-percent', ['files', '100%'], '/files/100%25'],
    ['/files/a%3Fb', 'encoded-delimiter', ['files', 'a?b'], '/files/a%3Fb'],
    ['/files/a%23b', 'encoded-delimiter', ['files', 'a#b'], '/files/a%23b'],
    ['/files/a;jsessionid=1', 'semicolon', ['files', 'a;jsessionid=1'], '/files/a;jsessionid=1'],
    ['/files/a%3Bb', 'encoded-semicolon', ['files', 'a;b'], '/files/a%3Bb'],
    ['/files//a', 'empty-segment', ['files', '', 'a'], '/files//a'],
    ['/files/a.', 'trailing-dot', ['files', 'a.'], '/files/a.'],
    ['/files/a%C2%A0b', 'unusual-space', ['files', 'a\u00a0b'], '/files/a%C2%A0b'],
    ['/files/a%20', 'unusual-space', ['files', 'a '], '/files/a%20'],
  ])('%j is read with "%s", and refused where nobody allows it', (raw, oddity, segments, text) => {
    const path = readPath(raw);
    expect([...(path?.odd ?? [])]).toEqual([oddity]);
    expect([path?.segments, path?.text]).toEqual([segments, text]);
    expect(canonicalPath(raw)).toBeUndefined();
  });

  it.each([
    ['//files/a', 'a host to some'],
    ['/files/..%2Fadmin', 'a dot segment for whoever decodes first'],
    ['/files/a%2F..%2Fadmin', 'the same in the middle'],
    ['/files/%2F', 'an empty piece'],
    ['/files/a%2F%2Fb', 'the same'],
    ['/files/..%5Cadmin', 'a dot segment on Windows'],
    ['/files/%2E%2E;x', 'a dot segment once parameters are cut off'],
    ['/files/..;/admin', 'the same'],
    ['/files/;x', 'an empty segment once parameters are cut off'],
    ['/files/a;..', 'dots as a parameter'],
    ['/files/%252e', 'an escape after decoding once'],
    ['/files/%25%32%65', 'the same, piece by piece'],
    ['/files/%25u002e', 'an escape that only some know'],
    ['/files/...', 'dots alone'],
    ['/files/.%20', 'a dot segment for whoever trims'],
    ['/files/%20', 'white space alone'],
    ['/files/a;b%3Bc', 'both semicolons: one of them would be changed'],
    ['/files/a%00', 'NUL'],
    ['/files/a%E2%80%8Bb', 'a character that nobody sees'],
    ['/files/a%E2%80%AEb', 'a character that turns the text round'],
    ['/files/%C0%AF', 'overlong'],
  ])('%j is never read: %s', (raw) => {
    expect(readPath(raw)).toBeUndefined();
  });

  it('is a fixed point, oddities included, and never hides a dot segment', () => {
    const pieces = [
      '/',
      '//',
      '.',
      '..',
      'a',
      '%2f',
      '%5C',
      ';',
      '%3b',
      '%25',
      '%20',
      '%C2%A0',
      '%3F',
      'Patient',
      '%41',
    ];
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...pieces), { maxLength: 9 }), (parts) => {
        const path = readPath(`/${parts.join('')}`);
        if (path === undefined) return;
        const again = readPath(path.text);
        expect(again?.text).toBe(path.text);
        expect(again?.segments).toEqual(path.segments);
        expect(new Set(again?.odd)).toEqual(new Set(path.odd));
        for (const segment of path.segments)
          for (const piece of segment.split(/[/\\;?#]/)) expect(piece.trim()).not.toMatch(/^\.+$/);
      }),
      { numRuns: 5000 },
    );
  });
});

describe('a route', () => {
  const route = (more: object) => ({
    id: 'files',
    methods: ['GET'],
    path: '/files/{name}',
    scopes: ['files'],
    ...more,
  });
  const compiled = (more: object) =>
    compilePolicy('p', { file: 'p.yaml', routes: [route(more)] }, { hideDeadlineMs: 100 });
  function matches(more: object, raw: string): boolean {
    const result = compiled(more);
    const path = readPath(raw);
    if (!result.ok || path === undefined) throw new Error('not to be compared');
    return result.policy.match({ method: 'GET', path, upgrade: undefined }) !== undefined;
  }

  it('takes only the spellings that it allows, each by itself', () => {
    expect(matches({}, '/files/a%2Fb')).toBe(false);
    expect(matches({ allow: ['semicolon'] }, '/files/a%2Fb')).toBe(false);
    expect(matches({ allow: ['encoded-slash'] }, '/files/a%2Fb')).toBe(true);
    expect(matches({ allow: ['encoded-slash'] }, '/files/a%2Fb.')).toBe(false);
    expect(matches({ allow: ['encoded-slash', 'trailing-dot'] }, '/files/a%2Fb.')).toBe(true);
  });

  it.each([
    [{ allow: ['dot-segments'] }, '/routes/0/allow/0'],
    [{ allow: ['semicolon', 'semicolon'] }, '/routes/0/allow/1'],
    [{ path: '/files', allow: ['semicolon'] }, '/routes/0/allow'],
    [{ allow: ['semicolon', 'encoded-semicolon'] }, '/routes/0/allow'],
  ])('with %j is refused', (more, pointer) => {
    const result = compiled(more);
    expect(result.ok ? [] : result.faults.map((fault) => fault.pointer)).toEqual([pointer]);
  });

  function ambiguous(query: string, more: object): boolean {
    const result = compiled(more);
    const parameters = canonicalQuery(query)?.parameters;
    if (!result.ok || parameters === undefined || result.policy.routes[0] === undefined)
      throw new Error(query);
    return isAmbiguousQuery(parameters, result.policy.routes[0]);
  }
  const FHIR = { path: '/fhir/{id}', smart: { contexts: ['user'], resource: 'Patient', permission: 'r' } };

  it.each([
    ['a=1&b=2', {}, false, 'plain'],
    ['a=1&a=2', {}, true, 'twice: the first, the last, or both'],
    ['a=1&a=2', { query: { duplicates: 'allow' } }, false, 'allowed'],
    ['date=ge2020&date=le2021', FHIR, false, 'FHIR: both must hold'],
    ['date=1&date=2', { ...FHIR, query: { duplicates: 'refuse' } }, true, 'refused by the route'],
    ['a[]=1', {}, true, 'a list to PHP'],
    ['a[x]=1', FHIR, true, 'a list to PHP, on any route'],
    ['a%5B%5D=1&a%5B%5D=2', { query: { brackets: 'allow' } }, false, 'a list, allowed'],
    ['a[x]=1&a[y]=2', { query: { brackets: 'allow' } }, false, 'an indexed list, allowed'],
    [
      'a=1&a[]=2',
      { query: { brackets: 'allow' } },
      true,
      'a value and a list of one name: the later one wins',
    ],
    ['a[x]=1&a[x]=2', { query: { brackets: 'allow' } }, true, 'one place of a list twice'],
    ['patient=1&%20patient=2', FHIR, true, 'PHP drops the space'],
    ['%20patient=2', FHIR, true, 'the same alone'],
    ['a.b=1&a_b=2', {}, true, 'one name to PHP'],
    ['a+b=1&a_b=2', {}, true, 'one name to PHP'],
    ['id=1&ID=2', {}, true, 'one name to ASP.NET'],
    ['a[b=1&a_b=2', { query: { brackets: 'allow' } }, true, 'one name to PHP, as nothing closes the bracket'],
    ['a[b=1&a=2', { query: { brackets: 'allow' } }, true, 'one name to Rack'],
    ['a[b=1&a[]=2', { query: { brackets: 'allow' } }, true, 'one list to Rack'],
    ['a[b]=1&a_b=2', { query: { brackets: 'allow' } }, false, 'a list and another name'],
    ['subject.name=1&code=2', FHIR, false, 'a chained search'],
    ['name:exact=1&name=2', FHIR, false, 'two searches'],
  ])('%j with %j: ambiguous %s (%s)', (query, more, expected, _why) => {
    expect(ambiguous(query, more)).toBe(expected);
  });
});

describe('a media type', () => {
  it.each([
    ['application/fhir+json', 'application/fhir+json', 'application/fhir+json'],
    ['Application/FHIR+JSON', 'application/fhir+json', 'application/fhir+json'],
    ['application/json ; charset=utf-8', 'application/json', 'application/json; charset=utf-8'],
    ['application/json\t;\tCharset="utf-8"', 'application/json', 'application/json; charset=utf-8'],
    ['multipart/form-data; boundary="a b"', 'multipart/form-data', 'multipart/form-data; boundary="a b"'],
    ['text/plain;', 'text/plain', 'text/plain'],
  ])('%j has the one form %j', (raw, essence, text) => {
    expect(canonicalMediaType(raw)).toEqual({ essence, text });
  });

  it.each([
    ['application/json\tx', 'a tab and more (CVE-2026-25223)'],
    ['application/json, text/plain', 'two of them'],
    ['application/json x', 'more after a space (CVE-2025-32442)'],
    ['application/json;charset=utf-8;charset=utf-7', 'a parameter twice'],
    ['multipart/form-data; boundary=a; boundary=b', 'two boundaries'],
    ['multipart/form-data; boundary="a\\"b"', 'an escape'],
    ['multipart/form-data; boundary="a', 'an open quotation'],
    ['application', 'no subtype'],
    ['/json', 'no type'],
    ['', 'nothing'],
    ['application/json; a', 'a parameter without a value'],
    [`text/plain; a=${'x'.repeat(600)}`, 'far too long'],
  ])('%j is refused: %s', (raw) => {
    expect(canonicalMediaType(raw)).toBeUndefined();
  });

  it('in its form is its own form', () => {
    const parts = ['text', '/', 'plain', ';', ' ', '\t', 'a', '=', '"', 'b', ',', '\\'];
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...parts), { maxLength: 14 }), (letters) => {
        const once = canonicalMediaType(letters.join(''));
        if (once !== undefined) expect(canonicalMediaType(once.text)).toEqual(once);
      }),
      { numRuns: 3000 },
    );
  });
});

describe('fields that clients have no business sending', () => {
  it('are taken away and kept apart for inspection, names and values', () => {
    const read = readHeaders([
      'X-Forwarded-For',
      '1',
      'X_Filename',
      'a.php',
      'Accept',
      '*/*',
      'TE',
      'trailers',
    ]);
    if (typeof read === 'string') throw new Error(read);
    expect([...read.headers.keys()]).toEqual(['accept']);
    expect(read.dropped).toEqual([
      ['x-forwarded-for', '1'],
      ['x_filename', 'a.php'],
    ]);
  });

  it.each([['close; x'], ['(close)'], ['close,\u00e9'], ['transfer-encoding'], ['dpop'], ['Content-Length']])(
    'Connection: %s is refused',
    (value) => {
      expect(readHeaders(['Connection', value])).toBe('header-ambiguous');
    },
  );

  it.each([
    ['Content-Length', true],
    ['transfer-encoding', true],
    ['Authorization', true],
    ['Host', true],
    ['X-Forwarded-User', true],
    ['Cookie', true],
    ['Sec-Fetch-Site', true],
    ['x_y', true],
    ['X-Checksum', false],
    ['Digest', false],
  ])('a trailer %s controls something: %s', (name, controlling) => {
    expect(isControlling(name)).toBe(controlling);
  });
});
