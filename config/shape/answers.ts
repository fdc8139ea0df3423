import { ERROR_SIGNS } from '../../contracts/answer-rules.ts';
import type { Schema } from './schema.ts';
import { object, size } from './values.ts';

const PATTERN = object(
  {
    title: 'Pattern of an answer',
    description: 'What an answer looks like. Everything that is given must hold.',
  },
  {
    status: {
      type: 'array',
      description: 'One of these. Unless given: any; from 400 on nothing of an answer passes in any case.',
      examples: [[200]],
      minItems: 1,
      maxItems: 32,
      uniqueItems: true,
      items: { type: 'integer', minimum: 200, maximum: 399 },
    },
    bodyContains: {
      type: 'string',
      description:
        'A text as it stands in the body, as HTML writes it. The case of ASCII letters does not count.',
      examples: ['No such patient'],
      minLength: 4,
      maxLength: 200,
    },
    bodyMatches: {
      type: 'string',
      description: 'The same, with up to three `*`, each of which is at most 256 bytes of anything.',
      examples: ['Patient * was not found'],
      minLength: 4,
      maxLength: 200,
    },
    location: {
      type: 'string',
      description: 'Where a redirect leads: the beginning of the path and query, with up to three `*`.',
      examples: ['/login?expired='],
      pattern: '^/[\\x21-\\x7e]*$',
      maxLength: 200,
      errorMessage: 'must be a path, and maybe a query, such as /login or /login?expired=*',
      'x-kind': 'path',
    },
  },
);

const list = (description: string, example: Readonly<Record<string, unknown>>): Schema => ({
  type: 'array',
  description,
  examples: [[example]],
  minItems: 1,
  maxItems: 256,
  items: PATTERN,
});

/** What the EMR's answers mean, for one route or for all of a policy. */
export const ANSWERS: Schema = object(
  {
    title: 'Meaning of answers',
    description:
      'What answers of the EMR mean although their status does not say so: old systems tell with a page and status 200 ' +
      'that there is no such record, or that something broke ([existence-hiding.md](existence-hiding.md#pages)).',
  },
  {
    hidden: list(
      'Answers that say "not there" or "not for you": the client gets what it gets for an absent record. A route with ' +
        'such patterns has `hide: record` unless it says otherwise.',
      { bodyContains: 'No such patient' },
    ),
    failed: list('Answers that are errors of the EMR: nothing of them passes.', {
      bodyContains: 'Query Error',
    }),
    except: {
      type: 'array',
      description:
        'Built-in signs of errors (stack traces, SQL, versions, addresses, paths) that do not count, because permitted ' +
        'answers hold such text.',
      examples: [['path']],
      minItems: 1,
      uniqueItems: true,
      items: { type: 'string', enum: ERROR_SIGNS },
    },
    maxBytes: size(
      {
        description:
          'Up to here an answer is read whole before any of it is released. With `hidden` or `failed` patterns of ' +
          'bodies a larger one is refused (`content.answer` of the gateway unless given); without, a larger one is ' +
          'looked through as it passes, and cut at the first sign of an error (64KiB unless given).',
        examples: ['4MiB'],
      },
      '1KiB',
      '64MiB',
    ),
  },
);
