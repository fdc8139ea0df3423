import { promisify } from 'node:util';
import {
  brotliDecompress,
  createBrotliDecompress,
  createGunzip,
  createInflate,
  createZstdDecompress,
  gunzip,
  inflate,
  zstdDecompress,
} from 'node:zlib';

/** Content codings (RFC 9110 §8.4.1) that can be looked into. */
const WHOLE = {
  gzip: promisify(gunzip),
  'x-gzip': promisify(gunzip),
  deflate: promisify(inflate),
  br: promisify(brotliDecompress),
  zstd: promisify(zstdDecompress),
} as const;
type Coding = keyof typeof WHOLE;

const PARTS: Readonly<Record<Coding, () => ReturnType<typeof createGunzip>>> = {
  gzip: createGunzip,
  'x-gzip': createGunzip,
  deflate: createInflate,
  br: createBrotliDecompress as () => ReturnType<typeof createGunzip>,
  zstd: createZstdDecompress as () => ReturnType<typeof createGunzip>,
};

/** Bytes that a body may have when it is unpacked whole. */
const MOST_WHOLE = 64 * 1024 * 1024;

/** The coding of an answer: undefined for none, `unknown` for one that cannot be looked into. */
export function codingOf(field: string | string[] | undefined): Coding | 'unknown' | undefined {
  if (field === undefined) return undefined;
  if (typeof field !== 'string') return 'unknown';
  const name = field.trim().toLowerCase();
  if (name === '' || name === 'identity') return undefined;
  return Object.hasOwn(WHOLE, name) ? (name as Coding) : 'unknown';
}

/** A whole body without its coding; undefined where it is none such, or would be too large. Off the event loop. */
export async function unpacked(
  bytes: Buffer,
  coding: Coding,
  most = MOST_WHOLE,
): Promise<Buffer | undefined> {
  if (bytes.length === 0) return bytes;
  try {
    return await WHOLE[coding](bytes, { maxOutputLength: most });
  } catch {
    return undefined;
  }
}

/** Unpacks a body that comes in parts, for somebody who looks on. */
export class Unpacking {
  readonly #stream: ReturnType<typeof createGunzip>;
  readonly #see: (bytes: Buffer) => boolean;
  #sound = true;
  /** What waits for parts that are on their way. */
  readonly #waiting = new Set<(sound: boolean) => void>();

  /** @param see false: nothing more is wanted */
  constructor(coding: Coding, see: (bytes: Buffer) => boolean) {
    this.#see = see;
    this.#stream = PARTS[coding]();
    this.#stream.on('data', (bytes: Buffer) => {
      if (this.#sound && !this.#see(bytes)) this.#sound = false;
    });
    this.#stream.on('error', () => {
      this.#sound = false;
      for (const resolve of this.#waiting) resolve(false);
      this.#waiting.clear();
    });
  }

  /** Resolves once everything that this part holds was seen; to false where it is none such, or nothing more is wanted. */
  add(part: Buffer): Promise<boolean> {
    if (!this.#sound) return Promise.resolve(false);
    return new Promise((resolve) => {
      this.#waiting.add(resolve);
      this.#stream.write(part, () => {
        // What is left in the unpacker comes with the next tick.
        this.#stream.flush(() => {
          this.#waiting.delete(resolve);
          resolve(this.#sound);
        });
      });
    });
  }
}
