import { NAME_PATTERN } from '../../contracts/identifiers.ts';
import type { Schema } from './schema.ts';
import { name, object } from './values.ts';

/** Keys of a policy file that are of no single route. */

export const EXTENDS: Schema = {
  type: 'array',
  title: 'Packs',
  description:
    'Ready sets of rules whose routes are part of the policy. `chartgate policy packs` lists them.',
  minItems: 1,
  maxItems: 16,
  items: object(
    { title: 'Pack', description: 'One pack.' },
    {
      pack: name({ description: 'Its name.', examples: ['fhir-r4'] }),
      version: {
        type: 'string',
        description: 'Version of what the EMR speaks. It must be one that the pack was made for.',
        examples: ['4.0.1'],
        minLength: 1,
        maxLength: 32,
        pattern: '^[A-Za-z0-9][A-Za-z0-9.+-]*$',
        errorMessage: 'must be a version in quotes, such as "4.0.1"',
      },
      base: {
        type: 'string',
        description: "Where its routes lie at the EMR; the pack's own place unless given.",
        examples: ['/apis/default/fhir'],
        pattern: '^/',
        maxLength: 512,
        errorMessage: 'must be a path that begins with "/"',
        'x-kind': 'path',
      },
    },
    ['pack'],
  ),
};

export const ROLES: Schema = {
  type: 'object',
  title: 'Roles',
  description:
    'The roles that the policy knows, and the scopes that each gives whoever holds it (`roles` of the token, or ' +
    '`relyingParty.rolesClaim`), besides those of the token.',
  examples: [{ nurse: ['user/Observation.rs'] }],
  minProperties: 1,
  propertyNames: { pattern: NAME_PATTERN },
  errorMessage: 'must be a mapping of roles to lists of scopes',
  additionalProperties: {
    type: 'array',
    description: 'Scopes; none for a role that only conditions name.',
    uniqueItems: true,
    items: {
      type: 'string',
      minLength: 1,
      maxLength: 256,
      errorMessage: 'must be one OAuth 2 scope of 1 to 256 characters',
    },
  },
};

export const SEPARATE: Schema = {
  type: 'array',
  title: 'Separation of duties',
  description: 'Lists of roles. Whoever holds two of one list is refused everything until one is taken away.',
  examples: [[['prescriber', 'dispenser']]],
  minItems: 1,
  items: {
    type: 'array',
    description: 'Roles of which nobody may hold two.',
    minItems: 2,
    items: name({ description: 'A role.' }),
  },
};
