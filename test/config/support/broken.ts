/** A sound file with one thing broken, and every line that must be said about it. */
export interface BrokenFile {
  readonly because: string;
  /** A text of the sound file and what takes its place; or the whole file. */
  readonly change: readonly [string, string] | { readonly whole: string | Uint8Array };
  /** `line:column: path: message`, or just the message for the file as a whole. */
  readonly faults: readonly string[];
}

/** The broken file's content. */
export function broken(sound: string, change: BrokenFile['change']): string | Uint8Array {
  if ('whole' in change) return change.whole;
  const [from, to] = change;
  if (sound.split(from).length !== 2) throw new TypeError(`not exactly once in the sound file: ${from}`);
  return sound.replace(from, () => to);
}
