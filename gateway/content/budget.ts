/** Bytes of bodies that this worker holds while they are judged. */
let held = 0;

/**
 * Sets aside room for a body before any of it is read, so that many clients who each send what one may send cannot
 * together take the worker's memory.
 * @returns what gives the room back, to be called once; undefined when there is none
 */
export function takeRoom(bytes: number, totalBytes: number): (() => void) | undefined {
  if (held + bytes > totalBytes) return undefined;
  held += bytes;
  let mine = bytes;
  return () => {
    held -= mine;
    mine = 0;
  };
}

export function heldBytes(): number {
  return held;
}
