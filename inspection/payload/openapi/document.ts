import { parse } from 'yaml';
import { METHODS, type Method } from '../../../contracts/facts.ts';

/** Plain data of a document: what was read is checked where it is used. */
export type Data = Readonly<Record<string, unknown>>;

/** The document is no OpenAPI that can be enforced; the message is for the operator. */
export class OpenApiFault extends Error {}

export interface Operation {
  /** JSON Pointer of the operation in the document. */
  readonly pointer: string;
  readonly method: Method;
  /** Segments of the path; `{name}` takes any one. */
  readonly segments: readonly string[];
  readonly parameters: readonly { readonly data: Data; readonly pointer: string }[];
  readonly body: { readonly data: Data; readonly pointer: string } | undefined;
}

/** Steps that a `$ref` may lead through. */
const LONGEST_WAY = 8;

export interface OpenApiDocument {
  readonly data: Data;
  readonly operations: readonly Operation[];
}

/**
 * Reads an OpenAPI document, 3.1, or 3.0 after its own dialect of JSON Schema was put into the later words.
 * @throws OpenApiFault
 */
export function readOpenApi(text: string): OpenApiDocument {
  const data = record(readText(text), 'the document');
  const version = String(data.openapi ?? '');
  if (!/^3\.[01]\.\d+$/.test(version)) {
    throw new OpenApiFault('must be an OpenAPI document of version 3.1 (or 3.0): "openapi: 3.1.0"');
  }
  const modern = version.startsWith('3.0') ? (modernise(data) as Data) : data;
  const base = basePath(modern);
  const operations: Operation[] = [];
  for (const [path, item] of Object.entries(record(modern.paths ?? {}, 'paths'))) {
    if (!path.startsWith('/')) throw new OpenApiFault(`the path "${path}" does not begin with "/"`);
    const at = `/paths/${pointerStep(path)}`;
    const resolved = follow(modern, item, at);
    operations.push(...operationsOf(modern, resolved, [...base, ...segmentsOf(path)]));
  }
  if (operations.length === 0) throw new OpenApiFault('describes no operation');
  return { data: modern, operations };
}

function readText(text: string): unknown {
  try {
    // Aliases could blow a small file up.
    return parse(text, { maxAliasCount: 0, uniqueKeys: true, merge: false });
  } catch (error) {
    throw new OpenApiFault(
      `cannot be read: ${error instanceof Error ? error.message.split('\n')[0] : 'no YAML'}`,
    );
  }
}

function operationsOf(
  document: Data,
  item: { readonly data: Data; readonly pointer: string },
  segments: readonly string[],
): Operation[] {
  const shared = parametersOf(document, item);
  return METHODS.flatMap((method): Operation[] => {
    const key = method.toLowerCase();
    if (item.data[key] === undefined) return [];
    const pointer = `${item.pointer}/${key}`;
    const operation = record(item.data[key], pointer);
    const own = parametersOf(document, { data: operation, pointer });
    const named = new Set(own.map(({ data }) => JSON.stringify([data.in, data.name])));
    const kept = shared.filter(({ data }) => !named.has(JSON.stringify([data.in, data.name])));
    const body =
      operation.requestBody === undefined
        ? undefined
        : follow(document, operation.requestBody, `${pointer}/requestBody`);
    return [{ pointer, method, segments, parameters: [...kept, ...own], body }];
  });
}

function parametersOf(document: Data, owner: { readonly data: Data; readonly pointer: string }) {
  const list = owner.data.parameters;
  if (list === undefined) return [];
  if (!Array.isArray(list)) throw new OpenApiFault(`${owner.pointer}/parameters must be a list`);
  return list.map((each, index) => follow(document, each, `${owner.pointer}/parameters/${index}`));
}

/** An object, or what its `$ref` leads to in the same document. */
export function follow(
  document: Data,
  value: unknown,
  pointer: string,
): { readonly data: Data; readonly pointer: string } {
  let [data, at] = [record(value, pointer), pointer];
  for (let step = 0; typeof data.$ref === 'string'; step += 1) {
    if (step >= LONGEST_WAY) throw new OpenApiFault(`${pointer}: its references lead nowhere`);
    if (!data.$ref.startsWith('#/')) {
      throw new OpenApiFault(`${at}: "${data.$ref}" leads out of the document; put everything into one file`);
    }
    at = data.$ref.slice(1);
    data = record(lookUp(document, at), at);
  }
  return { data, pointer: at };
}

function lookUp(document: Data, pointer: string): unknown {
  let at: unknown = document;
  for (const step of pointer.slice(1).split('/')) {
    const key = decodeURIComponent(step).replaceAll('~1', '/').replaceAll('~0', '~');
    at = typeof at === 'object' && at !== null && Object.hasOwn(at, key) ? (at as Data)[key] : undefined;
  }
  if (at === undefined) throw new OpenApiFault(`"#${pointer}" is not in the document`);
  return at;
}

function record(value: unknown, what: string): Data {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new OpenApiFault(`${what} must be a mapping`);
  }
  return value as Data;
}

/** The path of the first server, before every path of the document. */
function basePath(document: Data): readonly string[] {
  const first: unknown = Array.isArray(document.servers) ? document.servers[0] : undefined;
  const url = typeof first === 'object' && first !== null && 'url' in first ? String(first.url) : '/';
  try {
    return segmentsOf(new URL(url, 'http://server.invalid/').pathname).filter((segment) => segment !== '');
  } catch {
    return [];
  }
}

function segmentsOf(path: string): readonly string[] {
  return path === '/' ? [] : path.slice(1).split('/');
}

export const pointerStep = (step: string) => step.replaceAll('~', '~0').replaceAll('/', '~1');

/** `nullable`, and exclusive bounds that are true or false, in the words of JSON Schema 2020-12. */
function modernise(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(modernise);
  if (typeof value !== 'object' || value === null) return value;
  const made: Record<string, unknown> = {};
  for (const [key, member] of Object.entries(value)) made[key] = modernise(member);
  const { nullable, type } = made;
  if (nullable === true && typeof type === 'string') {
    made.type = [type, 'null'];
    if (Array.isArray(made.enum) && !made.enum.includes(null)) made.enum = [...made.enum, null];
  }
  if (typeof nullable === 'boolean') delete made.nullable;
  for (const [exclusive, bound] of [
    ['exclusiveMinimum', 'minimum'],
    ['exclusiveMaximum', 'maximum'],
  ] as const) {
    if (typeof made[exclusive] !== 'boolean') continue;
    if (made[exclusive] === true && made[bound] !== undefined) {
      made[exclusive] = made[bound];
      delete made[bound];
    } else delete made[exclusive];
  }
  return made;
}
