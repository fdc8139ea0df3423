import { Ajv, type ErrorObject, type ValidateFunction } from 'ajv';
import type { JsonObject } from '../../../contracts/content.ts';
import type { FhirVersion } from '../../../contracts/policy.ts';
import type { PayloadFault } from '../finding.ts';
import { placeOf } from '../place.ts';
import { type Definitions, definitionsOf } from './definitions.ts';
import { TEXT_FORMATS } from './formats.ts';
import { addMembersKeyword, error, type Judge } from './keywords.ts';
import { narrativeFault } from './narrative.ts';
import { parseReference } from './references.ts';
import { codesFormat, REFERENCE, schemaId, schemaOf, siblingSchema } from './schema.ts';

export interface FhirValidator {
  readonly definitions: Definitions;
  /** Compiles the schemas of a type now and not with the first request. */
  prepare(type: string): void;
  /**
   * Types, required elements, cardinality, unknown elements, codes of required bindings, references, narratives; what
   * is contained, and what a bundle's entries and parameters hold, too.
   * @param at pointer of the resource in the body
   */
  validate(resource: JsonObject, at?: string): PayloadFault | undefined;
}

const made = new Map<FhirVersion, FhirValidator>();

/** The validator of a version; made once, and a type's schemas compiled when one of it is met or prepared. */
export function fhirValidator(version: FhirVersion): FhirValidator {
  const known = made.get(version);
  if (known !== undefined) return known;
  const validator = build(definitionsOf(version));
  made.set(version, validator);
  return validator;
}

/** Resources in resources, at most: a bundle in a bundle is one, what that contains another. */
const DEEPEST = 4;

function build(definitions: Definitions): FhirValidator {
  const ajv = new Ajv({
    strict: true,
    strictTypes: false,
    inlineRefs: false,
    messages: false,
    validateSchema: false,
    code: { optimize: 1 },
  });
  /** Of the resource that is being looked at: what `#…` its references name. */
  let fragments: string[] = [];
  let depth = 0;
  const validators = new Map<string, ValidateFunction>();

  for (const [name, test] of Object.entries(TEXT_FORMATS)) ajv.addFormat(name, test);
  definitions.codes.forEach((list, index) => {
    const codes = new Set(list);
    ajv.addFormat(codesFormat(index), (text: string) => codes.has(text));
  });
  ajv.addFormat(REFERENCE, (text: string) => {
    const reference = parseReference(text, definitions);
    if (reference?.kind === 'fragment' && reference.name !== undefined) fragments.push(reference.name);
    return reference !== undefined;
  });
  /** The same schema is compiled once: most elements are of one of some hundred kinds. */
  const compiled = new Map<string, ValidateFunction>();
  addMembersKeyword(ajv, (schema) => {
    const key = JSON.stringify(schema);
    const known = compiled.get(key);
    if (known !== undefined) return known;
    const made = typeof schema.$ref === 'string' ? ajv.getSchema(schema.$ref) : ajv.compile(schema);
    if (made === undefined) throw new TypeError('a type without a schema');
    compiled.set(key, made as ValidateFunction);
    return made as ValidateFunction;
  });
  addNarrativeKeyword(ajv);
  ajv.addKeyword({
    keyword: 'resource',
    type: 'object',
    schemaType: 'string',
    errors: true,
    compile(element: string): Judge<JsonObject> {
      const validate: Judge<JsonObject> = (data, context) => {
        const at = context?.instancePath ?? '';
        const found = element === 'contained' ? contained(data, at) : apart(data, at);
        if (found === undefined) return true;
        validate.errors = [found];
        return false;
      };
      return validate;
    },
  });
  ajv.addSchema(siblingSchema());
  for (const type of definitions.types.keys()) ajv.addSchema(schemaOf(type, definitions));

  const validatorOf = (type: string): ValidateFunction | undefined => {
    const known = validators.get(type);
    if (known !== undefined) return known;
    if (!definitions.resources.has(type)) return undefined;
    const compiled = ajv.getSchema(schemaId(type));
    if (compiled !== undefined) validators.set(type, compiled);
    return compiled;
  };

  /** A resource by the schema of its type. */
  const check = (resource: JsonObject, at: string): Partial<ErrorObject> | undefined => {
    const type = resource.resourceType;
    const validate = typeof type === 'string' ? validatorOf(type) : undefined;
    if (validate === undefined) return error(at, 'resource-type', 'resourceType');
    if (depth >= DEEPEST) return error(at, 'depth', '');
    depth += 1;
    try {
      const context = {
        instancePath: at,
        parentData: {},
        parentDataProperty: '',
        rootData: {},
        dynamicAnchors: {},
      };
      return validate(resource, context) ? undefined : validate.errors?.[0];
    } finally {
      depth -= 1;
    }
  };

  /** One that is contained: part of the resource around it, with an id by which that refers to it. */
  const contained = (resource: JsonObject, at: string) => {
    if (resource.contained !== undefined) return error(at, 'contained', 'contained');
    if (typeof resource.id !== 'string') return error(at, 'required', 'id');
    return check(resource, at);
  };

  /** One that stands by itself: its references to what is contained are to what it contains. */
  const apart = (resource: JsonObject, at: string): Partial<ErrorObject> | undefined => {
    const outer = fragments;
    fragments = [];
    try {
      const found = check(resource, at);
      if (found !== undefined) return found;
      return isResolved(fragments, resource) ? undefined : error(at, 'fragment', 'contained');
    } finally {
      fragments = outer;
    }
  };

  return {
    definitions,
    prepare: (type) => void validatorOf(type),
    validate(resource, at = '') {
      depth = 0;
      const found = apart(resource, at);
      return found === undefined ? undefined : faultOf(found);
    },
  };
}

