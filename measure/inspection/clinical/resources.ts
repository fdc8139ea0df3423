import { readFileSync } from 'node:fs';
import { join } from 'node:path';

export interface Resource {
  readonly resourceType: string;
  readonly id: string;
  readonly [name: string]: unknown;
}

/** Another file of resources, one a line, such as examples that were kept apart. */
const FILE =
  process.env.CHARTGATE_RESOURCES ??
  join(import.meta.dirname, '../../../../shared/data/fhir/r4-examples.ndjson');
const LINES = join(import.meta.dirname, '../../../test/inspection/clinical-lines.txt');

const lines = (file: string): readonly string[] =>
  readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line !== '');

export const exampleResources = (): readonly Resource[] =>
  lines(FILE).map((line) => JSON.parse(line) as Resource);

/** Made-up clinical prose that looks like SQL, markup and shell. */
export const clinicalLines = (): readonly string[] => lines(process.env.CHARTGATE_LINES ?? LINES);

/** Elements that FHIR types as `string` or `markdown` wherever they stand, and people fill with prose. */
const PROSE: ReadonlySet<string> = new Set([
  'display',
  'description',
  'text',
  'title',
  'comment',
  'note',
  'copyright',
  'requirements',
  'summary',
  'conclusion',
  'patientInstruction',
  'valueString',
  'prefix',
  'suffix',
  'city',
  'district',
]);

export interface Rewritten {
  readonly resource: Resource;
  readonly replaced: number;
}

/**
 * A copy in which three of ten strings of prose are other lines; narratives too, escaped as XHTML wants it.
 * @param next gives the next line
 */
export function rewritten(resource: Resource, random: () => number, next: () => string): Rewritten {
  let replaced = 0;
  const asXhtml = (text: string): string =>
    text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
  const walk = (value: unknown, name: string): unknown => {
    if (Array.isArray(value)) return value.map((each) => walk(each, name));
    if (typeof value === 'object' && value !== null)
      return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, walk(member, key)]));
    if (typeof value !== 'string' || random() >= 0.3) return value;
    if (name === 'div') {
      replaced += 1;
      return `<div xmlns="http://www.w3.org/1999/xhtml"><p>${asXhtml(next())}</p><p>${asXhtml(next())}</p></div>`;
    }
    if (!PROSE.has(name)) return value;
    replaced += 1;
    return next();
  };
  return { resource: walk(resource, '') as Resource, replaced };
}
