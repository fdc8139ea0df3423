import type { FileHandle } from 'node:fs/promises';
import { open } from 'node:fs/promises';
import { MAX_LINE_BYTES } from './format.ts';

const CHUNK = 262_144;
const NEWLINE = 0x0a;

export interface Line {
  /** Without the newline. Empty when the line is too long. */
  readonly bytes: Buffer;
  /** 1-based. */
  readonly number: number;
  /** Byte offset of its first byte in the file. */
  readonly offset: number;
  /** False only for what follows the last newline. */
  readonly complete: boolean;
  /** Longer than any line that the writer makes; its bytes were skipped. */
  readonly overlong: boolean;
}

/**
 * The lines of a file, a few hundred at a time, in constant memory. What was appended after the call
 * may or may not be seen.
 */
export async function* readLines(path: string): AsyncGenerator<readonly Line[], void, undefined> {
  const handle = await open(path, 'r');
  try {
    yield* splitLines(handle);
  } finally {
    await handle.close();
  }
}

async function* splitLines(handle: FileHandle): AsyncGenerator<readonly Line[], void, undefined> {
  let rest: Buffer = Buffer.alloc(0);
  let restOffset = 0;
  let skipping = false;
  let number = 1;
  for (let position = 0; ; ) {
    const chunk = Buffer.allocUnsafe(CHUNK);
    const { bytesRead } = await handle.read(chunk, 0, CHUNK, position);
    if (bytesRead === 0) break;
    position += bytesRead;
    const data = Buffer.concat([rest, chunk.subarray(0, bytesRead)]);
    const lines: Line[] = [];
    let start = 0;
    for (let end = data.indexOf(NEWLINE); end !== -1; end = data.indexOf(NEWLINE, start)) {
      const overlong = skipping || end - start > MAX_LINE_BYTES;
      const bytes = overlong ? Buffer.alloc(0) : data.subarray(start, end);
      const offset = skipping ? restOffset : position - data.length + start;
      lines.push({ bytes, number, offset, complete: true, overlong });
      number += 1;
      start = end + 1;
      skipping = false;
    }
    if (!skipping) restOffset = position - data.length + start;
    rest = data.subarray(start);
    if (skipping || rest.length > MAX_LINE_BYTES) {
      skipping = true;
      rest = Buffer.alloc(0);
    }
    yield lines;
  }
  if (skipping || rest.length > 0) {
    yield [{ bytes: rest, number, offset: restOffset, complete: false, overlong: skipping }];
  }
}

/** The last complete line that ends at or before `end` (a byte offset), without its newline. */
export async function lineBefore(handle: FileHandle, end: number): Promise<Buffer | undefined> {
  const from = Math.max(0, end - MAX_LINE_BYTES - 2);
  const window = Buffer.alloc(end - from);
  const { bytesRead } = await handle.read(window, 0, window.length, from);
  const data = window.subarray(0, bytesRead);
  const last = data.lastIndexOf(NEWLINE);
  if (last === -1) return undefined;
  const before = last === 0 ? -1 : data.lastIndexOf(NEWLINE, last - 1);
  if (before === -1 && from > 0) return undefined;
  return data.subarray(before + 1, last);
}
