import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Places } from '../../gateway/transport/places.ts';

describe('places', () => {
  it('hold exactly those that came and did not leave, in any order of coming and leaving', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(40), { maxLength: 200 }), (moves) => {
        const places = new Places<{ readonly n: number }>();
        const here = new Map<number, { place: number; value: { readonly n: number } }>();
        for (const n of moves) {
          const known = here.get(n);
          if (known === undefined) {
            const value = { n };
            here.set(n, { place: places.take(value), value });
          } else {
            places.leave(known.place, known.value);
            here.delete(n);
          }
          const seen: number[] = [];
          places.visit((value) => seen.push(value.n));
          expect(seen.sort()).toEqual([...here.keys()].sort());
          expect(places.size).toBe(here.size);
        }
      }),
    );
  });

  it('are not taken from their new owner by a former one that leaves twice', () => {
    const places = new Places<object>();
    const first = {};
    const second = {};
    const stays = {};
    places.take(stays);
    const place = places.take(first);
    places.leave(place, first);
    expect(places.take(second)).toBe(place);
    places.leave(place, first);
    const seen: object[] = [];
    places.visit((value) => seen.push(value));
    expect(seen).toEqual([stays, second]);
  });
});
