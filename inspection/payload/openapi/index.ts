import type { Content, Json } from '../../../contracts/content.ts';
import type { RequestFacts } from '../../../contracts/facts.ts';
import { fault, named, type PayloadFault } from '../finding.ts';
import { createSchemas, schemaFault, type ValidateFunction } from '../json-schema.ts';
import {
  type Data,
  follow,
  type OpenApiDocument,
  OpenApiFault,
  type Operation,
  pointerStep,
  readOpenApi,
} from './document.ts';
import {
  fieldsOfParts,
  objectOfFields,
  type ParameterForm,
  parameterForm,
  valueOfParameter,
} from './values.ts';

/** An OpenAPI document, enforced. */
export interface OpenApiChecks {
  head(facts: RequestFacts): PayloadFault | undefined;
  content(facts: RequestFacts, content: Content): PayloadFault | undefined;
}

export type CompiledOpenApi =
  | { readonly ok: true; readonly checks: OpenApiChecks }
  | { readonly ok: false; readonly message: string };

interface Parameter {
  readonly name: string;
  readonly place: 'path' | 'query' | 'header' | 'cookie';
  readonly required: boolean;
  readonly form: ParameterForm;
  readonly validate: ValidateFunction | undefined;
}

interface Body {
  readonly required: boolean;
  /** By media type, which may be a range. */
  readonly types: ReadonlyMap<
    string,
    { readonly schema: unknown; readonly validate: ValidateFunction | undefined }
  >;
}

interface Compiled {
  readonly operation: Operation;
  readonly parameters: readonly Parameter[];
  readonly body: Body | undefined;
}

const DOCUMENT = 'urn:chartgate:openapi';
const PLACES: readonly string[] = ['path', 'query', 'header', 'cookie'];
/** Headers that OpenAPI leaves to other parts of the document (§4.8.12.1). */
const NOT_DESCRIBED: ReadonlySet<string> = new Set(['accept', 'content-type', 'authorization']);

/** Every path, parameter and body of a document; what it does not describe is refused. */
export function compileOpenApi(text: string): CompiledOpenApi {
  try {
    const document = readOpenApi(text);
    return { ok: true, checks: checksOf(document) };
  } catch (error) {
    if (error instanceof OpenApiFault) return { ok: false, message: error.message };
    // What ajv says of a schema is the operator's own text.
    return {
      ok: false,
      message: error instanceof Error ? error.message.slice(0, 300) : 'cannot be compiled',
    };
  }
}

function checksOf(document: OpenApiDocument): OpenApiChecks {
  const ajv = createSchemas();
  ajv.addSchema(document.data as object, DOCUMENT, false, false);
  const schemaAt = (pointer: string): ValidateFunction =>
    ajv.compile({ $ref: `${DOCUMENT}#${pointer.split('/').map(encodeURIComponent).join('/')}` });
  const compiled = document.operations.map((operation) =>
    compileOperation(document.data, operation, schemaAt),
  );

  const find = (facts: RequestFacts): Compiled | undefined => {
    const method = facts.method === 'HEAD' ? 'GET' : facts.method;
    let best: Compiled | undefined;
    for (const each of compiled) {
      if (each.operation.method !== method && each.operation.method !== facts.method) continue;
      if (!matches(each.operation.segments, facts.path.segments)) continue;
      if (best === undefined || literals(each) > literals(best)) best = each;
    }
    return best;
  };

  return {
    head(facts) {
      const found = find(facts);
      if (found === undefined) return fault('', 'openapi-operation');
      if (found.body?.required === true && facts.body.kind === 'none')
        return fault('', 'openapi-body-missing');
      if (found.body === undefined && facts.body.kind !== 'none') return fault('', 'openapi-body-unexpected');
      return parametersFault(found, facts);
    },
    content(facts, content) {
      const found = find(facts);
      if (found?.body === undefined) return fault('', 'openapi-body-unexpected');
      return bodyFault(document.data, found.body, content);
    },
  };
}

const literals = ({ operation }: Compiled) =>
  operation.segments.filter((segment) => !segment.includes('{')).length;

function matches(pattern: readonly string[], segments: readonly string[]): boolean {
  if (pattern.length !== segments.length) return false;
  return pattern.every((part, index) =>
    part.includes('{') ? segments[index] !== '' : part === segments[index],
  );
}

