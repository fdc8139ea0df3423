import { Ajv, type ErrorObject, type ValidateFunction } from 'ajv';
import type { FaultList } from '../fault-list.ts';
import { below } from '../pointer.ts';
import { nearest } from '../suggest.ts';
import { bytes, milliseconds } from '../units.ts';
import { OWN_ANNOTATIONS, type Schema } from './schema.ts';

type Judge = (data: unknown, faults: FaultList) => void;

/**
 * Compiles a schema into a function that adds every departure from it to a fault list. Messages name
 * what is allowed and never repeat a value of the file: it may be a secret in the wrong place.
 * @param fillDefaults write the schema's defaults into the data where keys are absent
 */
export function judgeOf(schema: Schema, fillDefaults: boolean): Judge {
  let validate: ValidateFunction | undefined;
  return (data, faults) => {
    validate ??= compile(schema, fillDefaults);
    if (validate(data)) return;
    for (const error of validate.errors ?? []) report(error, faults);
  };
}

function compile(schema: Schema, fillDefaults: boolean): ValidateFunction {
  const ajv = new Ajv({
    allErrors: true,
    strict: true,
    allowUnionTypes: true,
    useDefaults: fillDefaults,
    verbose: true,
    validateSchema: true,
  });
  ajv.addVocabulary([...OWN_ANNOTATIONS]);
  addRange(ajv, 'x-duration', milliseconds);
  addRange(ajv, 'x-size', bytes);
  return ajv.compile(schema);
}

interface Range {
  readonly from: string;
  readonly to: string;
  readonly step?: string;
}

function addRange(ajv: Ajv, keyword: string, quantityOf: (text: string) => number | undefined): void {
  ajv.addKeyword({
    keyword,
    type: 'string',
    schemaType: 'object',
    validate: ({ from, to, step }: Range, text: string) => {
      const quantity = quantityOf(text);
      if (quantity === undefined) return true; // `pattern` reports it
      const unit = step === undefined ? 1 : (quantityOf(step) ?? 1);
      return (
        quantity >= (quantityOf(from) ?? 0) && quantity <= (quantityOf(to) ?? 0) && quantity % unit === 0
      );
    },
  });
}

function report(error: ErrorObject, faults: FaultList): void {
  const schema = (error.parentSchema ?? {}) as Schema;
  const pointer = error.instancePath;
  switch (error.keyword) {
    case 'additionalProperties': {
      const key = String(error.params.additionalProperty);
      const place = below(pointer, key);
      if (!faults.has(place)) faults.add(place, unknownKey(key, schema, error.data), true);
      return;
    }
    case 'required': {
      const key = String(error.params.missingProperty);
      const meaning = schema.properties?.[key]?.description;
      faults.add(
        below(pointer, key),
        `is missing${meaning === undefined ? '' : `: ${firstSentence(meaning)}`}`,
      );
      return;
    }
    case 'propertyNames': {
      const place = below(pointer, String(error.params.propertyName));
      const names = schema.propertyNames?.pattern === CAPTURE ? 'letters and digits' : 'a-z, 0-9 and "-"';
      faults.add(place, `must be a name of ${names}, beginning with a letter`, true);
      return;
    }
    default:
      // What `propertyNames` found is reported under that keyword.
      if (error.propertyName !== undefined) return;
      // One fault for one value is enough: a text that is empty also has the wrong form.
      if (!faults.has(pointer)) faults.add(pointer, message(error, schema));
  }
}

const CAPTURE = '^[A-Za-z][A-Za-z0-9]{0,31}$';

function unknownKey(key: string, schema: Schema, parent: unknown): string {
  const allowed = Object.keys(schema.properties ?? {});
  // A key that is there already is not what was meant.
  const free = allowed.filter(
    (name) => !Object.hasOwn(parent as object, name) || isDefault(schema, name, parent),
  );
  const guess = nearest(key, free);
  const hint = guess === undefined ? '' : `; did you mean "${guess}"?`;
  return `is not a known key${hint} Allowed here: ${allowed.join(', ')}`.replace(
    'key Allowed',
    'key. Allowed',
  );
}

/** Defaults are filled in before unknown keys are reported, so being there is not proof of being written. */
function isDefault(schema: Schema, name: string, parent: unknown): boolean {
  const fallback = schema.properties?.[name]?.default;
  if (fallback === undefined) return false;
  const value = (parent as Record<string, unknown>)[name];
  return typeof fallback === 'object' || value === fallback;
}

function message(error: ErrorObject, schema: Schema): string {
  switch (error.keyword) {
    case 'type':
      if (error.data === null) return `has no value; ${schema.errorMessage ?? mustBe(schema)}`;
      return schema.errorMessage ?? mustBe(schema);
    case 'enum': {
      if (schema.errorMessage !== undefined) return schema.errorMessage;
      const guess = typeof error.data === 'string' ? nearest(error.data, schema.enum ?? []) : undefined;
      return `${mustBe(schema)}${guess === undefined ? '' : `; did you mean "${guess}"?`}`;
    }
    case 'x-duration':
    case 'x-size':
      return rangeMessage(error.schema as Range, error.keyword === 'x-size' ? 'size' : 'duration');
    case 'minItems':
      return 'must have at least one entry';
    case 'minProperties':
      return 'must have at least one key';
    case 'maxItems':
      return `must have at most ${schema.maxItems} entries`;
    case 'uniqueItems':
      return `lists the same entry twice (at ${[error.params.i, error.params.j].toSorted((a, b) => a - b).join(' and ')}, counted from 0)`;
    case 'maxLength':
      return `must be at most ${schema.maxLength} characters long`;
    case 'minLength':
      return `must not be empty${schema.errorMessage === undefined ? '' : `; ${schema.errorMessage}`}`;
    default:
      return schema.errorMessage ?? mustBe(schema);
  }
}

function rangeMessage({ from, to, step }: Range, what: string): string {
  const whole = step === undefined ? '' : ' in whole seconds';
  return `must be a ${what} from ${from} to ${to}${whole}`;
}

function mustBe(schema: Schema): string {
  if (schema.enum !== undefined) {
    return schema.enum.length === 1
      ? `must be ${schema.enum[0]}`
      : `must be one of ${schema.enum.join(', ')}`;
  }
  switch (schema.type) {
    case 'object':
      return `must be a mapping${schema.properties === undefined ? '' : ` with the keys ${Object.keys(schema.properties).join(', ')}`}`;
    case 'array':
      return 'must be a list';
    case 'integer':
      return 'must be a whole number';
    case 'boolean':
      return 'must be true or false';
    default:
      return 'must be a text (put numbers, true and false in quotes)';
  }
}

function firstSentence(text: string): string {
  const end = text.indexOf('. ');
  return (end === -1 ? text : text.slice(0, end + 1)).replace(/\.$/, '');
}
