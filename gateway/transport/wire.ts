import type { Duplex } from 'node:stream';

/** Bytes of a request's fields; the request line comes on top. */
export const MAX_HEADER_BYTES = 16 * 1024;
/** Characters of a chunk's first line: its size in at most eight digits, and extensions that nobody uses. */
const MOST_CHUNK_LINE = 256;
/** Bytes of extensions that all chunks of a body may have together; each byte of a body could carry many. */
const MOST_EXTENSIONS = 4096;
const MOST_TRAILER_BYTES = 8192;
/** Characters of the longest end mark, less one. */
const MOST_MARK = 3;

/** RFC 9112 §3, to the letter: one space each, this protocol and version, nothing before the method. */
const REQUEST_LINE = /^[A-Z]{1,24} [\x21-\x7e]+ HTTP\/1\.1\r\n/;
const CHUNK_LINE = /^[0-9A-Fa-f]{1,8}(?:;[\t\x20-\x7e]*)?$/;
const FRAMING = /\r\n(content-length|transfer-encoding|upgrade):[\t ]*([^\r\n]*)/gi;

type State =
  | 'head'
  | 'body'
  | 'chunk-line'
  | 'chunk'
  | 'chunk-end'
  | 'trailers'
  /** Whatever follows is not looked at: it is a tunnel's, or the request before it is refused as soon as it is read. */
  | 'off';

/**
 * Reads the bytes of an HTTP/1.1 connection beside Node's own parser and finds what that lets pass although two parsers
 * could differ about it: empty lines, lone CR or LF before a request, several spaces, another protocol's name in the
 * request line, chunk extensions without end. It only ever refuses; what a request means, Node's parser says.
 */
export class Wire {
  #state: State = 'head';
  /** What is there of a head, a line or trailers that are not complete. */
  #pending = '';
  /** Its last characters, among which an end mark may have begun. */
  #tail = '';
  /** Bytes of the body or chunk still to come. */
  #left = 0;
  #extensions = 0;

  /** Nothing more is looked at. */
  off(): void {
    this.#state = 'off';
    this.#pending = '';
    this.#tail = '';
  }

  /** @returns false when these bytes make the connection one that is not to be read any further */
  see(bytes: Buffer): boolean {
    let at = 0;
    while (at < bytes.length && this.#state !== 'off') {
      const next = this.#step(bytes, at);
      if (next < 0) return false;
      at = next;
    }
    return true;
  }

