import { NAME_PATTERN } from '../../contracts/identifiers.ts';
import { DURATION_PATTERN, SIZE_PATTERN } from '../units.ts';
import type { Schema } from './schema.ts';

/** Builders of the values that occur in several places, so that each is described and judged alike. */

interface About {
  readonly description: string;
  readonly default?: unknown;
  readonly examples?: readonly unknown[];
}

export function object(
  about: { readonly title: string; readonly description: string; readonly default?: unknown },
  properties: Readonly<Record<string, Schema>>,
  required: readonly string[] = [],
): Schema {
  return {
    type: 'object',
    ...about,
    properties,
    ...(required.length > 0 ? { required } : {}),
    additionalProperties: false,
  };
}

export function duration(about: About, from: string, to: string, step: '1s' | undefined = undefined): Schema {
  return {
    type: 'string',
    ...about,
    pattern: DURATION_PATTERN,
    errorMessage: 'must be a duration such as 250ms, 1s, 5m or 1h',
    'x-kind': 'duration',
    'x-duration': step === undefined ? { from, to } : { from, to, step },
  };
}

/** A duration, or the one word that stands for finding it out. */
export function durationOr(word: string, about: About, from: string, to: string): Schema {
  return {
    ...duration(about, from, to),
    pattern: `^${word}$|${DURATION_PATTERN}`,
    errorMessage: `must be a duration such as 250ms, 1s, 5m or 1h, or "${word}"`,
  };
}

export function size(about: About, from: string, to: string): Schema {
  return {
    type: 'string',
    ...about,
    pattern: SIZE_PATTERN,
    errorMessage: 'must be a size such as 64KB, 1MB or 1MiB',
    'x-kind': 'size',
    'x-size': { from, to },
  };
}

/** The path of a file or folder; relative ones start at the folder of the file they stand in. */
export function path(about: About, kind: string = 'file'): Schema {
  return {
    type: 'string',
    ...about,
    minLength: 1,
    maxLength: 4096,
    errorMessage: `must be the path of a ${kind}`,
    'x-kind': kind,
  };
}

/** A secret, always by reference to a file of its own. */
export function secret(about: About): Schema {
  return {
    ...object(
      { title: 'Secret', description: about.description },
      {
        file: path({
          description:
            'File that holds the secret and nothing else; a trailing line break is not part of it. ' +
            'Readable by its owner alone (`chmod 600`), at most 4096 bytes.',
          ...(about.examples === undefined ? {} : { examples: about.examples }),
        }),
      },
      ['file'],
    ),
    errorMessage: 'must be "{ file: PATH }": a secret is never written into the configuration itself',
  };
}

export function name(about: About): Schema {
  return {
    type: 'string',
    ...about,
    pattern: NAME_PATTERN,
    errorMessage: 'must be a name: 1 to 63 of a-z, 0-9 and "-", beginning with a letter',
    'x-kind': 'name',
  };
}

export function integer(about: About, minimum: number, maximum: number): Schema {
  return {
    type: 'integer',
    ...about,
    minimum,
    maximum,
    errorMessage: `must be a whole number from ${minimum} to ${maximum}`,
  };
}

export function flag(about: About): Schema {
  return {
    type: 'boolean',
    ...about,
    errorMessage: 'must be true or false (in YAML 1.2, "yes", "no", "on" and "off" are plain texts)',
  };
}

export function choice(about: About, values: readonly string[]): Schema {
  return { type: 'string', ...about, enum: values };
}

export function limit(about: {
  readonly title: string;
  readonly description: string;
  readonly default?: { readonly requests: number; readonly window: string };
}): Schema {
  const one = object(
    about,
    {
      requests: integer({ description: 'Requests allowed per window.', examples: [600] }, 1, 100_000_000),
      window: duration(
        { description: 'Length of the window, whole seconds.', examples: ['1m'] },
        '1s',
        '24h',
        '1s',
      ),
    },
    ['requests', 'window'],
  );
  // Each of a list is of the same form; it has no defaults of its own.
  const { default: _default, ...item } = one;
  return {
    ...one,
    type: ['object', 'array'],
    items: item,
    minItems: 1,
    maxItems: 4,
    errorMessage: 'must be "{ requests: 600, window: 1m }", or a list of up to four of them',
  };
}

/** An IP address to listen on. Names are refused: what they stand for changes. */
export function address(about: About): Schema {
  return {
    type: 'string',
    ...about,
    pattern: '^[0-9A-Fa-f.:]{2,45}$',
    errorMessage: 'must be an IP address such as 127.0.0.1, 0.0.0.0 or "::"',
    'x-kind': 'IP address',
  };
}
