import { describe, expect, it } from 'vitest';
import { rewriteCookie, rewriteUrl } from '../../gateway/answer/rewrite.ts';

const BACKEND = 'http://127.0.0.1:9001';
const HOST = 'north.example';

describe('a Location of the EMR', () => {
  it.each([
    ['/login', '/login', 'a path stays'],
    ['login?x=1#y', 'login?x=1#y', 'a relative one stays'],
    ['http://127.0.0.1:9001/a?b#c', '/a?b#c', 'the back end by its address'],
    ['http://127.0.0.1/a', '/a', 'loopback without its port'],
    ['http://LOCALHOST:80/a', '/a', 'loopback by name'],
    ['http://[::1]:9001/a', '/a', 'loopback of IPv6'],
    ['http://north.example/a', '/a', 'the tenant over plain HTTP'],
    ['https://NORTH.example:443/a', '/a', 'the tenant with its port'],
    ['//north.example/a', '/a', 'without a scheme'],
    ['https://elsewhere.example/a', 'https://elsewhere.example/a', 'another site stays'],
    [
      'https://north.example.evil.example/a',
      'https://north.example.evil.example/a',
      'a name that begins alike',
    ],
    ['https://north.example@evil.example/', 'https://north.example@evil.example/', 'a name that is a user'],
    ['http://[', '/', 'no URL at all'],
    ['http://127.0.0.1:9001//evil.example/', '/evil.example/', 'a path that would be another site'],
    ['http://127.0.0.1:9001/\\evil.example', '/evil.example', 'the same with a backslash'],
    ['http://127.0.0.1:9001/a\u00c3\u00bc', '/a%C3%BC', 'UTF-8 that nobody escaped'],
    ['http://127.0.0.1:9001/a\u00fc', '/a%C3%BC', 'Latin-1 that nobody escaped'],
    ['/a\u00c3\u00bc', '/a\u00c3\u00bc', 'unescaped bytes of a path stay'],
  ])('%s becomes %s: %s', (value, expected) => {
    expect(rewriteUrl(value, BACKEND, HOST)).toBe(expected);
  });
});

describe('a cookie of the EMR', () => {
  it.each([
    ['a=1', 'a=1; Secure', 'gets Secure'],
    ['a=1; Secure; HttpOnly', 'a=1; Secure; HttpOnly', 'keeps it'],
    ['a=1; domain = .emr.local ; Path=/', 'a=1; Path=/; Secure', 'loses its domain, however spelt'],
    ['a=1;DOMAIN=x;;', 'a=1; Secure', 'and what is empty'],
    ['a="x=y, z"; Path=/', 'a="x=y, z"; Path=/; Secure', 'keeps its value'],
  ])('%s becomes %s: %s', (value, expected) => {
    expect(rewriteCookie(value)).toBe(expected);
  });
});
