import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { scanImports } from '../../scripts/import-rules/scan.ts';
import { PART_RULES } from '../../scripts/import-rules/table.ts';
import { checkImports } from '../../scripts/import-rules.ts';

const ROOT = join(import.meta.dirname, '..', '..');
const scratch = mkdtempSync(join(tmpdir(), 'chartgate-imports-'));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

let trees = 0;
const MANIFEST = JSON.stringify({
  dependencies: { mysql2: '1', undici: '1', 'http-proxy': '1', jose: '1', '@scope/listed': '1' },
  devDependencies: { vitest: '1' },
});

/** Makes a tree of the given files and says what is wrong with it, as `file:line: rule`. */
function violationsOf(files: Readonly<Record<string, string>>): readonly string[] {
  const root = treeOf(files);
  return checkImports(root).map(({ file, line, rule }) => `${file}:${line}: ${rule}`);
}

function treeOf(files: Readonly<Record<string, string>>): string {
  const root = join(scratch, String(trees++));
  for (const [name, text] of Object.entries({ 'package.json': MANIFEST, ...files })) {
    mkdirSync(dirname(join(root, name)), { recursive: true });
    writeFileSync(join(root, name), text);
  }
  return root;
}

describe('the project', () => {
  test('keeps every rule', () => {
    expect(checkImports(ROOT)).toEqual([]);
  });

  test('is read completely: every import that stands on lines of its own is found', () => {
    for (const name of ['policies/compile.ts', 'tenant-router/router.ts', 'test/policies/decide.test.ts']) {
      const source = readFileSync(join(ROOT, name), 'utf8');
      const plain = [...source.matchAll(/^(?:import|export|\}).* from '([^']+)';$/gm)].map(
        (match) => match[1],
      );
      expect(plain.length).toBeGreaterThanOrEqual(3);
      expect(scanImports(source).imports.map((found) => found.specifier)).toEqual(plain);
    }
  });
});

const IMPORT = (specifier: string) => `import { x } from '${specifier}';\n`;

