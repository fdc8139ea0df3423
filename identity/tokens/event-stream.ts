/** One event of a `text/event-stream` (WHATWG HTML §9.2.6). */
export interface StreamEvent {
  readonly event: string;
  readonly data: string;
  readonly id: string | undefined;
}

/** Characters of one event; a longer one is not of this program's making. */
const MAX_EVENT = 16 * 1024;

/**
 * Reads an event stream as it comes. Lines end in LF or CRLF; comments only show that somebody is there.
 * `push` gives the events that are complete; it throws RangeError for an event that is too long.
 */
export class EventStreamReader {
  readonly #decoder = new TextDecoder('utf-8', { fatal: true });
  #rest = '';
  #event = '';
  #data: string[] = [];
  #id: string | undefined;
  #length = 0;

  push(chunk: Uint8Array): readonly StreamEvent[] {
    const text = this.#rest + this.#decoder.decode(chunk, { stream: true });
    const lines = text.split('\n');
    this.#rest = lines.pop() ?? '';
    if (this.#rest.length > MAX_EVENT) throw new RangeError('a line of the stream is too long');
    const events: StreamEvent[] = [];
    for (const line of lines) this.#line(line.endsWith('\r') ? line.slice(0, -1) : line, events);
    return events;
  }

  #line(line: string, events: StreamEvent[]): void {
    if (line === '') {
      if (this.#data.length > 0)
        events.push({ event: this.#event || 'message', data: this.#data.join('\n'), id: this.#id });
      this.#event = '';
      this.#data = [];
      this.#length = 0;
      return;
    }
    this.#length += line.length;
    if (this.#length > MAX_EVENT) throw new RangeError('an event of the stream is too long');
    const colon = line.indexOf(':');
    if (colon === 0) return;
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? '' : line.slice(line[colon + 1] === ' ' ? colon + 2 : colon + 1);
    if (field === 'event') this.#event = value;
    else if (field === 'data') this.#data.push(value);
    else if (field === 'id') this.#id = value;
  }
}
