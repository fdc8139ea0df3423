import { FHIR_VERSIONS } from '../../contracts/policy.ts';
import { choice, object } from './values.ts';

/** `{name}` in a path. */
export const CAPTURE = '^[A-Za-z][A-Za-z0-9]{0,31}$';
const CAPTURE_MESSAGE = 'must be the name of a captured segment: letters and digits';

export const SMART = object(
  {
    title: 'SMART scope',
    description:
      'Resource scope a token must hold (SMART App Launch 2.2, "Scopes for requesting FHIR resources").',
  },
  {
    contexts: {
      type: 'array',
      description: 'Whose scopes count. `patient` needs the key `patient` or `fhir` of the route as well.',
      examples: [['patient', 'user']],
      minItems: 1,
      uniqueItems: true,
      items: { type: 'string', enum: ['patient', 'user', 'system'] },
    },
    resource: {
      type: 'string',
      description:
        'A resource type, or the captured segment it is taken from; `*` on routes with `fhir` that are of no type.',
      examples: ['{resourceType}'],
      pattern: '^([A-Z][A-Za-z]{0,63}|\\{[A-Za-z][A-Za-z0-9]{0,31}\\}|\\*)$',
      errorMessage: 'must be a resource type such as Patient, or a captured segment such as "{resourceType}"',
    },
    permission: {
      type: 'string',
      description:
        'Interactions needed, letters of `cruds` in that order. v1 `read` grants `rs`, `write` grants `cud`.',
      examples: ['r'],
      pattern: '^(?=.)c?r?u?d?s?$',
      errorMessage: 'must be letters of "cruds" in that order, each at most once, such as r or rs',
    },
  },
  ['contexts', 'resource', 'permission'],
);

export const FHIR = object(
  {
    title: 'FHIR interaction',
    description:
      'What the route does in FHIR. With it, `patient/` scopes reach the own compartment alone and the search ' +
      'restrictions of v2 scopes are enforced: searches are narrowed, bodies and answers judged (docs/fhir.md).',
  },
  {
    version: choice({ description: 'Version of FHIR.', examples: ['R4'] }, FHIR_VERSIONS),
    interaction: {
      type: 'string',
      description:
        'A RESTful interaction by its name in the standard: `read`, `vread`, `update`, `patch`, `delete`, `create`, ' +
        '`search-type`, `search-post`, `compartment-search`, `history-instance`, `batch`, `capabilities` …; ' +
        '`operation:NAME` for `$NAME`.',
      examples: ['read'],
      pattern: '^[a-z]+(-[a-z]+)*$|^operation:[a-z][A-Za-z0-9-]{0,63}$',
      errorMessage: 'must be an interaction of FHIR such as read or search-type, or operation:everything',
    },
  },
  ['version', 'interaction'],
);

export const PATIENT = object(
  {
    title: 'Patient',
    description:
      "Where the request names the patient, so that a token for one patient reaches that patient's data alone. " +
      'Exactly one of the two keys.',
  },
  {
    capture: {
      type: 'string',
      description: 'Captured segment that holds the patient id.',
      examples: ['id'],
      pattern: CAPTURE,
      errorMessage: CAPTURE_MESSAGE,
    },
    parameter: {
      type: 'string',
      description: 'Query parameter that must be there exactly once.',
      examples: ['patient'],
      pattern: '^[A-Za-z_][A-Za-z0-9_-]{0,63}$',
      errorMessage: 'must be the name of a query parameter, such as patient',
    },
  },
);
