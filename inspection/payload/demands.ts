import type { Content } from '../../contracts/content.ts';
import type { RequestFacts } from '../../contracts/facts.ts';
import type { FieldRule, NamedText, PayloadDemand } from '../../contracts/payload.ts';
import { compileFields } from './fields.ts';
import { fault, type PayloadFault } from './finding.ts';
import { createSchemas, schemaFault, type ValidateFunction } from './json-schema.ts';
import { compileLengths } from './lengths.ts';
import { MEDIA } from './media.ts';
import { compileOpenApi } from './openapi/index.ts';
import { withXml } from './xml/document.ts';
import { compileXsd } from './xml/xsd.ts';

export interface Checks {
  head(facts: RequestFacts): PayloadFault | undefined;
  content(facts: RequestFacts, content: Content): PayloadFault | undefined;
}

/** What a demand means, or why it means nothing: pointers below the demand, and messages for the operator. */
export type CompiledDemand =
  | { readonly ok: true; readonly checks: Checks }
  | {
      readonly ok: false;
      readonly faults: readonly { readonly pointer: string; readonly message: string }[];
    };

const UNSUPPORTED: PayloadFault = fault('', 'payload-media-type', 'unsupported-media');

/** Compiles what a route demands of its payloads, all of it or nothing. */
export function compileDemand(demand: PayloadDemand): CompiledDemand {
  const faults: { pointer: string; message: string }[] = [];
  const heads: Checks['head'][] = [];
  const contents: Checks['content'][] = [];
  const attempt = <T>(pointer: string, result: { ok: true; value: T } | { ok: false; message: string }) => {
    if (result.ok) return result.value;
    faults.push({ pointer, message: result.message });
    return undefined;
  };

  const { lengths, openapi, parameters } = demand;
  const api = openapi === undefined ? undefined : attempt('/openapi', openApiOf(openapi));
  if (api !== undefined) {
    heads.push(api.head);
    contents.push(api.content);
  }
  if (parameters !== undefined) {
    faults.push(...ruleFaults(parameters, '/parameters', false));
    const rules = compileFields(parameters);
    heads.push((facts) => rules.values(facts.parameters, 'query'));
  }
  const body = bodyChecks(demand, attempt, faults);
  if (body !== undefined) contents.push(body);
  if (lengths !== undefined) {
    const judge = compileLengths(lengths);
    heads.push((facts) => judge.head(facts.parameters));
    contents.push((_facts, content) => judge.content(content));
  }
  if (faults.length > 0) return { ok: false, faults };
  return {
    ok: true,
    checks: {
      head: (facts) => first(heads, (judge) => judge(facts)),
      content: (facts, content) => first(contents, (judge) => judge(facts, content)),
    },
  };
}

function first<T>(
  judges: readonly T[],
  call: (judge: T) => PayloadFault | undefined,
): PayloadFault | undefined {
  for (const judge of judges) {
    const found = call(judge);
    if (found !== undefined) return found;
  }
  return undefined;
}

type Attempt = <T>(
  pointer: string,
  result: { ok: true; value: T } | { ok: false; message: string },
) => T | undefined;

/** What the body itself must be: of the kinds that are described, and as they are described. */
function bodyChecks(
  { schema, xsd, fields }: PayloadDemand,
  attempt: Attempt,
  faults: { pointer: string; message: string }[],
): Checks['content'] | undefined {
  if (schema === undefined && xsd === undefined && fields === undefined) return undefined;
  const json = schema === undefined ? undefined : attempt('/schema', jsonSchemaOf(schema));
  const xml = xsd === undefined ? undefined : attempt('/xsd', xsdOf(xsd));
  if (fields !== undefined) faults.push(...ruleFaults(fields, '/fields', true));
  const rules = fields === undefined ? undefined : compileFields(fields);
  return (_facts, content) => {
    switch (content.kind) {
      case 'json':
        return json === undefined ? UNSUPPORTED : schemaFault(json, content.value);
      case 'xml':
        return xml === undefined ? UNSUPPORTED : xml(content.text);
      case 'form':
        return rules === undefined ? UNSUPPORTED : rules.values(content.fields, 'form');
      case 'multipart':
        return rules === undefined ? UNSUPPORTED : rules.parts(content.parts);
      case 'text':
      case 'opaque':
        return UNSUPPORTED;
    }
  };
}

/** XML that nothing describes is at least well-formed and harmless to read. */
export function plainContentFault(content: Content): PayloadFault | undefined {
  return content.kind === 'xml' ? withXml(content.text, () => undefined) : undefined;
}

function openApiOf(file: NamedText) {
  const result = compileOpenApi(file.text);
  return result.ok
    ? { ok: true as const, value: result.checks }
    : { ok: false as const, message: result.message };
}

function xsdOf(files: readonly NamedText[]) {
  const result = compileXsd(files);
  return result.ok
    ? { ok: true as const, value: result.judge }
    : { ok: false as const, message: result.message };
}

function jsonSchemaOf(file: NamedText) {
  let schema: unknown;
  try {
    schema = JSON.parse(file.text);
  } catch (error) {
    return { ok: false as const, message: `the file is no JSON: ${messageOf(error)}` };
  }
  if (typeof schema !== 'object' || schema === null || Array.isArray(schema)) {
    return { ok: false as const, message: 'the file must hold a JSON Schema, which is an object' };
  }
  try {
    const value: ValidateFunction = createSchemas().compile(schema);
    return { ok: true as const, value };
  } catch (error) {
    return {
      ok: false as const,
      message: `the file is no JSON Schema that can be compiled: ${messageOf(error)}`,
    };
  }
}

const messageOf = (error: unknown) =>
  error instanceof Error ? error.message.slice(0, 300) : 'it cannot be read';

function ruleFaults(rules: Readonly<Record<string, FieldRule>>, at: string, files: boolean) {
  return Object.entries(rules).flatMap(([name, rule]) => {
    const pointer = `${at}/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`;
    if (rule.type === 'file' && !files)
      return [{ pointer: `${pointer}/type`, message: 'a query carries no file' }];
    const unknown = rule.mediaTypes?.findIndex((type) => !MEDIA.has(type)) ?? -1;
    if (unknown < 0) return [];
    const message = `is no media type that can be told by its content; known: ${[...MEDIA.keys()].join(', ')}`;
    return [{ pointer: `${pointer}/mediaTypes/${unknown}`, message }];
  });
}
