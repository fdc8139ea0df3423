/** How JSON is read. */
export interface JsonOptions {
  readonly depth: number;
  readonly values: number;
  /**
   * Of clients: also refused is what common readers understand in different ways although the grammar is clear: names
   * that differ in case only, NUL. A back end's answer has passed no such reader.
   */
  readonly strict: boolean;
  /** Remembers where each value stood, so that what is kept of it can be written as it was. */
  readonly spans?: boolean;
}

/** Characters of one number; longer ones are for making readers slow. */
export const NUMBER_LENGTH = 400;
