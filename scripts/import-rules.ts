// Checks that each part imports only what the architecture allows, and that no files import each other
// in a circle. `node scripts/import-rules.ts [ROOT] [--json]`; exit code 1 when something is found.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { type FoundImport, type Scan, scanImports } from './import-rules/scan.ts';
import { PART_RULES, type PartRule } from './import-rules/table.ts';

export interface Violation {
  /** Relative to the root, with forward slashes. */
  readonly file: string;
  readonly line: number;
  /** One sentence. */
  readonly rule: string;
}

const SKIPPED: ReadonlySet<string> = new Set(['node_modules', 'dist']);
const BUILTINS: ReadonlySet<string> = new Set(builtinModules.map((name) => name.replace(/^node:/, '')));

type Target =
  | { readonly kind: 'file'; readonly name: string; readonly part: string }
  | { readonly kind: 'builtin'; readonly name: string; readonly prefixed: boolean }
  | { readonly kind: 'package'; readonly name: string }
  | { readonly kind: 'outside' };

interface Edge extends FoundImport {
  readonly target: Target;
}

interface SourceFile {
  readonly name: string;
  readonly part: string;
  readonly edges: readonly Edge[];
  readonly texts: Scan['texts'];
}

interface Manifest {
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
}

/** Every violation in the `.ts` files of the tree, by file and line. Files in the root itself are configuration and may import anything. */
export function checkImports(root: string): readonly Violation[] {
  const files = new Map(
    listFiles(root, '').map((name) => {
      const file = readSource(root, name);
      return [name, file] as const;
    }),
  );
  const manifest = readManifest(root);
  const violations: Violation[] = [];
  for (const file of files.values()) {
    const rule = PART_RULES.get(file.part);
    if (rule === undefined) {
      violations.push({
        file: file.name,
        line: 1,
        rule: `"${file.part}" is no part; add it to scripts/import-rules/table.ts`,
      });
      continue;
    }
    violations.push(...checkFile(file, rule, manifest), ...checkReach(file, rule, files));
  }
  violations.push(...findCycles(files));
  return violations.sort((a, b) => (a.file === b.file ? a.line - b.line : a.file < b.file ? -1 : 1));
}

function listFiles(root: string, folder: string): string[] {
  return readdirSync(join(root, folder), { withFileTypes: true })
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap((entry) => {
      if (entry.name.startsWith('.') || SKIPPED.has(entry.name)) return [];
      const name = folder === '' ? entry.name : `${folder}/${entry.name}`;
      if (entry.isDirectory()) return listFiles(root, name);
      return folder !== '' && entry.isFile() && name.endsWith('.ts') ? [name] : [];
    });
}

function readManifest(root: string): Manifest {
  const path = join(root, 'package.json');
  return existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as Manifest) : {};
}

function readSource(root: string, name: string): SourceFile {
  const scan = scanImports(readFileSync(join(root, name), 'utf8'));
  const edges = scan.imports.map((found) => ({
    ...found,
    target: targetOf(root, name, found.specifier ?? ''),
  }));
  return { name, part: partOf(name), edges, texts: scan.texts };
}

function partOf(name: string): string {
  return name.slice(0, Math.max(name.indexOf('/'), 0));
}

