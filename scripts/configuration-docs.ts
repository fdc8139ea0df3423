// Writes what is derived from the configuration's schema: docs/configuration.md and the schemas published
// for editors. `--check` writes nothing and exits 1 when one of them is stale.
import { readFileSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { CHECKER_SCHEMA } from '../config/shape/checker.ts';
import { GATEWAY_SCHEMA } from '../config/shape/gateway.ts';
import { ISSUER_SCHEMA } from '../config/shape/issuer.ts';
import { POLICY_SCHEMA } from '../config/shape/policy.ts';
import type { Schema } from '../config/shape/schema.ts';

const root = join(import.meta.dirname, '..');
const published = join(root, 'config', 'schema');

const FILES = [
  { kind: 'gateway', heading: 'gateway.yaml', schema: GATEWAY_SCHEMA },
  { kind: 'checker', heading: 'checker.yaml', schema: CHECKER_SCHEMA },
  { kind: 'issuer', heading: 'issuer.yaml', schema: ISSUER_SCHEMA },
  { kind: 'policy', heading: 'Policy files', schema: POLICY_SCHEMA },
] as const;

const INTRODUCTION = `# Configuration

<!-- Made from the schema by scripts/configuration-docs.ts; change the schema in config/shape/, not this page. -->

Each process reads one YAML file, and the gateway also reads the policy files that its own names. A process
starts with the whole configuration or not at all: unknown keys are refused, and every fault is reported at
once, with its line and with what is allowed there.

\`\`\`sh
chartgate check gateway.yaml                              # or checker.yaml, or a policy file
chartgate check --gateway gateway.yaml --checker checker.yaml   # and whether the two fit together
chartgate check gateway.yaml --json
\`\`\`

- **YAML**: version 1.2, one document, UTF-8, at most 1 MiB. No anchors, aliases, tags, directives or duplicate keys;
  numbers are plain decimal integers. \`yes\`, \`no\`, \`on\` and \`off\` are texts; booleans are \`true\` and \`false\`.
- **Paths** that are relative start at the folder of the file that contains them.
- **Secrets** are never written into these files. They are given as \`{ file: PATH }\`, and a file that its group or
  others can get at is refused (\`chmod 600\`).
- **Durations**: a whole number and \`ms\`, \`s\`, \`m\` or \`h\`. **Sizes**: a whole number and \`B\`, \`KB\` (1000), \`MB\`, \`GB\`,
  \`KiB\` (1024), \`MiB\` or \`GiB\`.
- **Names**: 1 to 63 of \`a-z\`, \`0-9\` and \`-\`, beginning with a letter.
- **Editors** that understand \`# yaml-language-server: $schema=…\` complete and check these files with the schemas in
  \`config/schema/\`, where the examples below lie as files too.

Keys in **bold** are required.
`;

function page(): string {
  const parts = [
    INTRODUCTION,
    `${FILES.map(({ heading }) => `- [${heading}](#${anchor(heading)})`).join('\n')}\n`,
  ];
  for (const { kind, heading, schema } of FILES) {
    const example = readFileSync(join(published, `${kind}.example.yaml`), 'utf8');
    parts.push(`## ${heading}\n`, `${schema.description}\n`, `\`\`\`yaml\n${example.trimEnd()}\n\`\`\`\n`);
    parts.push(...sections(schema, '', kind));
  }
  return `${parts.join('\n').trimEnd()}\n`;
}

/** A heading and a table for an object, then the same for each object below it. */
function sections(schema: Schema, path: string, kind: string): string[] {
  const found: string[] = [];
  if (path !== '') {
    found.push(`### ${schema.title} – \`${path}\`\n`);
    if (schema.description !== undefined) found.push(`${schema.description}\n`);
  }
  found.push(table(schema, path));
  for (const [key, property] of Object.entries(schema.properties ?? {})) {
    const below = path === '' ? key : `${path}.${key}`;
    const inner = objectIn(property);
    if (inner !== undefined)
      found.push(...sections(inner, property.type === 'array' ? `${below}[]` : below, kind));
    // A mapping of free names to one form.
    const each =
      typeof property.additionalProperties === 'object' ? property.additionalProperties : undefined;
    if (each?.properties !== undefined && !isSecret(each))
      found.push(...sections(each, `${below}.NAME`, kind));
  }
  return found;
}

/** What deserves a table of its own: an object with known keys, or a list of them. A secret does not. */
function objectIn(schema: Schema): Schema | undefined {
  if (schema.type === 'array') return schema.items === undefined ? undefined : objectIn(schema.items);
  // The keys of an override are those of a route, which has its own table.
  const told = isSecret(schema) || schema.title === 'Override';
  return schema.properties === undefined || told ? undefined : schema;
}

function isSecret(schema: Schema): boolean {
  return schema.title === 'Secret';
}

function table(schema: Schema, path: string): string {
  const rows = Object.entries(schema.properties ?? {}).map(([key, property]) => {
    const name = schema.required?.includes(key) ? `**\`${key}\`**` : `\`${key}\``;
    return [name, typeOf(property), fallback(property), property.description ?? '', example(property)];
  });
  const lines = [
    ['key', 'type', 'default', 'meaning', 'example'],
    ['---', '---', '---', '---', '---'],
    ...rows,
  ];
  const about = path === '' ? 'Top level:\n\n' : '';
  return `${about}${lines.map((cells) => `| ${cells.map(cell).join(' | ')} |`).join('\n')}\n`;
}

function typeOf(schema: Schema): string {
  if (isSecret(schema)) return 'secret: `{ file: … }`';
  if (schema.enum !== undefined) return schema.enum.map(code).join(', ');
  const range = schema['x-duration'] ?? schema['x-size'];
  if (range !== undefined) return `${schema['x-kind']}, ${range.from} to ${range.to}`;
  if (schema['x-kind'] !== undefined) return schema['x-kind'];
  if (schema.type === 'array') {
    const item = schema.items ?? {};
    return objectIn(item) === undefined ? `list of: ${typeOf(item)}` : 'list, see below';
  }
  if (schema.type === 'object') {
    if (typeof schema.additionalProperties !== 'object') return 'see below';
    return `mapping of names to: ${typeOf(schema.additionalProperties)}`;
  }
  const numbers = `${schema.minimum} to ${schema.maximum}`;
  if (Array.isArray(schema.type) && schema.properties !== undefined) return 'see below, or a list of such';
  if (Array.isArray(schema.type)) return `\`auto\` or integer, ${numbers}`;
  if (schema.type === 'integer') return `integer, ${numbers}`;
  return schema.type === 'boolean' ? '`true`, `false`' : 'text';
}

function fallback(schema: Schema): string {
  if (schema.default === undefined) return '';
  const isEmpty = JSON.stringify(schema.default) === '{}';
  return isEmpty ? 'those below' : code(inline(schema.default));
}

function example(schema: Schema): string {
  const [first] = isSecret(schema) ? [{ file: fileExample(schema) }] : (schema.examples ?? []);
  if (first !== undefined) return code(inline(first));
  if (typeof schema.additionalProperties === 'object') {
    const [value] = schema.additionalProperties.examples ?? [];
    if (value !== undefined) return code(inline({ clinic: value }));
  }
  return '';
}

function fileExample(schema: Schema): unknown {
  return schema.properties?.file?.examples?.[0];
}

/** A value as flow YAML. */
function inline(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(inline).join(', ')}]`;
  if (typeof value === 'object' && value !== null) {
    return `{ ${Object.entries(value)
      .map(([key, part]) => `${key}: ${inline(part)}`)
      .join(', ')} }`;
  }
  const text = String(value);
  return typeof value === 'string' && /^[{:[]|^(true|false|\d+)$/.test(text) ? `'${text}'` : text;
}

function code(text: string): string {
  return `\`${text}\``;
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('\n', ' ');
}

function anchor(heading: string): string {
  return heading.toLowerCase().replaceAll('.', '').replaceAll(' ', '-');
}

const outputs = [
  { file: join(root, 'docs', 'configuration.md'), content: page() },
  ...FILES.map(({ kind, schema }) => ({
    file: join(published, `${kind}.schema.json`),
    content: `${JSON.stringify(schema, null, 2)}\n`,
  })),
];

function current(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}

const stale = outputs.filter(({ file, content }) => current(file) !== content);
const names = stale.map(({ file }) => relative(root, file)).join(', ');
if (!process.argv.includes('--check')) {
  for (const { file, content } of stale) writeFileSync(file, content);
  console.log(stale.length === 0 ? 'Nothing to do.' : `Written: ${names}`);
} else if (stale.length > 0) {
  console.error(`Stale: ${names}. Run: node scripts/configuration-docs.ts`);
  process.exitCode = 1;
}
