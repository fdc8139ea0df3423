/** Places of the table below, a power of two. */
const PLACES = 4096;
/** Names as interfaces have them: short, and nobody's data. */
const COMMON = /^_?[a-zA-Z]{1,31}$/;

const known: (string | undefined)[] = new Array<string | undefined>(PLACES).fill(undefined);

/**
 * The name that stands there. Most names of most bodies were read before, and taking the same string again costs a
 * fraction of cutting a new one out, which the engine would have to look up among all names that it knows.
 * @param mark made of the name's units: it says where in the table the name would be, and nothing more
 */
export function nameAt(text: string, start: number, end: number, mark: number): string {
  const place = (mark ^ (mark >>> 12)) & (PLACES - 1);
  const before = known[place];
  if (before !== undefined && before.length === end - start) {
    let at = 0;
    while (at < before.length && before.charCodeAt(at) === text.charCodeAt(start + at)) at += 1;
    if (at === before.length) return before;
  }
  const name = text.slice(start, end);
  if (!COMMON.test(name)) return name;
  // A copy: what is cut out of a body may hold on to the whole of it.
  const [copy = name] = Object.keys({ [name]: 0 });
  known[place] = copy;
  return copy;
}

/**
 * Of names of one object, one that is there twice, or that readers who do not look at case (.NET's, many a database's)
 * take for another.
 * @param names those from `first` to before `end` are the object's
 */
export function sameButForCase(
  names: readonly string[],
  first = 0,
  end: number = names.length,
): string | undefined {
  if (end - first > 12) {
    const seen = new Set<string>();
    for (let one = first; one < end; one += 1) {
      const name = names[one] as string;
      const folded = name.toLowerCase();
      if (seen.has(folded)) return name;
      seen.add(folded);
    }
    return undefined;
  }
  // Of the few names of most objects hardly two are equally long.
  for (let one = first + 1; one < end; one += 1) {
    const name = names[one] as string;
    for (let other = first; other < one; other += 1) {
      const before = names[other] as string;
      if (before.length === name.length && before.toLowerCase() === name.toLowerCase()) return name;
    }
  }
  return undefined;
}
