/**
 * The candidate a person most likely meant, or undefined when none is near. Case, `-` and `_` do not
 * count, so that `minimum_tls` finds `minimumTls`.
 */
export function nearest(written: string, candidates: Iterable<string>): string | undefined {
  if (written.length > 64) return undefined;
  const plain = plainly(written);
  let best: string | undefined;
  let least = Math.max(1, Math.floor(plain.length / 3)) + 1;
  for (const candidate of candidates) {
    const distance = editDistance(plain, plainly(candidate));
    if (distance < least) [best, least] = [candidate, distance];
  }
  return best;
}

function plainly(text: string): string {
  return text.toLowerCase().replaceAll(/[-_ ]/g, '');
}

/** Damerau–Levenshtein distance (adjacent letters swapped count once). */
function editDistance(a: string, b: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1];
      let cost = Math.min(at(last, j) + 1, at(row, j - 1) + 1, at(last, j - 1) + (same ? 0 : 1));
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        cost = Math.min(cost, at(beforeLast, j - 2) + 1);
      }
      row.push(cost);
    }
    [beforeLast, last] = [last, row];
  }
  return at(last, b.length);
}

function at(row: readonly number[], index: number): number {
  return row[index] ?? Number.POSITIVE_INFINITY;
}