/** Each row: the importing file, what it imports, what is said. */
const FORBIDDEN: readonly (readonly [string, string, string])[] = [
  ['contracts/a.ts', '../config/index.ts', 'contracts must not import config'],
  ['contracts/a.ts', 'undici', 'contracts must not import the package undici'],
  ['contracts/a.ts', 'node:fs', 'contracts must not import node:fs'],
  ['contracts/a.ts', 'node:fs/promises', 'contracts must not import node:fs/promises'],
  ['config/a.ts', '../policies/index.ts', 'config must not import policies'],
  ['identity/a.ts', 'mysql2/promise', 'identity must not import the package mysql2'],
  ['identity/statement/a.ts', 'node:sqlite', 'identity must not import node:sqlite'],
  ['config/a.ts', '../tenant-router/index.ts', 'config must not import tenant-router'],
  ['policies/a.ts', 'node:http', 'policies must not import node:http'],
  ['policies/a.ts', 'node:net', 'policies must not import node:net'],
  ['policies/a.ts', 'node:fs', 'policies must not import node:fs'],
  ['policies/a.ts', 'mysql2/promise', 'policies must not import the package mysql2'],
  ['policies/a.ts', '../identity/claims.ts', 'policies must not import identity'],
  ['tenant-router/a.ts', '../policies/index.ts', 'tenant-router must not import policies'],
  ['tenant-router/a.ts', 'mysql2', 'tenant-router must not import the package mysql2'],
  ['tenant-router/a.ts', 'node:sqlite', 'tenant-router must not import node:sqlite'],
  ['identity/a.ts', '../gateway/index.ts', 'identity must not import gateway'],
  ['identity/a.ts', '../policies/index.ts', 'identity must not import policies'],
  ['identity/a.ts', '../tenant-router/index.ts', 'identity must not import tenant-router'],
  ['activity-log/a.ts', 'mysql2', 'activity-log must not import the package mysql2'],
  ['activity-log/a.ts', '../gateway/index.ts', 'activity-log must not import gateway'],
  ['inspection/a.ts', '../gateway/index.ts', 'inspection must not import gateway'],
  ['inspection/a.ts', '../policies/index.ts', 'inspection must not import policies'],
  ['inspection/a.ts', 'node:http', 'inspection must not import node:http'],
  ['inspection/a.ts', 'mysql2', 'inspection must not import the package mysql2'],
  ['telemetry/a.ts', '../gateway/pipeline/stage.ts', 'telemetry must not import gateway'],
  ['audit-sql/a.ts', '../gateway/index.ts', 'audit-sql must not import gateway'],
  ['audit-sql/a.ts', '../policies/index.ts', 'audit-sql must not import policies'],
  ['audit-sql/a.ts', 'node:https', 'audit-sql must not import node:https'],
  ['audit-sql/a.ts', 'undici', 'audit-sql must not import the package undici'],
  ['integrity-checker/a.ts', '../gateway/index.ts', 'integrity-checker must not import gateway'],
  ['integrity-checker/a.ts', '../policies/index.ts', 'integrity-checker must not import policies'],
  ['integrity-checker/a.ts', '../identity/index.ts', 'integrity-checker must not import identity'],
  ['integrity-checker/a.ts', '../tenant-router/index.ts', 'integrity-checker must not import tenant-router'],
  ['integrity-checker/a.ts', '../console/index.ts', 'integrity-checker must not import console'],
  ['integrity-checker/a.ts', 'node:http', 'integrity-checker must not import node:http'],
  ['integrity-checker/a.ts', 'http-proxy', 'integrity-checker must not import the package http-proxy'],
  [
    'integrity-checker/a.ts',
    '../audit-sql/writers/start.ts',
    'integrity-checker must not import audit-sql/writers',
  ],
  ['gateway/a.ts', '../integrity-checker/index.ts', 'gateway must not import integrity-checker'],
  ['gateway/a.ts', '../audit-sql/index.ts', 'gateway must not import audit-sql'],
  ['gateway/a.ts', 'mysql2/promise', 'gateway must not import the package mysql2'],
  ['gateway/a.ts', 'node:sqlite', 'gateway must not import node:sqlite'],
  ['console/a.ts', '../gateway/pipeline/stage.ts', 'console must not import gateway'],
  ['console/a.ts', 'mysql2', 'console must not import the package mysql2'],
  ['gateway/a.ts', '../cli/main.ts', 'gateway must not import cli'],
  ['gateway/a.ts', '../test/x.ts', 'gateway must not import test'],
  ['cli/a.ts', '../test/x.ts', 'cli must not import test'],
  ['scripts/a.ts', '../test/x.ts', 'scripts must not import test'],
  ['examples/a.ts', '../test/x.ts', 'examples must not import test'],
  ['measure/a.ts', '../test/x.ts', 'measure must not import test'],
  ['cli/a.ts', '../examples/x.ts', 'cli must not import examples'],
  ['gateway/a.ts', '../measure/x.ts', 'gateway must not import measure'],
  ['config/a.ts', '../scripts/x.ts', 'config must not import scripts'],
  ['gateway/a.ts', '../../elsewhere/x.ts', 'imports from outside the project'],
  ['gateway/a.ts', '/etc/x.ts', 'imports from outside the project'],
  ['gateway/a.ts', '../vitest.config.ts', 'gateway must not import vitest.config.ts'],
  ['identity/a.ts', 'vitest', 'the package vitest is not among the dependencies of package.json'],
  ['identity/a.ts', '@scope/other', 'the package @scope/other is not among the dependencies of package.json'],
  ['test/a.ts', 'left-pad', 'the package left-pad is not among the development dependencies of package.json'],
  ['gateway/a.ts', 'fs', 'writes node:fs without "node:"'],
  ['gateway/a.ts', 'fs/promises', 'writes node:fs/promises without "node:"'],
  ['identity/a.ts', '\\x2e\\u002e/gateway/index.ts', 'identity must not import gateway'],
];

