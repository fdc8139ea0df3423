import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { entriesIn, fileName, parseLine } from '../../../activity-log/format.ts';

const ROOT = join(import.meta.dirname, '../../../.work/activity-log');

/** A new empty folder, removed when the test's scope ends. */
export function workFolder(): { readonly path: string; [Symbol.dispose](): void } {
  mkdirSync(ROOT, { recursive: true });
  const path = mkdtempSync(join(ROOT, 't-'));
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) };
}

export const NAME = 'worker-1';

export function pathOf(directory: string, file = 1): string {
  return join(directory, fileName(NAME, file));
}

/** Lines of one file without their newlines; the last is empty when the file ends with a newline. */
export function linesOf(directory: string, file = 1): string[] {
  return readFileSync(pathOf(directory, file), 'utf8').split('\n');
}

/** Every entry of the chain, in order, those of groups too. Throws when a line is not a record. */
export function entriesOf(directory: string): Record<string, unknown>[] {
  const files = readdirSync(directory)
    .filter((name) => name.endsWith('.jsonl'))
    .sort();
  return files.flatMap((name) =>
    readFileSync(join(directory, name), 'utf8')
      .split('\n')
      .slice(0, -1)
      .flatMap((line) => {
        const parsed = parseLine(Buffer.from(line));
        if (parsed === undefined) throw new Error(`not a record: ${line}`);
        return entriesIn(parsed.entry);
      }),
  );
}
