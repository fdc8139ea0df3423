import { brotliCompressSync, deflateSync, gzipSync, zstdCompressSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { codingOf, Unpacking, unpacked } from '../../../gateway/recognise/coding.ts';

const PACK = {
  gzip: gzipSync,
  'x-gzip': gzipSync,
  deflate: deflateSync,
  br: brotliCompressSync,
  zstd: zstdCompressSync,
} as const;
const CODINGS = Object.keys(PACK) as (keyof typeof PACK)[];
/** Milliseconds in which whoever waits must be answered. */
const BOUND_MS = 5000;

function cut(bytes: Buffer, size: number): Buffer[] {
  const parts: Buffer[] = [];
  for (let at = 0; at < bytes.length; at += size) parts.push(bytes.subarray(at, at + size));
  return parts;
}

describe('a body that is unpacked as it passes', () => {
  it.each(CODINGS)(
    '%s: is seen whole however it is cut, and each part before the next goes on',
    async (coding) => {
      await fc.assert(
        fc.asyncProperty(
          fc.uint8Array({ maxLength: 2000 }),
          fc.integer({ min: 1, max: 700 }),
          async (bytes, size) => {
            const plain = Buffer.from(bytes);
            const seen: Buffer[] = [];
            const unpacking = new Unpacking(coding, (part) => seen.push(part) > 0);
            for (const part of cut(PACK[coding](plain), size)) expect(await unpacking.add(part)).toBe(true);
            expect(Buffer.concat(seen).equals(plain)).toBe(true);
          },
        ),
        { numRuns: 25 },
      );
    },
  );

  it.each(CODINGS)(
    '%s: one that is none such ends everything that waits, and what comes later',
    async (coding) => {
      const warned: string[] = [];
      const warn = (warning: Error) => warned.push(warning.name);
      process.on('warning', warn);
      const unpacking = new Unpacking(coding, () => true);
      const noise = Array.from({ length: 40 }, () =>
        Buffer.from('no coding at all, and long enough to tell'),
      );
      const all = await Promise.all(noise.map((part) => unpacking.add(part)));
      expect(all).not.toContain(true);
      expect(await unpacking.add(Buffer.from('x'))).toBe(false);
      await new Promise((resolve) => setImmediate(resolve));
      process.off('warning', warn);
      expect(warned).toEqual([]);
    },
  );

  it('whoever looks on and has seen enough is asked no more', async () => {
    let asked = 0;
    const unpacking = new Unpacking('gzip', () => {
      asked += 1;
      return false;
    });
    expect(await unpacking.add(gzipSync('first'))).toBe(false);
    expect(await unpacking.add(gzipSync('second'))).toBe(false);
    expect(asked).toBe(1);
  });

  it.each(CODINGS)(
    '%s: what follows its end keeps nobody waiting',
    async (coding) => {
      const unpacking = new Unpacking(coding, () => true);
      const answered = (part: Buffer) =>
        Promise.race([
          unpacking.add(part).then(() => 'answered'),
          new Promise((resolve) => setTimeout(resolve, BOUND_MS, 'waits')),
        ]);
      expect(await answered(PACK[coding]('all of it'))).toBe('answered');
      for (const more of ['behind its end', 'and more'])
        expect(await answered(Buffer.from(more)), more).toBe('answered');
    },
    15_000,
  );
});

describe('a body that is unpacked whole', () => {
  it.each(CODINGS)('%s: comes out as it was, unless it would be larger than it may be', async (coding) => {
    const plain = Buffer.from('well. '.repeat(1000));
    const packed = PACK[coding](plain);
    expect((await unpacked(packed, coding))?.equals(plain)).toBe(true);
    expect(await unpacked(packed, coding, plain.length - 1)).toBeUndefined();
    expect(await unpacked(packed.subarray(0, packed.length - 3), coding)).toBeUndefined();
    expect(await unpacked(Buffer.from('nothing of the kind'), coding)).toBeUndefined();
  });
});

describe('the coding of an answer', () => {
  it.each([
    [undefined, undefined],
    ['', undefined],
    ['identity', undefined],
    [' GZip ', 'gzip'],
    ['gzip, br', 'unknown'],
    ['compress', 'unknown'],
    ['constructor', 'unknown'],
    [['gzip'], 'unknown'],
  ] as const)('%j is %s', (field, coding) => {
    expect(codingOf(field as string | string[] | undefined)).toBe(coding);
  });
});
