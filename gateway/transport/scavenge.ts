/** Bytes of streamed bodies after which the young generation is collected. */
const EVERY_BYTES = 8 * 1024 * 1024;

/** There when the process was started with `--expose-gc`, as workers are. */
const collect = (globalThis as { gc?: (options: { type: 'minor' | 'major' }) => void }).gc;

let passed = 0;

/**
 * Counts bytes of bodies that pass through. Each chunk is a buffer outside V8's heap, which V8 hardly counts:
 * left to itself it lets fifty megabytes of dead chunks pile up before it looks. A minor collection every few
 * megabytes takes about a millisecond and keeps the memory flat.
 */
export function countStreamed(bytes: number): void {
  passed += bytes;
  if (passed < EVERY_BYTES) return;
  passed = 0;
  collect?.({ type: 'minor' });
}

/**
 * Collects what loading left behind, before anybody is served: some fifty milliseconds. Else it is the first streamed
 * bodies whose collections move what stays into the old generation, which takes as much memory once more.
 */
export function collectOnce(): void {
  collect?.({ type: 'major' });
}