function targetOf(root: string, from: string, specifier: string): Target {
  if (/^(?:\.{0,2}\/|\.{1,2}$|file:)/.test(specifier)) {
    const path = relative(root, resolve(root, dirname(from), specifier.replace(/^file:\/\//, '')));
    const name = path.split(sep).join('/');
    return name.startsWith('..') ? { kind: 'outside' } : { kind: 'file', name, part: partOf(name) };
  }
  if (specifier.startsWith('node:')) return { kind: 'builtin', name: specifier.slice(5), prefixed: true };
  const [scope = '', name = ''] = specifier.split('/');
  if (BUILTINS.has(specifier) || BUILTINS.has(scope))
    return { kind: 'builtin', name: specifier, prefixed: false };
  return { kind: 'package', name: scope.startsWith('@') ? `${scope}/${name}` : scope };
}

function checkFile(file: SourceFile, rule: PartRule, manifest: Manifest): Violation[] {
  const found: Violation[] = [];
  for (const edge of file.edges) {
    const fault =
      edge.specifier === undefined
        ? 'imports something that is not written out'
        : directFault(file, edge, rule, manifest);
    // A test or a tool may choose at run time; the product's imports are known before it runs.
    if (fault !== undefined && (edge.specifier !== undefined || rule.product)) {
      found.push({ file: file.name, line: edge.line, rule: fault });
    }
  }
  if (!rule.product) return found;
  for (const { text, line } of file.texts) {
    if (/(?:^|\/)\.\.\/shared(?:\/|$)/.test(text)) {
      found.push({ file: file.name, line, rule: 'the product must not read ../shared' });
    }
  }
  return found;
}

function deniedHere(file: SourceFile, { denied, onlyIn }: PartRule, name: string): boolean {
  if (denied?.includes(name) === true) return true;
  return onlyIn?.modules.includes(name) === true && !file.name.startsWith(`${onlyIn.folder}/`);
}

function directFault(file: SourceFile, edge: Edge, rule: PartRule, manifest: Manifest): string | undefined {
  const { target } = edge;
  switch (target.kind) {
    case 'outside':
      return 'imports from outside the project';
    case 'file': {
      if (target.part === file.part) return undefined;
      if (!rule.parts.includes(target.part))
        return `${file.part} must not import ${target.part || target.name}`;
      return denies(rule.unreachable, target.name, target.part) === undefined
        ? undefined
        : `${file.part} must not import ${denies(rule.unreachable, target.name, target.part)}`;
    }
    case 'builtin': {
      if (!target.prefixed) return `writes node:${target.name} without "node:"`;
      const [name = ''] = target.name.split('/');
      const allowed = rule.builtins === undefined || rule.builtins.includes(name);
      if (!allowed || deniedHere(file, rule, name)) return `${file.part} must not import node:${target.name}`;
      return undefined;
    }
    case 'package': {
      const { name } = target;
      const allowed = rule.packages === undefined || rule.packages.includes(name);
      if (!allowed || deniedHere(file, rule, name)) return `${file.part} must not import the package ${name}`;
      const listed = { ...manifest.dependencies, ...(rule.product ? {} : manifest.devDependencies) };
      if (Object.hasOwn(listed, name)) return undefined;
      return `the package ${name} is not among the ${rule.product ? '' : 'development '}dependencies of package.json`;
    }
  }
}

/** The entry of the list that a file or a module falls under. */
function denies(list: readonly string[] | undefined, name: string, part: string): string | undefined {
  return list?.find((entry) => entry === part || name === entry || name.startsWith(`${entry}/`));
}

/** Follows imports that remain at run time out of the part, to what must not be reached. */
function checkReach(start: SourceFile, rule: PartRule, files: ReadonlyMap<string, SourceFile>): Violation[] {
  if (rule.unreachable === undefined) return [];
  const found: Violation[] = [];
  const seen = new Set<string>([start.name]);
  const follow = (file: SourceFile, line: number, chain: readonly string[]) => {
    for (const edge of file.edges) {
      if (edge.typeOnly || edge.target.kind === 'outside') continue;
      const { target } = edge;
      const first = chain.length === 0 ? edge.line : line;
      const hit = denies(rule.unreachable, target.name, target.kind === 'file' ? target.part : target.name);
      // One step is a direct import, which was judged as such; inside the part each file answers for itself.
      if (hit !== undefined && chain.length > 0) {
        const way = [...chain, target.name].join(' → ');
        found.push({
          file: start.name,
          line: first,
          rule: `${start.part} must not reach ${hit}, but does by ${way}`,
        });
      } else if (target.kind === 'file' && target.part !== start.part && !seen.has(target.name)) {
        seen.add(target.name);
        const next = files.get(target.name);
        if (next !== undefined && hit === undefined) follow(next, first, [...chain, target.name]);
      }
    }
  };
  follow(start, 0, []);
  return found;
}

/** Circles of files that import each other at run time, each reported once. */
function findCycles(files: ReadonlyMap<string, SourceFile>): Violation[] {
  const found: Violation[] = [];
  const done = new Set<string>();
  const path: string[] = [];
  const visit = (file: SourceFile) => {
    path.push(file.name);
    for (const { typeOnly, target, line } of file.edges) {
      if (typeOnly || target.kind !== 'file' || done.has(target.name)) continue;
      const at = path.indexOf(target.name);
      const next = files.get(target.name);
      if (at >= 0) {
        const circle = [...path.slice(at), target.name].join(' → ');
        found.push({ file: file.name, line, rule: `imports in a circle: ${circle}` });
      } else if (next !== undefined) visit(next);
    }
    path.pop();
    done.add(file.name);
  };
  for (const file of files.values()) if (!done.has(file.name)) visit(file);
  return found;
}

if (import.meta.main) {
  const json = process.argv.includes('--json');
  const [given] = process.argv.slice(2).filter((argument) => !argument.startsWith('--'));
  const violations = checkImports(resolve(given ?? join(import.meta.dirname, '..')));
  if (json) console.log(JSON.stringify(violations, null, 2));
  else for (const { file, line, rule } of violations) console.log(`${file}:${line}: ${rule}`);
  if (!json && violations.length > 0)
    console.error(`${violations.length} import${violations.length === 1 ? '' : 's'} against the rules.`);
  process.exitCode = violations.length === 0 ? 0 : 1;
}
