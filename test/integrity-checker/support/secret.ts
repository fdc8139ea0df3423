import type { Secret } from '../../../contracts/settings.ts';

/** A secret as the settings carry it. */
export function secretOf(text: string): Secret {
  return {
    reveal: () => Buffer.from(text),
    toString: () => '[secret]',
    toJSON: () => '[secret]',
  };
}
