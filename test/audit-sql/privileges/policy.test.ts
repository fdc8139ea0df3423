import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  completePolicy,
  DEFAULT_POLICY,
  defaultPolicy,
  parsePolicy,
  READ_RESIDUES,
} from '../../../audit-sql/privileges/index.ts';
import { matcher } from '../../../audit-sql/privileges/policy/glob.ts';
import { ConfigurationError, type Fault } from '../../../contracts/errors.ts';

const parse = (text: string) => parsePolicy(Buffer.from(text), 'policy.yaml');

function faultsOf(text: string): readonly Fault[] {
  try {
    parse(text);
  } catch (error) {
    if (error instanceof ConfigurationError) return error.faults;
    throw error;
  }
  return [];
}

const ROLES = (...lines: string[]): string => ['version: 1', 'roles:', ...lines].join('\n');
const ROLE = (...lines: string[]): string => ROLES('  - name: web', '    prefix: web_', ...lines);

/** A broken policy, where the fault is, and what is said. */
const FAULTS: readonly (readonly [string, string, string, RegExp])[] = [
  ['nothing', '', ':0', /empty/],
  ['not YAML', 'roles: [', ':1', /./],
  ['two documents', 'version: 1\n---\nversion: 1', ':2', /document/i],
  ['a list', '- 1', ':1', /must be a mapping/],
  ['no version', 'roles: [{name: a, prefix: web_, guard: true}]', ':1', /"version" is missing/],
  ['another version', 'version: 2\nroles: [{name: a, prefix: web_, guard: true}]', ':1 version', /must be 1/],
  ['no roles', 'version: 1', ':1', /"roles" is missing/],
  ['an empty list of roles', 'version: 1\nroles: []', ':2 roles', /empty/],
  [
    'an unknown key above',
    'version: 1\nrolls: []\nroles: [{name: a, prefix: web_, guard: true}]',
    ':2 rolls',
    /unknown key/,
  ],
  [
    'an unknown key of a role',
    ROLE('    guard: true', '    tabels: []'),
    ':6 roles[0].tabels',
    /unknown key; known here: name/,
  ],
  [
    'an unknown key of a rule',
    ROLE("    tables: [{tables: ['*'], select: true, truncate: true}]"),
    ':5 roles[0].tables[0].truncate',
    /unknown key/,
  ],
  ['a key twice', ROLE('    guard: true', '    guard: false'), ':6', /unique/i],
  ['an anchor', ROLE('    guard: &a true'), ':5', /anchors/],
  ['a role without a name', ROLES('  - prefix: web_', '    guard: true'), ':3 roles[0]', /"name" is missing/],
  [
    'a role that nobody can have',
    ROLES('  - name: web', '    guard: true'),
    ':3 roles[0]',
    /nobody can have/,
  ],
  ['a role that grants nothing', ROLE(), ':3 roles[0]', /grants nothing/],
  [
    'a rule that grants nothing',
    ROLE("    tables: [{tables: ['*']}]"),
    ':5 roles[0].tables[0]',
    /grants nothing/,
  ],
  [
    'a rule about nothing',
    ROLE('    tables: [{select: true}]'),
    ':5 roles[0].tables[0]',
    /"tables" or "views"/,
  ],
  [
    'a prefix that takes everybody',
    ROLES('  - name: web', "    prefix: ''", '    guard: true'),
    ':4 roles[0].prefix',
    /empty text/,
  ],
  [
    'a prefix that takes nearly everybody',
    ROLES('  - name: web', '    prefix: ab', '    guard: true'),
    ':4 roles[0].prefix',
    /at least 3/,
  ],
  [
    'a prefix that is a number',
    ROLES('  - name: web', '    prefix: 123', '    guard: true'),
    ':4 roles[0].prefix',
    /must be the beginning/,
  ],
  [
    'an account without a host',
    ROLES('  - name: web', '    accounts: [emr]', '    guard: true'),
    ':4 roles[0].accounts[0]',
    /no host/,
  ],
  [
    'an account without a name',
    ROLES('  - name: web', "    accounts: ['@localhost']", '    guard: true'),
    ':4 roles[0].accounts[0]',
    /user@host/,
  ],
  [
    'an account twice',
    ROLES('  - name: web', '    accounts: [a@b, a@B]', '    guard: true'),
    ':4 roles[0].accounts[1]',
    /twice/,
  ],
  [
    'patterns that only exclude',
    ROLE("    tables: [{tables: ['!a'], select: true}]"),
    ':5 roles[0].tables[0].tables',
    /not begin with "!"/,
  ],
  ['no pattern', ROLE('    tables: [{tables: [], select: true}]'), ':5 roles[0].tables[0].tables', /empty/],
  [
    'an empty pattern',
    ROLE("    tables: [{tables: ['a', '!'], select: true}]"),
    ':5 roles[0].tables[0].tables',
    /pattern is empty/,
  ],
  [
    'a lone backslash',
    ROLE("    tables: [{tables: ['a\\'], select: true}]"),
    ':5 roles[0].tables[0].tables',
    /backslash/,
  ],
  [
    'a text for a list',
    ROLE('    tables: [{tables: patient, select: true}]'),
    ':5 roles[0].tables[0].tables',
    /must be a list/,
  ],
  [
    'a text for yes or no',
    ROLE("    tables: [{tables: ['a'], select: some}]"),
    ':5 roles[0].tables[0].select',
    /true, false, or a list/,
  ],
  [
    'columns of DELETE',
    ROLE("    tables: [{tables: ['a'], delete: [b]}]"),
    ':5 roles[0].tables[0].delete',
    /true or false/,
  ],
  [
    'a privilege that no role gets',
    ROLE('    schema: [select, drop]'),
    ':5 roles[0].schema[1]',
    /one of select/,
  ],
  [
    'execute: true, which could mean all',
    ROLE('    execute: true'),
    ':5 roles[0].execute',
    /all, keep, none/,
  ],
  ['lockTables: maybe', ROLE('    lockTables: maybe'), ':5 roles[0].lockTables', /true, false or keep/],
  [
    'an unknown preset',
    ROLE('    preset: pharmasist'),
    ':5 roles[0].preset',
    /unknown preset; there are clinic-facility/,
  ],
  [
    'a preset with something beside it',
    ROLE('    preset: pharmacist', '    execute: all'),
    ':6 roles[0].execute',
    /beside "preset"/,
  ],
  [
    'two roles with one name',
    ROLES('  - {name: a, prefix: aaa_, guard: true}', '  - {name: a, prefix: bbb_, guard: true}'),
    ':4 roles[1]',
    /defined on line 3/,
  ],
  [
    'a prefix inside another',
    ROLES('  - {name: a, prefix: web_, guard: true}', '  - {name: b, prefix: web_x, guard: true}'),
    ':4 roles[1]',
    /also "web_" of the role "a" on line 3/,
  ],
  [
    'an account with two roles',
    ROLES('  - {name: a, accounts: [x@y], guard: true}', '  - {name: b, accounts: [x@y], guard: true}'),
    ':4 roles[1]',
    /has the role "a"/,
  ],
  [
    'an administrator with a role',
    ['version: 1', 'administrators: [x@y]', 'roles:', '  - {name: a, accounts: [x@y], guard: true}'].join(
      '\n',
    ),
    ':4 roles[0]',
    /under "administrators" too/,
  ],
  [
    'an administrator who is also accepted',
    [
      'version: 1',
      'administrators: [x@y]',
      'accepted: [x@y]',
      'roles:',
      '  - {name: a, prefix: web_, guard: true}',
    ].join('\n'),
    ':3 accepted',
    /under "administrators" too/,
  ],
];