describe('each rule finds what is planted against it', () => {
  test.each(FORBIDDEN)('%s imports %s', (file, specifier, rule) => {
    expect(violationsOf({ [file]: `\n${IMPORT(specifier)}` })).toEqual([`${file}:2: ${rule}`]);
  });

  test('a folder that the table does not know', () => {
    expect(violationsOf({ 'helpers/a.ts': '' })[0]).toContain('"helpers" is no part');
  });

  test('reading ../shared from the product, but not from a test', () => {
    const read = "read(new URL('../../shared/data/x.sql', import.meta.url));\n";
    expect(violationsOf({ 'audit-sql/a.ts': read })).toEqual([
      'audit-sql/a.ts:1: the product must not read ../shared',
    ]);
    expect(violationsOf({ 'test/audit-sql/a.ts': read })).toEqual([]);
  });

  test('an import that is not written out, in the product', () => {
    expect(
      violationsOf({ 'gateway/a.ts': 'await import(name);', 'test/a.ts': 'await import(name);' }),
    ).toEqual(['gateway/a.ts:1: imports something that is not written out']);
  });

  test('the checker reaching the writers through the index', () => {
    const files = {
      'integrity-checker/a.ts': IMPORT('../audit-sql/index.ts'),
      'audit-sql/index.ts': "export { y } from './inner.ts';",
      'audit-sql/inner.ts': IMPORT('./writers/start.ts'),
      'audit-sql/writers/start.ts': 'export const x = 1;',
    };
    expect(violationsOf(files)).toEqual([
      'integrity-checker/a.ts:1: integrity-checker must not reach audit-sql/writers, but does by audit-sql/index.ts → audit-sql/inner.ts → audit-sql/writers/start.ts',
    ]);
    const typed = { ...files, 'audit-sql/inner.ts': "import type { X } from './writers/start.ts';" };
    expect(violationsOf(typed)).toEqual([]);
  });

  test('the checker reaching HTTP through another part', () => {
    const found = violationsOf({
      'integrity-checker/a.ts': IMPORT('../telemetry/index.ts'),
      'telemetry/index.ts': IMPORT('node:http'),
    });
    expect(found).toEqual([
      'integrity-checker/a.ts:1: integrity-checker must not reach http, but does by telemetry/index.ts → http',
    ]);
  });

  test('files that import each other in a circle, unless only for types', () => {
    const circle = (word: string) => ({
      'identity/a.ts': IMPORT('./b.ts'),
      'identity/b.ts': `${word} { x } from './c.ts';`,
      'identity/c.ts': IMPORT('./a.ts'),
    });
    expect(violationsOf(circle('import'))).toEqual([
      'identity/c.ts:1: imports in a circle: identity/a.ts → identity/b.ts → identity/c.ts → identity/a.ts',
    ]);
    expect(violationsOf(circle('import type'))).toEqual([]);
    expect(violationsOf(circle('export type'))).toEqual([]);
    // What is imported inside braces as a type still loads the file.
    expect(violationsOf({ 'identity/a.ts': "import { type X } from './a.ts';" })).toHaveLength(1);
  });

  test('every part of the table is covered above', () => {
    const planted = new Set(FORBIDDEN.map(([file]) => file.split('/')[0]));
    expect([...PART_RULES.keys()].filter((part) => !planted.has(part))).toEqual([]);
  });
});

test('what the table allows is not reported', () => {
  const index = 'export const x = 1;\n';
  expect(
    violationsOf({
      'contracts/index.ts': index,
      'config/index.ts': IMPORT('../contracts/index.ts'),
      'audit-sql/read.ts': IMPORT('mysql2/promise'),
      'integrity-checker/index.ts':
        IMPORT('../audit-sql/read.ts') + IMPORT('node:net') + IMPORT('../config/index.ts'),
      'gateway/index.ts':
        IMPORT('../config/index.ts') +
        IMPORT('undici') +
        IMPORT('node:http2') +
        IMPORT('@scope/listed/deep.js'),
      'cli/main.ts': `${IMPORT('../gateway/index.ts')}await import('../integrity-checker/index.ts');`,
      'test/a.test.ts': IMPORT('vitest') + IMPORT('../gateway/index.ts'),
    }),
  ).toEqual([]);
});

