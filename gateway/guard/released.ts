/** Bytes of an answer in which patients are looked for; whoever gets more gets enough of them in these. */
const MOST_BYTES = 4 * 1024 * 1024;
/** The longest thing that is looked for, an id of 64 characters and what stands before it, may lie across two chunks. */
const CARRIED = 160;
const REFERENCE = 'Patient/';
const TYPE = '"Patient"';
const ID_AFTER_TYPE = /^\s*,\s*"id"\s*:\s*"([A-Za-z0-9\-.]{1,64})"/;

/**
 * Finds the patients that a JSON answer is about, as it passes: `Patient/ID` wherever it stands, and the id of a
 * resource of type Patient. A look, not a reading: good enough to see that somebody gets at hundreds.
 */
export class ReleasedPatients {
  readonly #found: (id: string) => void;
  /** The chunk before, of which the end is looked at again. */
  #before: Buffer | undefined;
  #bytes = 0;
  #last: string | undefined;

  /** @param found called for each, the same one maybe several times */
  constructor(found: (id: string) => void) {
    this.#found = found;
  }

  add(chunk: Buffer): void {
    if (this.#bytes > MOST_BYTES) return;
    this.#bytes += chunk.length;
    // As text, in which looking costs less than in bytes.
    const own = chunk.toString('latin1');
    const before = this.#before;
    const text =
      before === undefined ? own : before.toString('latin1', Math.max(0, before.length - CARRIED)) + own;
    for (let at = text.indexOf(REFERENCE); at >= 0; at = text.indexOf(REFERENCE, at + REFERENCE.length)) {
      const from = at + REFERENCE.length;
      const end = endOfId(text, from);
      // One that is cut off at the end of the chunk is found whole with the next one.
      if (end > from && end < text.length) this.#tell(text.slice(from, end));
    }
    for (let at = text.indexOf(TYPE); at >= 0; at = text.indexOf(TYPE, at + TYPE.length)) {
      const from = at + TYPE.length;
      const id = ID_AFTER_TYPE.exec(text.slice(from, from + CARRIED - TYPE.length))?.[1];
      if (id !== undefined) this.#tell(id);
    }
    this.#before =
      before === undefined || chunk.length >= CARRIED
        ? chunk
        : Buffer.concat([before.subarray(Math.max(0, before.length - CARRIED)), chunk]);
  }

  /** Most answers name one patient again and again. */
  #tell(id: string): void {
    if (id === this.#last) return;
    this.#last = id;
    this.#found(id);
  }
}

/** Where an id (FHIR R4 §2.24.0.1) that begins there ends; `from` when there is none, or none of 64 characters at most. */
function endOfId(text: string, from: number): number {
  let at = from;
  const most = Math.min(text.length, from + 65);
  for (; at < most; at += 1) {
    const code = text.charCodeAt(at);
    const isId =
      (code >= 0x30 && code <= 0x39) ||
      (code >= 0x41 && code <= 0x5a) ||
      (code >= 0x61 && code <= 0x7a) ||
      code === 0x2d ||
      code === 0x2e;
    if (!isId) return at;
  }
  return at === from + 65 ? from : at;
}
