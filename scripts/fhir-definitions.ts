/**
 * Writes `policies/fhir/definitions/{r4,stu3,dstu2}.ts` from published definitions, which are not part of the project:
 *
 *   npm pack hl7.fhir.r4.examples@4.0.1 @asymmetrik/node-fhir-server-core@2.2.5 fhirpath@5.2.2
 *
 * each unpacked into a folder of its own; then
 *
 *   node scripts/fhir-definitions.ts R4-FOLDER CORE-FOLDER FHIRPATH-FOLDER
 *
 * with the folders that hold each package's `package.json`, and `npm run format`.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { KIND, type Parameter } from './fhir-definitions/parameters.ts';
import { type Definitions, readOlder, readR4 } from './fhir-definitions/sources.ts';

/** Parameters by which a type tells whose record it is. */
const SUBJECTS: ReadonlySet<string> = new Set(['patient', 'subject', 'individual', 'beneficiary']);
/** Elements that hold nothing but that; what `patient` finds elsewhere (an actor, an agent) may be somebody else too. */
const SUBJECT_ELEMENTS: ReadonlySet<string> = new Set([
  'patient',
  'subject',
  'individual',
  'beneficiary',
  'candidate',
  'for',
  'deliverTo',
]);

function encodeType(type: string, definitions: Definitions): string {
  const parameters = [...(definitions.parameters.get(type) ?? [])].sort((a, b) => (a.name < b.name ? -1 : 1));
  const encoded = parameters.map(encodeParameter);
  return JSON.stringify([...links(type, parameters, definitions), encoded.join(' ')].join('|'));
}

function encodeParameter({ name, kind, paths }: Parameter): string {
  const followed = kind === 'token' || kind === 'reference' ? paths : [];
  return [name, KIND[kind] ?? 'x', ...(followed.length > 0 ? [followed.join(',')] : [])].join(':');
}

/** The parameter by which searches are narrowed, elements of the subject, and other elements that link to a patient. */
function links(
  type: string,
  parameters: readonly Parameter[],
  definitions: Definitions,
): readonly [string, string, string] {
  const names = definitions.compartment.get(type);
  if (names === undefined) return ['', '', ''];
  if (type === 'Patient') return ['_id', '', ''];
  const references = parameters.filter(({ kind }) => kind === 'reference');
  const subject = new Set<string>();
  const others = new Set<string>(definitions.further[type] ?? []);
  for (const { name, paths } of references) {
    if (!SUBJECTS.has(name) && !names.includes(name)) continue;
    for (const path of paths) (SUBJECT_ELEMENTS.has(path) ? subject : others).add(path);
  }
  for (const path of subject) others.delete(path);
  const narrow =
    [...SUBJECTS, ...names].find((name) =>
      references.some((parameter) => parameter.name === name && parameter.paths.length > 0),
    ) ?? '';
  if (narrow === '' || subject.size + others.size === 0) {
    process.stderr.write(`${type}: in the compartment by ${names.join(', ')}, which cannot be followed\n`);
    return ['', '', ''];
  }
  return [narrow, [...subject].join(','), [...others].join(',')];
}

function write(version: string, definitions: Definitions): void {
  const lines = definitions.types.map((type) => `  ${type}: ${encodeType(type, definitions)},`);
  const file = join(import.meta.dirname, '../policies/fhir/definitions', `${version.toLowerCase()}.ts`);
  writeFileSync(
    file,
    `// Written by scripts/fhir-definitions.ts from HL7's published definitions (CC0); not edited by hand.
/** Type: narrowing parameter | elements of the subject | other elements that link to a patient | \`name:kind[:paths]\` … */
export const ${version}: Readonly<Record<string, string>> = {
${lines.join('\n')}
};
`,
  );
  process.stdout.write(
    `${version}: ${definitions.types.length} types, ${definitions.compartment.size} in the compartment\n`,
  );
}

const [r4, core, fhirpath] = process.argv.slice(2);
if (r4 === undefined || core === undefined || fhirpath === undefined) {
  process.stderr.write('usage: node scripts/fhir-definitions.ts R4-FOLDER CORE-FOLDER FHIRPATH-FOLDER\n');
  process.exitCode = 2;
} else {
  write('R4', readR4(r4));
  write('STU3', readOlder('STU3', core, fhirpath));
  write('DSTU2', readOlder('DSTU2', core, fhirpath));
}
