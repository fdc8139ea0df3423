import type { Secret } from '../contracts/settings.ts';

/**
 * Bytes that must not be shown. They live in a private field, which neither `util.inspect` nor JSON
 * nor `structuredClone` can reach; only `reveal` hands them out, as a copy.
 */
class HiddenSecret implements Secret {
  readonly #bytes: Buffer;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
    Object.freeze(this);
  }

  reveal(): Buffer {
    return Buffer.from(this.#bytes);
  }

  toString(): '[secret]' {
    return '[secret]';
  }

  toJSON(): '[secret]' {
    return '[secret]';
  }

  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return '[secret]';
  }
}

/** @param content the file's bytes; one trailing line break (LF or CRLF) is not part of the secret */
export function secretOf(content: Buffer): Secret {
  let end = content.length;
  if (content[end - 1] === 0x0a) end -= content[end - 2] === 0x0d ? 2 : 1;
  return new HiddenSecret(Buffer.from(content.subarray(0, end)));
}