  /** @returns from where to go on; -1 when it is over */
  #step(bytes: Buffer, at: number): number {
    switch (this.#state) {
      case 'head':
        return this.#head(bytes, at);
      case 'body':
      case 'chunk': {
        const taken = Math.min(this.#left, bytes.length - at);
        this.#left -= taken;
        if (this.#left === 0) this.#state = this.#state === 'body' ? 'head' : 'chunk-end';
        return at + taken;
      }
      case 'chunk-line':
        return this.#chunkLine(bytes, at);
      case 'chunk-end':
        return this.#upTo('\r\n', 2, bytes, at, (line) => {
          this.#state = 'chunk-line';
          return line === '\r\n';
        });
      case 'trailers':
        return this.#trailers(bytes, at);
      case 'off':
        return bytes.length;
    }
  }

  #head(bytes: Buffer, at: number): number {
    // Before anything is gathered: what begins a request is a letter, and no empty line.
    if (this.#pending === '') {
      const first = bytes[at] ?? 0;
      if (first < 0x41 || first > 0x5a) return -1;
    }
    return this.#upTo('\r\n\r\n', MAX_HEADER_BYTES + 4096, bytes, at, (head) => {
      if (!REQUEST_LINE.test(head)) return false;
      let length: string | undefined;
      let coding: string | undefined;
      FRAMING.lastIndex = 0;
      for (let field = FRAMING.exec(head); field !== null; field = FRAMING.exec(head)) {
        const name = (field[1] ?? '').toLowerCase();
        const value = (field[2] ?? '').trimEnd();
        if (name === 'upgrade' || (name === 'content-length' ? length : coding) !== undefined) {
          this.#state = 'off';
          return true;
        }
        if (name === 'content-length') length = value;
        else coding = value;
      }
      this.#frame(length, coding);
      return true;
    });
  }

  #frame(length: string | undefined, coding: string | undefined): void {
    this.#extensions = 0;
    if (coding === 'chunked' && length === undefined) this.#state = 'chunk-line';
    else if (coding === undefined && length === undefined) this.#state = 'head';
    else if (coding === undefined && /^[0-9]{1,15}$/.test(length ?? '')) {
      this.#left = Number(length);
      this.#state = this.#left > 0 ? 'body' : 'head';
      // Anything else is refused when the head is read, and nothing after it counts.
    } else this.#state = 'off';
  }

  #chunkLine(bytes: Buffer, at: number): number {
    return this.#upTo('\r\n', MOST_CHUNK_LINE, bytes, at, (text) => {
      const line = text.slice(0, -2);
      if (!CHUNK_LINE.test(line)) return false;
      const semicolon = line.indexOf(';');
      if (semicolon >= 0) {
        this.#extensions += line.length - semicolon;
        if (this.#extensions > MOST_EXTENSIONS) return false;
      }
      this.#left = Number.parseInt(line, 16);
      this.#state = this.#left > 0 ? 'chunk' : 'trailers';
      return true;
    });
  }

  /** Lines up to an empty one; with none at all, just that. */
  #trailers(bytes: Buffer, at: number): number {
    return this.#upTo('\r\n', MOST_TRAILER_BYTES, bytes, at, (text) => {
      this.#left += text.length;
      if (this.#left > MOST_TRAILER_BYTES) return false;
      if (text === '\r\n') this.#state = 'head';
      return true;
    });
  }

  /** Gathers up to an end mark, which may be cut anywhere, and gives the whole to `done`. */
  #upTo(mark: string, most: number, bytes: Buffer, at: number, done: (text: string) => boolean): number {
    if (this.#pending === '') {
      // The common case: all of it is here. As text, in which looking costs less than in bytes.
      const here = bytes.toString('latin1', at, Math.min(bytes.length, at + most + mark.length));
      const end = here.indexOf(mark);
      if (end >= 0) {
        const length = end + mark.length;
        const text = length === here.length ? here : here.slice(0, length);
        return length <= most && done(text) ? at + length : -1;
      }
      if (bytes.length - at > most) return -1;
      this.#keep(here);
      return bytes.length;
    }
    // Only what is new is looked at: a head that comes byte by byte must not be read again with each of them.
    const before = this.#pending.length;
    const more = bytes.toString('latin1', at, Math.min(bytes.length, at + most + mark.length));
    const end = (this.#tail + more).indexOf(mark);
    if (end < 0) {
      if (before + more.length > most) return -1;
      this.#keep(more);
      return bytes.length;
    }
    const whole = before - this.#tail.length + end + mark.length;
    const text = this.#pending + more.slice(0, whole - before);
    this.#pending = '';
    this.#tail = '';
    return whole <= most && done(text) ? at + whole - before : -1;
  }

  #keep(text: string): void {
    this.#pending += text;
    this.#tail = (this.#tail + text).slice(-MOST_MARK);
  }
}

const watched = new WeakMap<Duplex, (bytes: Buffer) => void>();

/**
 * Reads along on a connection; `refuse` is called once, before Node's parser gets the bytes. Node's parser reads the
 * bytes itself unless somebody listens; since somebody does, they come here first.
 */
export function watch(socket: Duplex, refuse: () => void): void {
  const wire = new Wire();
  const see = (bytes: Buffer) => {
    if (wire.see(bytes)) return;
    wire.off();
    refuse();
  };
  watched.set(socket, see);
  socket.prependListener('data', see);
}

/** From here on the bytes are somebody else's, and must wait for them. */
export function unwatch(socket: Duplex): void {
  const see = watched.get(socket);
  if (see !== undefined) socket.off('data', see);
}
