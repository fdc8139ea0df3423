import { describe, expect, it } from 'vitest';
import { Kept } from '../../gateway/process/kept.ts';

class FileSecret {
  readonly #text: string;
  constructor(text: string) {
    this.#text = text;
  }
  reveal(): Buffer {
    return Buffer.from(this.#text);
  }
  toJSON(): string {
    return '[secret]';
  }
}

describe('a part of a configuration', () => {
  const make = () => ({ closed: 0 });
  const close = (part: { closed: number }) => {
    part.closed += 1;
  };

  it('is kept while its settings stay the same, and closed with the last that uses it', async () => {
    const first = Kept.from(undefined, { a: 1, secret: new FileSecret('x') }, make, close);
    const second = Kept.from(first, { a: 1, secret: new FileSecret('x') }, make, close);
    expect(second.value).toBe(first.value);
    await first.release();
    expect(first.value.closed).toBe(0);
    await second.release();
    await second.release();
    expect(first.value.closed).toBe(1);
  });

  it.each([
    [{ a: 2, secret: new FileSecret('x') }, 'a setting'],
    [{ a: 1, secret: new FileSecret('y') }, 'a secret, which prints alike'],
    [{ a: 1, secret: new FileSecret('x'), b: Buffer.from('ca') }, 'a further one'],
  ])('is made anew when its settings differ: %#', (settings, _what) => {
    const first = Kept.from(undefined, { a: 1, secret: new FileSecret('x') }, make, close);
    expect(Kept.from(first, settings, make, close).value).not.toBe(first.value);
  });

  it('is made anew once it was closed', async () => {
    const first = Kept.from(undefined, {}, make, close);
    await first.release();
    expect(Kept.from(first, {}, make, close).value).not.toBe(first.value);
  });
});
