import type { Schema } from './schema.ts';
import { integer, object, size } from './values.ts';

/** Bounds of the bodies that are read whole, and of the answers that are judged. Every one is a refusal, never a cut. */
export const CONTENT: Schema = object(
  {
    title: 'Content',
    description:
      'Bounds of bodies that are read whole, because the policy or the inspection has to see them, and of answers ' +
      'that are judged. What is beyond is refused, never cut.',
    default: {},
  },
  {
    jsonDepth: integer(
      { description: 'Arrays and objects within each other.', default: 64, examples: [64] },
      4,
      256,
    ),
    jsonValues: integer(
      { description: 'Values of a JSON body, of every kind.', default: 200_000, examples: [200_000] },
      100,
      10_000_000,
    ),
    formFields: integer(
      {
        description:
          'Fields of a form. PHP drops what is beyond its `max_input_vars`, 1000 by default, without a word.',
        default: 1000,
        examples: [1000],
      },
      1,
      100_000,
    ),
    parts: integer(
      { description: 'Parts of a `multipart/form-data` body.', default: 100, examples: [100] },
      1,
      10_000,
    ),
    partHeader: size(
      { description: 'Header of one part.', default: '4KiB', examples: ['4KiB'] },
      '256B',
      '64KiB',
    ),
    body: size(
      {
        description: "Largest body that is read whole, whatever a route's `maxBody` says.",
        default: '16MiB',
        examples: ['16MiB'],
      },
      '1KiB',
      '256MiB',
    ),
    held: size(
      {
        description:
          'All bodies together that one worker holds while they are read and judged. What finds no room gets a 503.',
        default: '256MiB',
        examples: ['256MiB'],
      },
      '1MiB',
      '64GiB',
    ),
    answer: size(
      {
        description:
          'Largest answer of the EMR that is judged; a larger one is hidden like what may not be seen.',
        default: '16MiB',
        examples: ['16MiB'],
      },
      '1KiB',
      '256MiB',
    ),
  },
);
