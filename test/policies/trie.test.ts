import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { constrain, matches, type Pattern, parsePattern } from '../../policies/pattern.ts';
import { firstBit, Trie } from '../../policies/trie.ts';

interface Target {
  readonly source: string;
  readonly pattern: Pattern;
}

function target(source: string, where: Readonly<Record<string, readonly string[]>> = {}): Target {
  const parsed = parsePattern(source);
  if (!parsed.ok) throw new Error(parsed.messages.join());
  const sets = new Map(Object.entries(where).map(([name, values]) => [name, new Set(values)]));
  return { source, pattern: constrain(parsed.pattern, sets) };
}

const trieOf = (targets: readonly Target[]) =>
  new Trie(targets.map((each) => ({ pattern: each.pattern, target: each })));

/** All that match, in the order in which they are asked. */
function asked(trie: Trie<Target>, segments: readonly string[]): readonly string[] {
  const found: string[] = [];
  trie.find(
    segments,
    ({ source }, list: string[]) => {
      list.push(source);
      return undefined;
    },
    found,
    undefined,
  );
  return found;
}

function all(trie: Trie<Target>, segments: readonly string[]): readonly string[] {
  const found: string[] = [];
  trie.all(segments, ({ source }, list: string[]) => void list.push(source), found, undefined);
  return found;
}

/** The trie's hashes of them are the same, found by trying many. */
const ALIKE = ['visittbgg', 'visit16b1k', 'visit1obnr'] as const;

describe('the trie of path patterns', () => {
  test('asks literals before listed values, a smaller list before a larger one, then free captures, then the rest', () => {
    const trie = trieOf([
      target('/{rest*}'),
      target('/{any}/x'),
      target('/{many}/x', { many: ['a', 'b', 'c'] }),
      target('/{few}/x', { few: ['b', 'a'] }),
      target('/{one}/x', { one: ['a'] }),
      target('/a/{b}'),
    ]);
    expect(asked(trie, ['a', 'x'])).toEqual([
      '/{one}/x',
      '/a/{b}',
      '/{few}/x',
      '/{many}/x',
      '/{any}/x',
      '/{rest*}',
    ]);
    expect(asked(trie, ['c', 'x'])).toEqual(['/{many}/x', '/{any}/x', '/{rest*}']);
    expect(asked(trie, [])).toEqual([]);
  });

  test('asks the targets of one pattern in their order', () => {
    const trie = trieOf([target('/{a}/b'), target('/{c}/b'), target('/{d}/b')]);
    expect(asked(trie, ['x', 'b'])).toEqual(['/{a}/b', '/{c}/b', '/{d}/b']);
  });

  test.each([
    ['what has the same hash as a literal, and is another', [ALIKE[0]], [ALIKE[1]]],
    ['a longer text with the same beginning', ['visit'], ['visits']],
    ['a property that every object has', ['a'], ['constructor']],
    ['the name of a prototype', ['a'], ['__proto__']],
    ['the empty segment of a trailing slash', ['a'], ['']],
    ['the empty text, with nothing there', ['a'], []],
    ['what a capture does not take: an empty segment', ['{a}'], ['']],
    ['a prefix of the path', ['a'], ['a', '']],
    ['the same with other letters', ['Patient'], ['patient']],
  ])('takes nothing for %s', (_why, written, segments) => {
    const trie = trieOf([target(`/${written.join('/')}`)]);
    expect(asked(trie, segments)).toEqual([]);
    expect(all(trie, segments)).toEqual([]);
  });

  test('tells literals with the same hash apart', () => {
    const trie = trieOf(ALIKE.map((text) => target(`/${text}`)));
    for (const text of ALIKE) expect(asked(trie, [text])).toEqual([`/${text}`]);
  });

  test('knows what a thousand literals are, and nothing else', () => {
    const names = Array.from({ length: 1_000 }, (_, i) => `visit-${i}`);
    const trie = trieOf(names.map((name) => target(`/emr/${name}`)));
    for (const name of names) expect(asked(trie, ['emr', name])).toEqual([`/emr/${name}`]);
    expect(asked(trie, ['emr', 'visit-1000'])).toEqual([]);
  });

  test('finds exactly what matches when tried segment by segment, and its bits leave none of that out', () => {
    const words = ['a', 'b', 'Patient', ...ALIKE] as const;
    const piece = fc.oneof(
      { weight: 3, arbitrary: fc.constantFrom(...words) },
      fc.constant('{any}'),
      fc.uniqueArray(fc.constantFrom(...words), { minLength: 1, maxLength: 3 }),
    );
    const patterns = fc
      .tuple(fc.array(piece, { maxLength: 4 }), fc.constantFrom('', '/', '/{rest*}'))
      .map(([pieces, tail]) => {
        const where: Record<string, readonly string[]> = {};
        const path = pieces.map((each, i) => {
          if (each === '{any}') return `/{any${i}}`;
          if (typeof each === 'string') return `/${each}`;
          where[`of${i}`] = each;
          return `/{of${i}}`;
        });
        return target(`${path.join('')}${tail}` || '/', where);
      });
    const paths = fc.array(fc.constantFrom(...words, 'other', 'constructor', ''), { maxLength: 5 });
    fc.assert(
      fc.property(fc.array(patterns, { minLength: 1, maxLength: 12 }), paths, (targets, segments) => {
        const trie = trieOf(targets);
        const expected = targets
          .filter(({ pattern }) => matches(pattern, segments))
          .map(({ source }) => source)
          .toSorted();
        expect(asked(trie, segments).toSorted()).toEqual(expected);
        expect(all(trie, segments).toSorted()).toEqual(expected);
        if (expected.length > 0) expect(trie.first & firstBit(segments)).not.toBe(0);
      }),
      { numRuns: 2_000 },
    );
  });
});
