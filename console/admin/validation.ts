import type { ErrorObject, ValidateFunction } from 'ajv';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { QUERY_SCHEMAS } from './openapi.ts';
import type { RequestFault } from './problems.ts';
import { SCHEMAS } from './schemas.ts';

const ROOT = 'urn:chartgate:admin';

/** RFC 3339 in UTC, as we write it. */
const DATE_TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,3})?Z$/;

/** Validates by the schemas of the description, compiled once. */
export class Validation {
  readonly #ajv: Ajv2020;

  constructor() {
    this.#ajv = new Ajv2020({
      strict: true,
      strictTypes: false,
      allErrors: true,
      formats: { 'date-time': DATE_TIME },
    });
    // Where OpenAPI keeps its schemas; for JSON Schema it means nothing.
    this.#ajv.addVocabulary(['components']);
    this.#ajv.addSchema({ $id: ROOT, components: { schemas: SCHEMAS } });
    for (const name of Object.keys(SCHEMAS)) this.#schema(name);
  }

  /** @param name of a schema of the description. Empty: it is valid. */
  faults(name: string, value: unknown): readonly RequestFault[] {
    const validate = this.#schema(name);
    return validate(value) ? [] : told('body', validate.errors);
  }

  query(name: keyof typeof QUERY_SCHEMAS, value: unknown): readonly RequestFault[] {
    const validate = this.#ajv.compile(QUERY_SCHEMAS[name]);
    return validate(value) ? [] : told(`query ${name}`, validate.errors);
  }

  #schema(name: string): ValidateFunction {
    const validate = this.#ajv.getSchema(`${ROOT}#/components/schemas/${name}`);
    if (validate === undefined) throw new TypeError(`the description has no schema ${name}`);
    return validate;
  }
}

/** Where and what; values are not repeated, since they may be names of people. */
function told(place: string, errors: readonly ErrorObject[] | null | undefined): readonly RequestFault[] {
  return (errors ?? []).slice(0, 100).map(({ instancePath, keyword, message = 'is not valid', params }) => {
    const more =
      keyword === 'additionalProperties' ? ` (${String(params.additionalProperty).slice(0, 60)})` : '';
    return {
      at: `${place}${instancePath === '' ? '' : ` ${instancePath}`}`.slice(0, 300),
      message: `${message}${more}`.slice(0, 300),
    };
  });
}
