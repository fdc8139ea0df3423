/** A small generator of numbers that is the same for the same seed (xorshift32). */
export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed | 0 || 1;
  }

  /** A whole number from 0 to `below` - 1. */
  below(below: number): number {
    let x = this.#state;
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    this.#state = x;
    return (x >>> 0) % below;
  }

  of<T>(values: readonly T[]): T {
    return values[this.below(values.length)] as T;
  }
}

/** Bytes that parsers of text trip over. */
const ODD: readonly Buffer[] = [
  '\0',
  '\r\n',
  '\n',
  '\r',
  '\t',
  ' ',
  '"',
  "'",
  '\\',
  '/',
  '%',
  '%00',
  '%2f',
  '%',
  '&',
  ';',
  '=',
  '+',
  '<',
  '>',
  '{',
  '}',
  '[',
  ']',
  ',',
  ':',
  '--',
  '.',
  '..',
  '\\u0000',
  '\\ud800',
  '\\',
  '-0',
  '1e999',
  '9'.repeat(400),
  '<!',
  '<?',
  '<![CDATA[',
  ']]>',
  '&lt;',
  '__proto__',
  'constructor',
  '\u00e9',
  '\u{1f600}',
  '\ufeff',
  '\u2028',
]
  .map((text) => Buffer.from(text))
  .concat([
    Buffer.from([0xff]),
    Buffer.from([0xc0, 0xaf]),
    Buffer.from([0xed, 0xa0, 0x80]),
    Buffer.from([0x80]),
  ]);

/** One to eight changes of a kind that a careless or a hostile client makes. */
export function mutated(seed: Buffer, other: Buffer, random: Random, words: readonly Buffer[]): Buffer {
  let bytes = Buffer.from(seed);
  for (let left = 1 + random.below(8); left > 0; left -= 1) {
    const at = random.below(bytes.length + 1);
    const to = Math.min(bytes.length, at + 1 + random.below(16));
    switch (random.below(8)) {
      case 0:
        bytes = Buffer.concat([bytes.subarray(0, at), random.of(ODD), bytes.subarray(at)]);
        break;
      case 1:
        bytes = Buffer.concat([bytes.subarray(0, at), bytes.subarray(to)]);
        break;
      case 2:
        if (at < bytes.length) bytes[at] = random.below(256);
        break;
      case 3:
        bytes = Buffer.concat([bytes.subarray(0, to), bytes.subarray(at, to), bytes.subarray(to)]);
        break;
      case 4:
        bytes = Buffer.concat([bytes.subarray(0, at), random.of(words), bytes.subarray(to)]);
        break;
      case 5: {
        const from = random.below(other.length + 1);
        bytes = Buffer.concat([bytes.subarray(0, at), other.subarray(from, from + random.below(64))]);
        break;
      }
      case 6:
        bytes = Buffer.concat([
          bytes.subarray(0, at),
          ...Array.from({ length: random.below(64) }, () => bytes.subarray(at, to)),
          bytes.subarray(to),
        ]);
        break;
      default:
        if (at < bytes.length) bytes[at] = (bytes[at] ?? 0) ^ (1 << random.below(8));
    }
    if (bytes.length > 16_384) bytes = bytes.subarray(0, 16_384);
  }
  return bytes;
}
