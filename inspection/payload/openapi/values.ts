import type { FormPart, Json } from '../../../contracts/content.ts';
import { type Data, follow, OpenApiFault } from './document.ts';

/** JSON types that a value's schema allows; empty: any. */
export function typesOf(document: Data, schema: unknown, depth = 0): readonly string[] {
  if (typeof schema !== 'object' || schema === null || depth > 8) return [];
  const { data } = follow(document, schema, '/schema');
  if (typeof data.type === 'string') return [data.type];
  if (Array.isArray(data.type)) return data.type.map(String);
  for (const key of ['oneOf', 'anyOf', 'allOf'] as const) {
    const list: unknown = data[key];
    if (Array.isArray(list)) return [...new Set(list.flatMap((each) => typesOf(document, each, depth + 1)))];
  }
  if (Array.isArray(data.enum)) {
    return [...new Set(data.enum.map((value) => (value === null ? 'null' : typeof value)))];
  }
  return [];
}

const NUMBER = /^-?(?:0|[1-9]\d{0,17})(?:\.\d{1,17})?(?:[eE][+-]?\d{1,3})?$/;

/** A text as the value that its schema means. One that is none of the types stays a text, which the schema refuses. */
export function coerce(text: string, types: readonly string[]): Json {
  if ((types.includes('integer') || types.includes('number')) && NUMBER.test(text)) return Number(text);
  if (types.includes('boolean') && (text === 'true' || text === 'false')) return text === 'true';
  if (types.includes('null') && text === '' && !types.includes('string')) return null;
  return text;
}

export interface ParameterForm {
  readonly types: readonly string[];
  /** Of the items of a list. */
  readonly items: readonly string[] | undefined;
  /** Between the items of a list that is one text; undefined: each is a parameter of its own. */
  readonly separator: string | undefined;
}

const SEPARATORS: Readonly<Record<string, string>> = {
  simple: ',',
  form: ',',
  spaceDelimited: ' ',
  pipeDelimited: '|',
};

/** How a parameter is written (OpenAPI 3.1 §4.8.12.2). @throws OpenApiFault for a style that is not supported */
export function parameterForm(document: Data, parameter: Data, pointer: string): ParameterForm {
  const place = String(parameter.in);
  const style = String(parameter.style ?? (place === 'query' || place === 'cookie' ? 'form' : 'simple'));
  const separator = SEPARATORS[style];
  if (separator === undefined) throw new OpenApiFault(`${pointer}: the style "${style}" is not supported`);
  const types = typesOf(document, parameter.schema);
  if (types.includes('object'))
    throw new OpenApiFault(`${pointer}: parameters that are objects are not supported`);
  if (!types.includes('array')) return { types, items: undefined, separator: undefined };
  const schema = follow(document, parameter.schema, pointer).data;
  const explode = parameter.explode === undefined ? style === 'form' : parameter.explode === true;
  return {
    types,
    items: typesOf(document, schema.items),
    separator: explode && place === 'query' ? undefined : separator,
  };
}

/** The values of a parameter as its schema means them; undefined: more of them than it may have. */
export function valueOfParameter(values: readonly string[], form: ParameterForm): Json | undefined {
  if (form.items === undefined) return values.length === 1 ? coerce(values[0] ?? '', form.types) : undefined;
  const { items, separator } = form;
  if (separator === undefined) return values.map((value) => coerce(value, items));
  if (values.length !== 1) return undefined;
  const [text = ''] = values;
  return text === '' ? [] : text.split(separator).map((value) => coerce(value, items));
}

/** The fields of a form as the object that its schema describes. */
export function objectOfFields(
  document: Data,
  schema: unknown,
  fields: Iterable<readonly [string, readonly string[]]>,
): Record<string, Json> {
  const properties = propertiesOf(document, schema);
  const made: Record<string, Json> = Object.create(null);
  for (const [name, values] of fields) {
    const types = typesOf(document, properties.get(name));
    if (types.includes('array')) {
      const items = typesOf(document, follow(document, properties.get(name) ?? {}, '/schema').data.items);
      made[name] = values.map((value) => coerce(value, items));
    } else made[name] = values.length === 1 ? coerce(values[0] ?? '', types) : [...values];
  }
  return made;
}

/** The parts of a multipart body, files as texts of their length that say nothing else. */
export function fieldsOfParts(parts: readonly FormPart[]): ReadonlyMap<string, readonly string[]> {
  const fields = new Map<string, string[]>();
  for (const { name, bytes, fileName } of parts) {
    const value = fileName === undefined ? bytes.toString('utf8') : '';
    fields.set(name, [...(fields.get(name) ?? []), value]);
  }
  return fields;
}

function propertiesOf(document: Data, schema: unknown): ReadonlyMap<string, unknown> {
  if (typeof schema !== 'object' || schema === null) return new Map();
  const { data } = follow(document, schema, '/schema');
  const own =
    typeof data.properties === 'object' && data.properties !== null ? Object.entries(data.properties) : [];
  const parts = Array.isArray(data.allOf)
    ? data.allOf.flatMap((each) => [...propertiesOf(document, each)])
    : [];
  return new Map([...parts, ...own]);
}