describe('the scanner', () => {
  const found = (source: string) =>
    scanImports(source).imports.map(
      ({ specifier, line, typeOnly }) => `${specifier}@${line}${typeOnly ? ' type' : ''}`,
    );

  test.each<readonly [string, string, readonly string[]]>([
    ['a side effect', "import 'a';", ['a@1']],
    ['a default', "import a from 'a'", ['a@1']],
    ['a namespace', 'import * as a from "a"', ['a@1']],
    ['names over lines', "import {\n  a as b,\n  type C,\n} from 'a';", ['a@4']],
    ['a default and names', "import a, { b } from 'a';", ['a@1']],
    [
      'types',
      "import type { A } from 'a'; import type B from 'b'; import type * as C from 'c';",
      ['a@1 type', 'b@1 type', 'c@1 type'],
    ],
    ['a default called type', "import type from 'a'; import type, { b } from 'c'", ['a@1', 'c@1 type']],
    ['names called from', "import { from } from 'a'; import { x as from } from 'b'", ['a@1', 'b@1']],
    ['attributes', "import a from './a.json' with { type: 'json' };", ['./a.json@1']],
    [
      'exports from',
      "export * from 'a'; export * as n from 'b'; export { x } from 'c'; export type { Y } from 'd';",
      ['a@1', 'b@1', 'c@1', 'd@1 type'],
    ],
    [
      'exports of its own',
      "export { x };\nexport const from = 'a';\nexport type A = { b: 'c' };\nexport default from;",
      [],
    ],
    ['dynamic imports', "await import('a'); import(`b`); import('c', {});", ['a@1', 'b@1', 'c@1']],
    // biome-ignore lint/suspicious/noTemplateCurlyInString: source text that is scanned.
    ['dynamic imports of something', 'import(`a${b}`); import(c);', ['undefined@1', 'undefined@1']],
    ['the type of a module', "type A = typeof import('a');", ['a@1 type']],
    ['require', "const a = require('a'); b.require('c');", ['a@1']],
    ['import.meta and members', "import.meta.dirname; a.import('b'); ({ import: 'c' })", []],
    ['comments', "// import 'a'\n/* import 'b'\n */ import 'c';", ['c@3']],
    ['comments inside', "import /* x */ { a } // from 'b'\n from 'c';", ['c@2']],
    ['texts', "const a = \"import 'b'\"; const c = 'it\\'s import \"d\"';", []],
    // biome-ignore lint/suspicious/noTemplateCurlyInString: source text that is scanned.
    ['templates', "`import 'a' ${`${{ b: `}` }} import 'c'`} import 'd'`; import 'e';", ['e@1']],
    // biome-ignore lint/suspicious/noTemplateCurlyInString: source text that is scanned.
    ['code inside templates', "`${await import('a')}`", ['a@1']],
    [
      'regular expressions',
      "const a = /['\"`]/; const b = x / y; import 'c'; /[/'] import 'd'/.test(e);",
      ['c@1'],
    ],
    ['a division that looks like one', "const a = (b) / c; import 'd'; const e = f / 2;", ['d@1']],
    ['a first line for the shell', "#!/usr/bin/env node 'x'\nimport 'a';", ['a@2']],
    ['names with escapes', "import '\\x61\\u0062\\u{63}';", ['abc@1']],
    ['a text that never ends', "import 'a\nimport 'b';", ['a@1', 'b@2']],
    ['nothing', '', []],
  ])('%s', (_what, source, expected) => {
    expect(found(source)).toEqual(expected);
  });
});

test('the command prints file and line and ends with 1, or with 0 when all is well', () => {
  const script = join(ROOT, 'scripts', 'import-rules.ts');
  const run = (root: string, ...more: string[]) =>
    spawnSync(process.execPath, [script, root, ...more], { encoding: 'utf8' });
  const bad = treeOf({ 'gateway/a.ts': `\n\n${IMPORT('mysql2')}` });
  expect(run(bad)).toMatchObject({
    status: 1,
    stdout: 'gateway/a.ts:3: gateway must not import the package mysql2\n',
  });
  expect(JSON.parse(run(bad, '--json').stdout)).toEqual([
    { file: 'gateway/a.ts', line: 3, rule: 'gateway must not import the package mysql2' },
  ]);
  expect(run(treeOf({ 'gateway/a.ts': '' }))).toMatchObject({ status: 0, stdout: '' });
});