/** Every `#id` leads to something contained; `#` alone is the resource itself. */
function isResolved(fragments: readonly string[], resource: JsonObject): boolean {
  if (fragments.length === 0) return true;
  const list = Array.isArray(resource.contained) ? (resource.contained as readonly JsonObject[]) : [];
  const ids = new Set(list.map((each) => each.id));
  return fragments.every((id) => id === '' || ids.has(id) || id === resource.id);
}

function addNarrativeKeyword(ajv: Ajv): void {
  ajv.addKeyword({
    keyword: 'narrative',
    type: 'string',
    schemaType: 'boolean',
    errors: true,
    compile(): Judge<string> {
      const validate: Judge<string> = (text, context) => {
        const rule = narrativeFault(text);
        if (rule === undefined) return true;
        validate.errors = [error(context?.instancePath ?? '', rule, '')];
        return false;
      };
      return validate;
    },
  });
}

/** Stable names of what can be wrong, by ajv's keyword or ours. */
const RULES: Readonly<Record<string, string>> = {
  unknown: 'fhir-unknown-element',
  required: 'fhir-required',
  choice: 'fhir-choice',
  pair: 'fhir-primitive-list',
  type: 'fhir-type',
  const: 'fhir-type',
  minimum: 'fhir-range',
  maximum: 'fhir-range',
  minItems: 'fhir-empty',
  minProperties: 'fhir-empty',
  'resource-type': 'fhir-resource-type',
  fragment: 'fhir-reference-contained',
  contained: 'fhir-contained',
  depth: 'fhir-nesting',
};

function faultOf(found: Partial<ErrorObject>): PayloadFault {
  const keyword = found.keyword ?? '';
  const params = (found.params ?? {}) as Readonly<Record<string, unknown>>;
  const { name } = params;
  const place = placeOf(found.instancePath ?? '', typeof name === 'string' ? name : '');
  if (keyword === 'format') {
    const format = String(params.format);
    return { place, rule: format.startsWith('codes-') ? 'fhir-code' : `fhir-form-${format}` };
  }
  return { place, rule: RULES[keyword] ?? (keyword.startsWith('fhir-') ? keyword : 'fhir-schema') };
}