describe('a privilege policy', () => {
  it.each(FAULTS)('with %s is refused, and it is said where', (_what, text, where, message) => {
    const faults = faultsOf(text);
    expect(faults.map((f) => `:${f.line}${f.path === '' ? '' : ` ${f.path}`}`)).toContain(where);
    expect(faults.map((f) => f.message).join('\n')).toMatch(message);
    expect(faults.every((f) => f.file === 'policy.yaml')).toBe(true);
  });

  it('has all its faults reported at once', () => {
    const faults = faultsOf(
      ROLES(
        '  - name: a',
        '    prefix: x',
        '    execute: true',
        '    bogus: 1',
        '  - prefix: web_',
        '    lockTables: 3',
      ),
    );
    expect(faults.map((f) => f.line)).toEqual([4, 5, 6, 7, 8]);
  });

  it('that is too large or not UTF-8 is refused', () => {
    expect(() => parsePolicy(Buffer.alloc(2_000_000, 0x20), 'p')).toThrow(/larger than/);
    expect(() => parsePolicy(Buffer.from([0x66, 0xff]), 'p')).toThrow(/UTF-8/);
  });

  it('may be JSON', () => {
    const policy = parse(
      JSON.stringify({
        version: 1,
        administrators: ['dba@10.0.0.%'],
        roles: [
          {
            name: 'web',
            prefix: ['web_', 'site_'],
            tables: [{ tables: ['a*'], select: ['x'], delete: true }],
          },
        ],
      }),
    );
    expect(policy.administrators).toEqual([{ user: 'dba', host: '10.0.0.%' }]);
    expect(policy.roles[0]).toMatchObject({
      prefixes: ['web_', 'site_'],
      tables: [{ tables: { patterns: ['a*'] }, columns: { SELECT: { patterns: ['x'] } }, delete: true }],
    });
  });

  it('takes a preset with another hook', () => {
    const [role] = parse(ROLE('    preset: pharmacist')).roles;
    const preset = defaultPolicy.roles.find((one) => one.name === 'pharmacist');
    expect(role).toEqual({ ...preset, name: 'web', prefixes: ['web_'] });
  });

  it('is frozen to its leaves', () => {
    const seen = (value: unknown): boolean =>
      typeof value !== 'object' ||
      value === null ||
      (Object.isFrozen(value) && Object.values(value).every(seen));
    expect(seen(parse(DEFAULT_POLICY.replace('    schema:', '    accounts: [e@h]\n    schema:')))).toBe(true);
    expect(seen(completePolicy(defaultPolicy, { emrAccounts: [{ user: 'a', host: 'b' }] }))).toBe(true);
  });

  it('never throws anything but its faults, whatever the bytes', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: 'binary' }), fc.json()), (text) => {
        expect(faultsOf(text).length).toBeGreaterThan(0);
      }),
    );
  });
});

