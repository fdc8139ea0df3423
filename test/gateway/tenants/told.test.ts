import { describe, expect, test } from 'vitest';
import type { TellBackendSettings } from '../../../contracts/settings.ts';
import { clientCookie, clientUrl } from '../../../gateway/answer/untell.ts';
import { meddles, withoutTold } from '../../../gateway/transport/outgoing-target.ts';
import { publicUrl } from '../../../policies/fhir/answer.ts';
import { resolveReference } from '../../../policies/fhir/references.ts';

const PREFIX: TellBackendSettings = { pathPrefix: '/c/birch' };
const QUERY: TellBackendSettings = { query: { name: 'site', value: 'birch' } };
const url = (value: string, told: TellBackendSettings): string =>
  clientUrl(value, 'http://127.0.0.1:9001', 'birch.example', told);

describe('a Location of an EMR that is told the tenant', () => {
  test.each([
    ['/c/birch/charts/1', '/charts/1', 'below its prefix'],
    ['/c/birch', '/', 'its prefix itself'],
    ['/c/birch/', '/', 'with a slash'],
    ['http://127.0.0.1:9001/c/birch/charts?x=1#y', '/charts?x=1#y', 'by the address of the back end'],
    ['https://birch.example/c/birch/a', '/a', 'by the tenant’s own'],
    ['/c/birchwood/charts', '/', 'a prefix that only begins alike'],
    ['/c/cedar/charts', '/', 'another tenant’s'],
    ['/login', '/', 'outside of all'],
    ['/c/birch//evil.example/', '/evil.example/', 'what would be another site'],
    ['/c/birch/\\evil.example', '/evil.example', 'the same with a backslash'],
    ['charts/1', 'charts/1', 'relative'],
    ['?page=2', '?page=2', 'a query alone'],
    ['https://elsewhere.example/c/birch/a', 'https://elsewhere.example/c/birch/a', 'another site'],
  ])('%s becomes %s: %s', (value, expected) => {
    expect(url(value, PREFIX)).toBe(expected);
  });

  test.each([
    ['/charts?site=birch', '/charts'],
    ['/charts?a=1&site=birch&b=2#c', '/charts?a=1&b=2#c'],
    ['charts?site', 'charts'],
    ['/charts?sites=2', '/charts?sites=2'],
  ])('%s becomes %s', (value, expected) => {
    expect(url(value, QUERY)).toBe(expected);
  });
});

test.each([
  ['A=1; Path=/c/birch', 'A=1; Path=/; Secure'],
  ['A=1; path=/c/birch/x; HttpOnly', 'A=1; path=/x; HttpOnly; Secure'],
  ['A=1; Path=/', 'A=1; Path=/; Secure'],
  ['A=path=/c/birch; Path=/c/birch/', 'A=path=/c/birch; Path=/; Secure'],
])('a cookie %s becomes %s', (cookie, expected) => {
  expect(clientCookie(cookie, PREFIX)).toBe(expected);
});

describe('the parameter that tells the tenant', () => {
  test.each(['site', 'SITE', 'Site', 'site[]', 'site[x]', ' site'])(
    'is meant by %j to some server',
    (name) => {
      expect(meddles(['a', name], QUERY)).toBe(true);
    },
  );
  test.each(['sites', 'my_site', 'siteid', ''])('is not meant by %j', (name) => {
    expect(meddles([name], QUERY)).toBe(false);
  });
  test('is taken out of cookies, and nothing else is', () => {
    expect(withoutTold('site=1; a=site; Site=2;b=3', QUERY)).toBe('a=site;b=3');
    expect(withoutTold('site=1', QUERY)).toBeUndefined();
    expect(withoutTold('site=1', PREFIX)).toBe('site=1');
  });
});

describe('a URL in a FHIR answer of an EMR that is told the tenant', () => {
  const base = {
    authority: 'birch.example',
    base: '/fhir',
    origin: 'http://127.0.0.1:9001',
    told: { prefix: '/c/birch', parameter: 'site' },
  };
  test.each([
    ['http://127.0.0.1:9001/c/birch/fhir/Patient?page=2', 'https://birch.example/fhir/Patient?page=2'],
    ['https://birch.example/c/birch/fhir/Patient/1', 'https://birch.example/fhir/Patient/1'],
    ['Patient?_count=2&site=birch', 'https://birch.example/fhir/Patient?_count=2'],
    ['http://127.0.0.1:9001/c/cedar/fhir/Patient/1', undefined],
  ])('%s becomes %s', (value, expected) => {
    expect(publicUrl(value, base)).toBe(expected);
  });

  test('names a record as it would without', () => {
    const { told: _none, ...plain } = base;
    const reference = 'http://127.0.0.1:9001/c/birch/fhir/Patient/1';
    expect(resolveReference(reference, base)).toEqual({ type: 'Patient', id: '1' });
    expect(resolveReference(reference, plain)).toBeUndefined();
  });
});
