import { ChartgateError } from '../contracts/errors.ts';

/** Where in the mark-up a value of a template stands. */
export type Place =
  | { readonly kind: 'text' }
  /** Between double quotes; `whole` when nothing else stands between them. */
  | { readonly kind: 'attribute'; readonly name: string; readonly whole: boolean }
  /** Between attributes. */
  | { readonly kind: 'tag' };

type State = 'text' | 'raw' | 'tag-name' | 'tag' | 'attribute-name' | 'before-value' | 'value';

/** Elements whose content is not text with character references. */
const RAW: ReadonlySet<string> = new Set(['script', 'style', 'iframe', 'noscript', 'template', 'xmp']);

/**
 * Reads the fixed parts of a template as a tokenizer would (HTML Living Standard, 13.2.5, the part of it
 * that our templates use) and says where each value stands.
 *
 * @throws `internal` for a value, or a spelling, that could not be made safe
 */
export function placesOf(strings: readonly string[]): readonly Place[] {
  const reader = new Reader();
  const places: Place[] = [];
  strings.forEach((part, index) => {
    for (const character of part) reader.read(character);
    if (index < strings.length - 1) places.push(reader.place(part, strings[index + 1] ?? ''));
  });
  reader.end();
  return Object.freeze(places);
}

class Reader {
  #state: State = 'text';
  #tag = '';
  #closing = false;
  #attribute = '';
  /** Characters of the value so far. */
  #length = 0;
  #raw = '';

  read(character: string): void {
    STEPS[this.#state](this, character);
  }

  place(before: string, after: string): Place {
    if (this.#state === 'text') {
      // "<" straight before a value would make it a tag's name.
      if (before.endsWith('<')) throw unsafe('straight after "<"');
      return { kind: 'text' };
    }
    if (this.#state === 'tag') {
      if (!/\s$/.test(before) || !/^(?:[\s>/]|$)/.test(after)) throw unsafe('glued to something in a tag');
      return { kind: 'tag' };
    }
    if (this.#state === 'value') {
      const whole = this.#length === 0 && after.startsWith('"');
      this.#length++;
      return { kind: 'attribute', name: this.#attribute, whole };
    }
    throw unsafe(`in the state "${this.#state}"`);
  }

  end(): void {
    if (this.#state !== 'text') throw unsafe('and does not end in text');
  }

  text(character: string): void {
    if (character !== '<') return;
    this.#state = 'tag-name';
    this.#tag = '';
    this.#closing = false;
  }

  tagName(character: string): void {
    if (/[a-z0-9]/.test(character)) this.#tag += character;
    else if (character === '/' && this.#tag === '') this.#closing = true;
    // <!doctype …> holds no values; comments, with "--", are not allowed at all.
    else if (character === '!' && this.#tag === '') this.#tag = '!';
    else if (/\s/.test(character) && this.#tag !== '') this.#state = 'tag';
    else if (character === '>' && this.#tag !== '') this.#close();
    else throw unsafe('with a tag that is spelled unusually');
  }

  tag(character: string): void {
    if (/\s/.test(character) || character === '/') return;
    if (character === '>') this.#close();
    else if (/[a-z]/.test(character)) {
      this.#state = 'attribute-name';
      this.#attribute = character;
    } else throw unsafe('with an attribute that is spelled unusually');
  }

  attributeName(character: string): void {
    if (/[a-z0-9:-]/.test(character)) this.#attribute += character;
    else if (character === '=') this.#state = 'before-value';
    else if (/\s/.test(character)) this.#state = 'tag';
    else if (character === '>') this.#close();
    else throw unsafe('with an attribute that is spelled unusually');
  }

  beforeValue(character: string): void {
    if (character !== '"') throw unsafe('with an attribute that is not in double quotes');
    this.#state = 'value';
    this.#length = 0;
  }

  value(character: string): void {
    if (character === '"') this.#state = 'tag';
    else this.#length++;
  }

  raw(character: string): void {
    this.#raw = (this.#raw + character).slice(-(this.#tag.length + 3));
    if (this.#raw === `</${this.#tag}>`) this.#state = 'text';
  }

  #close(): void {
    this.#state = !this.#closing && RAW.has(this.#tag) ? 'raw' : 'text';
    this.#raw = '';
  }
}

const STEPS: Readonly<Record<State, (reader: Reader, character: string) => void>> = Object.freeze({
  text: (reader, character) => reader.text(character),
  raw: (reader, character) => reader.raw(character),
  'tag-name': (reader, character) => reader.tagName(character),
  tag: (reader, character) => reader.tag(character),
  'attribute-name': (reader, character) => reader.attributeName(character),
  'before-value': (reader, character) => reader.beforeValue(character),
  value: (reader, character) => reader.value(character),
});

function unsafe(where: string): ChartgateError {
  return new ChartgateError('internal', `A template has a value ${where}.`);
}