describe('the built-in policy', () => {
  it('has the roles of a pharmacy, the portal, the EMR and the checker', () => {
    expect(defaultPolicy.roles.map((role) => [role.name, ...role.prefixes])).toEqual([
      ['clinic-facility', 'clinicFacility_'],
      ['pharmacy-clerk', 'pharmacyClerk_'],
      ['pharmacy-tech', 'pharmacyTech_'],
      ['pharmacist', 'pharmacist_'],
      ['portal', 'patientPortal_'],
      ['emr'],
      ['integrity-checker', 'chartgate_checker'],
    ]);
  });

  it('gives the web interface INSERT and nothing else', () => {
    expect(defaultPolicy.roles[0]).toMatchObject({
      tables: [{ columns: { INSERT: 'all' }, delete: false }],
      schema: [],
      execute: 'none',
      lockTables: 'no',
      temporaryTables: 'no',
      guard: false,
    });
    expect(Object.keys(defaultPolicy.roles[0]?.tables[0]?.columns ?? {})).toEqual(['INSERT']);
  });

  it('lets no role but the EMR delete', () => {
    for (const role of defaultPolicy.roles.filter((one) => one.name !== 'emr')) {
      expect(role.tables.some((rule) => rule.delete)).toBe(false);
      expect(role.schema).toEqual([]);
    }
  });
});

describe('docs/least-privilege.md', () => {
  const page = readFileSync(join(import.meta.dirname, '../../../docs/least-privilege.md'), 'utf8');

  it('has an example that is a policy', () => {
    const example = /```yaml\n([\s\S]*?)```/.exec(page)?.[1] ?? '';
    expect(parse(example).roles.map((role) => role.name)).toEqual([
      'web',
      'billing',
      'emr',
      'integrity-checker',
    ]);
  });

  it('lists every preset with its hook, and every residue', () => {
    for (const role of defaultPolicy.roles) {
      expect(page).toContain(
        `| \`${role.name}\` | ${role.prefixes.map((p) => `\`${p}\``).join(', ') || 'none'}`,
      );
    }
    for (const residue of READ_RESIDUES) expect(page).toContain(`| \`${residue.code}\`: `);
  });
});

describe('patterns', () => {
  it.each<[readonly string[], string, boolean]>([
    [['prescription*'], 'prescription', true],
    [['prescription*'], 'prescription_item', true],
    [['prescription*'], 'old_prescription', false],
    [['prescription*'], 'Prescription', false],
    [['*', '!*_secret'], 'user_secret', false],
    [['!*_secret', '*'], 'user_secret', false],
    [['a?c'], 'abc', true],
    [['a?c'], 'ac', false],
    [['a\\*c'], 'a*c', true],
    [['a\\*c'], 'abc', false],
    [['a.c'], 'abc', false],
    [['*'], 'a\nb', true],
    [['(a|b)'], 'a', false],
    [['a-b[c]'], 'a-b[c]', true],
    [['тест*'], 'тест1', true],
    [['?'], '😀', true],
  ])('%j means %s: %s', (patterns, name, meant) => {
    expect(matcher({ patterns })(name)).toBe(meant);
  });
});
