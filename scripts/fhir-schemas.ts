import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Definitions, serialise } from './fhir-schemas/definitions.ts';
import { older } from './fhir-schemas/older.ts';
import { r4 } from './fhir-schemas/r4.ts';

/**
 * Writes `inspection/payload/fhir/definitions/` from packages that were unpacked into one folder, each as
 * `NAME-VERSION/package`: docs/decisions/0020-payloads.md says which, and what is taken from each.
 */
const [given] = process.argv.slice(2);
if (given === undefined) {
  console.error('usage: node scripts/fhir-schemas.ts FOLDER');
  process.exit(2);
}
const folder = resolve(given);

function unpacked(name: string, ...below: string[]): string {
  const found = readdirSync(folder).find((each) => each.startsWith(`${name}-`) || each === name);
  if (found === undefined) {
    console.error(`${folder} has no folder of the package ${name}`);
    process.exit(2);
  }
  return join(folder, found, ...below);
}

const out = join(
  dirname(fileURLToPath(import.meta.url)),
  '..',
  'inspection',
  'payload',
  'fhir',
  'definitions',
);
mkdirSync(out, { recursive: true });

const sources = (name: 'stu3' | 'dstu2', version: string, core: string, fhirts: string) => ({
  version,
  declarations: unpacked('types-fhir', 'fhir', name === 'stu3' ? 'r3.d.ts' : 'r2.d.ts'),
  model: unpacked('fhirpath', 'package', 'fhir-context', name),
  enumerations: unpacked('smile-cdr-fhirts', 'package', 'src', fhirts),
  parameters: unpacked(
    'asymmetrik-node-fhir-server-core',
    'package',
    'dist',
    'server',
    'resources',
    core,
    'parameters',
  ),
});

const made: Record<string, Definitions> = {
  r4: r4(unpacked('hl7.fhir.r4.examples', 'package')),
  stu3: older(sources('stu3', '3.0.2', '3_0_1', 'FHIR-DSTU3')),
  dstu2: older(sources('dstu2', '1.0.2', '1_0_2', 'FHIR-DSTU2')),
};
for (const [name, definitions] of Object.entries(made)) {
  const text = serialise(definitions);
  writeFileSync(join(out, `${name}.json`), text);
  const types = Object.keys(definitions.types).length;
  console.error(
    `${name}: ${definitions.resources.length} resource types, ${types} types, ${text.length} characters`,
  );
}
