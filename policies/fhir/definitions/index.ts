import type { FhirVersion } from '../../../contracts/policy.ts';
import { DSTU2 } from './dstu2.ts';
import { R4 } from './r4.ts';
import { STU3 } from './stu3.ts';

/** What a search parameter compares; `x`: something of its own. */
export type ParameterKind = 't' | 'r' | 's' | 'd' | 'q' | 'n' | 'u' | 'c' | 'x';

/** Members of a resource from the top, through lists, in the names that JSON has. */
export type ElementPath = readonly string[];

export interface ParameterDefinition {
  readonly kind: ParameterKind;
  /** Of tokens and references, where the published expression is a plain path; else empty. */
  readonly paths: readonly ElementPath[];
}

export interface TypeDefinition {
  /** The parameter by which searches are narrowed to a patient; undefined: resources of the type are no patient's. */
  readonly narrow: string | undefined;
  /** Elements that say whose record a resource is. */
  readonly subjects: readonly ElementPath[];
  /** Further elements by which a resource is linked to a patient. */
  readonly links: readonly ElementPath[];
  readonly parameters: ReadonlyMap<string, ParameterDefinition>;
  /** Reference parameters that look at nothing but the subject; the narrowing one is among them. */
  readonly subjectParameters: ReadonlySet<string>;
}

const SOURCES: Readonly<Record<FhirVersion, Readonly<Record<string, string>>>> = { R4, STU3, DSTU2 };

/** Parameters that every resource has. */
const COMMON =
  '_id:t:id _lastUpdated:d _profile:u _security:t:meta.security _source:u _tag:t:meta.tag _text:s _content:s';

const parsed = new Map<FhirVersion, ReadonlyMap<string, TypeDefinition>>();

/** The resource types of a version by name; read at the first use. */
export function definitionsOf(version: FhirVersion): ReadonlyMap<string, TypeDefinition> {
  let types = parsed.get(version);
  if (types === undefined) {
    types = new Map(Object.entries(SOURCES[version]).map(([type, text]) => [type, parseType(text)]));
    parsed.set(version, types);
  }
  return types;
}

export function resourceTypes(version: FhirVersion): readonly string[] {
  return Object.keys(SOURCES[version]);
}

function parseType(text: string): TypeDefinition {
  const [narrow = '', subjectPaths = '', links = '', encoded = ''] = text.split('|');
  const parameters = new Map(`${COMMON} ${encoded}`.trim().split(' ').map(parseParameter));
  const subjects = parsePaths(subjectPaths);
  const subjectTexts = new Set(subjects.map((path) => path.join('.')));
  const subjectParameters = new Set(narrow === '' ? [] : [narrow]);
  for (const [name, { kind, paths }] of parameters) {
    if (kind === 'r' && paths.length > 0 && paths.every((path) => subjectTexts.has(path.join('.')))) {
      subjectParameters.add(name);
    }
  }
  return Object.freeze({
    narrow: narrow === '' ? undefined : narrow,
    subjects,
    links: parsePaths(links),
    parameters,
    subjectParameters,
  });
}

function parseParameter(text: string): readonly [string, ParameterDefinition] {
  const [name = '', kind = 'x', paths = ''] = text.split(':');
  return [name, Object.freeze({ kind: kind as ParameterKind, paths: parsePaths(paths) })];
}

function parsePaths(text: string): readonly ElementPath[] {
  return Object.freeze(text === '' ? [] : text.split(',').map((path) => Object.freeze(path.split('.'))));
}
