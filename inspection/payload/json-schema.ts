import { Ajv2020, type ErrorObject, type ValidateFunction } from 'ajv/dist/2020.js';
import type { Json } from '../../contracts/content.ts';
import { TEXT_FORMATS } from './fhir/formats.ts';
import { fault, type PayloadFault } from './finding.ts';
import { placeOf } from './place.ts';

/** Compiles JSON Schemas of draft 2020-12. Nothing is ever fetched: a reference leads into the same file, or nowhere. */
export function createSchemas(): Ajv2020 {
  const ajv = new Ajv2020({
    strict: false,
    allErrors: false,
    validateFormats: true,
    // A schema that is none is a fault of the settings.
    validateSchema: true,
    logger: false,
    unicodeRegExp: true,
    allowUnionTypes: true,
  });
  const { date, dateTime, instant, time, uri, uuid } = TEXT_FORMATS;
  const formats: Readonly<Record<string, ((text: string) => boolean) | undefined>> = {
    date: (text) => text.length === 10 && date?.(text) === true,
    'date-time': (text) => instant?.(text.replace(' ', 'T')) === true,
    time: (text) => time?.(text.replace(/(?:Z|[+-]\d\d:\d\d)$/, '')) === true,
    email: (text) => text.length <= 254 && /^[^\s@<>"'\\]{1,64}@[A-Za-z0-9.-]{1,189}$/.test(text),
    hostname: (text) =>
      /^(?=.{1,253}$)[A-Za-z0-9](?:[A-Za-z0-9-]{0,62})(?:\.[A-Za-z0-9-]{1,63})*$/.test(text),
    ipv4: (text) => /^(?:(?:25[0-5]|2[0-4]\d|1?\d?\d)(?:\.(?!$)|$)){4}$/.test(text),
    uri,
    'uri-reference': (text) => text === '' || uri?.(text) === true,
    uuid: (text) => uuid?.(`urn:uuid:${text.toLowerCase()}`) === true,
    'json-pointer': (text) => /^(?:\/(?:[^~/]|~0|~1)*)*$/.test(text),
    byte: (text) => text === '' || TEXT_FORMATS.base64Binary?.(text) === true,
    fhirDateTime: dateTime,
  };
  for (const [name, test] of Object.entries(formats)) if (test !== undefined) ajv.addFormat(name, test);
  // OpenAPI's formats of numbers (OpenAPI 3.1 §4.4).
  ajv.addFormat('int32', { type: 'number', validate: (value) => Math.abs(value) <= 2_147_483_648 });
  for (const name of ['int64', 'float', 'double'])
    ajv.addFormat(name, { type: 'number', validate: () => true });
  for (const name of ['password', 'binary', 'ipv6', 'regex', 'iri']) ajv.addFormat(name, true);
  return ajv;
}

/** What a compiled schema says of a value; the value itself is not told. */
export function schemaFault(validate: ValidateFunction, value: Json, at = ''): PayloadFault | undefined {
  if (validate(value) === true) return undefined;
  return faultOf(validate.errors?.[0], at);
}

function faultOf(found: ErrorObject | undefined, at: string): PayloadFault {
  const params = (found?.params ?? {}) as Readonly<Record<string, unknown>>;
  const about = params.additionalProperty ?? params.unevaluatedProperty ?? params.missingProperty;
  const place = placeOf(at + (found?.instancePath ?? ''), typeof about === 'string' ? about : '');
  return fault(place, `schema-${kebab(found?.keyword ?? 'invalid')}`, 'unprocessable');
}

const kebab = (name: string) =>
  name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`).replaceAll('$', '');

export type { ValidateFunction };
