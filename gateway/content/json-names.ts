/** Of names of one object, one that readers who do not look at case (.NET's, many a database's) take for another. */
export function sameButForCase(names: readonly string[]): string | undefined {
  if (names.length > 12) {
    const seen = new Set<string>();
    for (const name of names) {
      const folded = name.toLowerCase();
      if (seen.has(folded)) return name;
      seen.add(folded);
    }
    return undefined;
  }
  // Of the few names of most objects hardly two are equally long.
  for (let one = 1; one < names.length; one += 1) {
    const name = names[one] as string;
    for (let other = 0; other < one; other += 1) {
      const before = names[other] as string;
      if (before.length === name.length && before.toLowerCase() === name.toLowerCase()) return name;
    }
  }
  return undefined;
}
