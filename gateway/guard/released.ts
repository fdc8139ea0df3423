/** Bytes of an answer in which patients are looked for; whoever gets more gets enough of them in these. */
const MOST_BYTES = 4 * 1024 * 1024;
/** The longest thing that is looked for, an id of 64 characters and what stands before it, may lie across two chunks. */
const CARRIED = 160;
const REFERENCE = Buffer.from('Patient/');
const TYPE = Buffer.from('"Patient"');
/** FHIR R4 §2.24.0.1, `id`; what follows shows that it is whole. */
const ID = /^[A-Za-z0-9\-.]{1,64}(?=[^A-Za-z0-9\-.])/;
const ID_AFTER_TYPE = /^\s*,\s*"id"\s*:\s*"([A-Za-z0-9\-.]{1,64})"/;

/**
 * Finds the patients that a JSON answer is about, as it passes: `Patient/ID` wherever it stands, and the id of a
 * resource of type Patient. A look, not a reading: good enough to see that somebody gets at hundreds.
 */
export class ReleasedPatients {
  readonly #found: (id: string) => void;
  #carried: Buffer | undefined;
  #bytes = 0;

  /** @param found called for each, the same one maybe several times */
  constructor(found: (id: string) => void) {
    this.#found = found;
  }

  add(chunk: Buffer): void {
    if (this.#bytes > MOST_BYTES) return;
    this.#bytes += chunk.length;
    const text = this.#carried === undefined ? chunk : Buffer.concat([this.#carried, chunk]);
    this.#find(text, REFERENCE, (after) => ID.exec(after)?.[0]);
    this.#find(text, TYPE, (after) => ID_AFTER_TYPE.exec(after)?.[1]);
    this.#carried = text.subarray(Math.max(0, text.length - CARRIED));
  }

  #find(text: Buffer, what: Buffer, idOf: (after: string) => string | undefined): void {
    for (let at = text.indexOf(what); at >= 0; at = text.indexOf(what, at + what.length)) {
      const from = at + what.length;
      // One that is cut off at the end of the chunk is found whole with the next one.
      const id = idOf(text.toString('latin1', from, from + CARRIED - what.length));
      if (id !== undefined) this.#found(id);
    }
  }
}