function compileOperation(
  document: Data,
  operation: Operation,
  schemaAt: (pointer: string) => ValidateFunction,
): Compiled {
  const parameters = operation.parameters.map(({ data, pointer }): Parameter => {
    const place = String(data.in);
    if (!PLACES.includes(place))
      throw new OpenApiFault(`${pointer}: "in" must be one of ${PLACES.join(', ')}`);
    if (data.content !== undefined)
      throw new OpenApiFault(`${pointer}: parameters with "content" are not supported`);
    const name = String(data.name);
    return {
      name: place === 'header' ? name.toLowerCase() : name,
      place: place as Parameter['place'],
      required: data.required === true || place === 'path',
      form: parameterForm(document, data, pointer),
      validate: data.schema === undefined ? undefined : schemaAt(`${pointer}/schema`),
    };
  });
  for (const segment of operation.segments) {
    if (segment.includes('{') && !/^\{[^{}]+\}$/.test(segment)) {
      throw new OpenApiFault(
        `${operation.pointer}: a parameter that is a part of a segment is not supported`,
      );
    }
  }
  return { operation, parameters, body: compileBody(document, operation.body, schemaAt) };
}

function compileBody(
  document: Data,
  body: Operation['body'],
  schemaAt: (pointer: string) => ValidateFunction,
): Body | undefined {
  if (body === undefined) return undefined;
  const types = new Map<string, { schema: unknown; validate: ValidateFunction | undefined }>();
  const content = follow(document, body.data.content ?? {}, `${body.pointer}/content`);
  for (const type of Object.keys(content.data)) {
    const pointer = `${content.pointer}/${pointerStep(type)}`;
    const { data } = follow(document, content.data[type], pointer);
    const validate = data.schema === undefined ? undefined : schemaAt(`${pointer}/schema`);
    types.set(type.split(';')[0]?.trim().toLowerCase() ?? '', { schema: data.schema, validate });
  }
  return { required: body.data.required === true, types };
}

function parametersFault({ operation, parameters }: Compiled, facts: RequestFacts): PayloadFault | undefined {
  const cookies = cookiesOf(facts.headers.get('cookie'));
  for (const name of facts.parameters.keys()) {
    const known = parameters.some((each) => each.place === 'query' && each.name === name);
    if (!known) return fault(named('query', name), 'openapi-parameter-unknown');
  }
  for (const parameter of parameters) {
    const { name, place } = parameter;
    if (place === 'header' && NOT_DESCRIBED.has(name)) continue;
    const at = operation.segments.indexOf(`{${name}}`);
    const shown = place === 'path' ? `path:${at}` : named(place, name);
    const values = valuesOf(parameter, at, facts, cookies);
    if (values === undefined) {
      if (parameter.required) return fault(shown, 'openapi-parameter-missing');
      continue;
    }
    const value = valueOfParameter(values, parameter.form);
    if (value === undefined) return fault(shown, 'openapi-parameter-repeated');
    const found = parameter.validate === undefined ? undefined : schemaFault(parameter.validate, value);
    if (found !== undefined) return fault(shown, `openapi-${found.rule}`);
  }
  return undefined;
}

function valuesOf(
  { name, place }: Parameter,
  at: number,
  facts: RequestFacts,
  cookies: ReadonlyMap<string, readonly string[]>,
): readonly string[] | undefined {
  if (place === 'query') return facts.parameters.get(name);
  if (place === 'cookie') return cookies.get(name);
  const one = place === 'header' ? facts.headers.get(name) : facts.path.segments[at];
  return one === undefined ? undefined : [one];
}

function cookiesOf(header: string | undefined): ReadonlyMap<string, readonly string[]> {
  const cookies = new Map<string, string[]>();
  for (const pair of header?.split(';') ?? []) {
    const equals = pair.indexOf('=');
    if (equals < 0) continue;
    const name = pair.slice(0, equals).trim();
    cookies.set(name, [...(cookies.get(name) ?? []), pair.slice(equals + 1).trim()]);
  }
  return cookies;
}

function bodyFault(document: Data, body: Body, content: Content): PayloadFault | undefined {
  const { mediaType } = content;
  const range = `${mediaType.split('/')[0]}/*`;
  const known = body.types.get(mediaType) ?? body.types.get(range) ?? body.types.get('*/*');
  if (known === undefined) return fault('', 'openapi-media-type', 'unsupported-media');
  if (known.validate === undefined) return undefined;
  const value = valueOfContent(document, known.schema, content);
  // What a JSON Schema can say nothing about is not passed on its strength: an XML Schema may say it.
  return value === undefined
    ? fault('', 'openapi-media-type', 'unsupported-media')
    : schemaFault(known.validate, value);
}

function valueOfContent(document: Data, schema: unknown, content: Content): Json | undefined {
  switch (content.kind) {
    case 'json':
      return content.value;
    case 'form':
      return objectOfFields(document, schema, content.fields);
    case 'multipart':
      return objectOfFields(document, schema, fieldsOfParts(content.parts));
    case 'text':
      return content.text;
    case 'opaque':
      return '';
    case 'xml':
      return undefined;
  }
}
