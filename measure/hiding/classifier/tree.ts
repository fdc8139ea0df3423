/** Rows of features with what each is, as the learners want them. */
export interface Labelled {
  readonly rows: readonly Float64Array[];
  /** 0 or 1 for each row. */
  readonly labels: Uint8Array;
}

const BINS = 32;
const DEPTH = 3;
const ROUNDS = 120;
const RATE = 0.1;
const LEAST_IN_LEAF = 20;
const PENALTY = 1;

interface Split {
  readonly feature: number;
  readonly bin: number;
  readonly left: Node;
  readonly right: Node;
}
type Node = Split | number;

/** Gradient-boosted trees with logistic loss, over features in quantile bins. */
export class BoostedTrees {
  readonly #edges: readonly Float64Array[];
  readonly #trees: readonly Node[];

  private constructor(edges: readonly Float64Array[], trees: readonly Node[]) {
    this.#edges = edges;
    this.#trees = trees;
  }

  static learn({ rows, labels }: Labelled): BoostedTrees {
    const features = rows[0]?.length ?? 0;
    const edges = Array.from({ length: features }, (_, f) => edgesOf(rows, f));
    const binned = edges.map((each, f) => Uint8Array.from(rows, (row) => binOf(each, row[f] ?? 0)));
    const scores = new Float64Array(rows.length);
    const all = Uint32Array.from(rows, (_, i) => i);
    const trees: Node[] = [];
    const gradient = new Float64Array(rows.length);
    const curvature = new Float64Array(rows.length);
    for (let round = 0; round < ROUNDS; round += 1) {
      for (let i = 0; i < rows.length; i += 1) {
        const p = 1 / (1 + Math.exp(-(scores[i] as number)));
        gradient[i] = (labels[i] as number) - p;
        curvature[i] = p * (1 - p);
      }
      const tree = grow(binned, gradient, curvature, all, DEPTH);
      trees.push(tree);
      for (let i = 0; i < rows.length; i += 1)
        scores[i] = (scores[i] as number) + leafOf(tree, (f) => binned[f]?.[i] ?? 0);
    }
    return new BoostedTrees(edges, trees);
  }

  /** 0 or 1. */
  guess(row: Float64Array): number {
    const bins = this.#edges.map((edges, f) => binOf(edges, row[f] ?? 0));
    let score = 0;
    for (const tree of this.#trees) score += leafOf(tree, (f) => bins[f] ?? 0);
    return score > 0 ? 1 : 0;
  }
}

function leafOf(tree: Node, bin: (feature: number) => number): number {
  let node = tree;
  while (typeof node !== 'number') node = bin(node.feature) <= node.bin ? node.left : node.right;
  return node;
}

/** Upper ends of bins of about equally many values. */
function edgesOf(rows: readonly Float64Array[], feature: number): Float64Array {
  const sorted = Float64Array.from(rows, (row) => row[feature] ?? 0).sort();
  const edges = new Set<number>();
  for (let i = 1; i < BINS; i += 1) edges.add(sorted[Math.floor((i * sorted.length) / BINS)] ?? 0);
  return Float64Array.from([...edges].sort((a, b) => a - b));
}

function binOf(edges: Float64Array, value: number): number {
  let low = 0;
  let high = edges.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (value < (edges[middle] as number)) high = middle;
    else low = middle + 1;
  }
  return low;
}

/** Newton's step for a leaf, and for splits the gain that it brings. */
function grow(
  binned: readonly Uint8Array[],
  gradient: Float64Array,
  curvature: Float64Array,
  members: Uint32Array,
  depth: number,
): Node {
  let [g, h] = [0, 0];
  for (const i of members) {
    g += gradient[i] as number;
    h += curvature[i] as number;
  }
  const leaf = (RATE * g) / (h + PENALTY);
  if (depth === 0 || members.length < 2 * LEAST_IN_LEAF) return leaf;
  let best = { gain: 1e-6, feature: -1, bin: 0 };
  const sums = { g: new Float64Array(BINS + 1), h: new Float64Array(BINS + 1), n: new Uint32Array(BINS + 1) };
  for (const [feature, bins] of binned.entries()) {
    sums.g.fill(0);
    sums.h.fill(0);
    sums.n.fill(0);
    for (const i of members) {
      const bin = bins[i] as number;
      sums.g[bin] = (sums.g[bin] as number) + (gradient[i] as number);
      sums.h[bin] = (sums.h[bin] as number) + (curvature[i] as number);
      sums.n[bin] = (sums.n[bin] as number) + 1;
    }
    let [left, weight, count] = [0, 0, 0];
    for (let bin = 0; bin < BINS; bin += 1) {
      left += sums.g[bin] as number;
      weight += sums.h[bin] as number;
      count += sums.n[bin] as number;
      if (count < LEAST_IN_LEAF || members.length - count < LEAST_IN_LEAF) continue;
      const gain =
        left ** 2 / (weight + PENALTY) + (g - left) ** 2 / (h - weight + PENALTY) - g ** 2 / (h + PENALTY);
      if (gain > best.gain) best = { gain, feature, bin };
    }
  }
  if (best.feature < 0) return leaf;
  const bins = binned[best.feature] as Uint8Array;
  const side = (low: boolean) => members.filter((i) => (bins[i] as number) <= best.bin === low);
  return {
    feature: best.feature,
    bin: best.bin,
    left: grow(binned, gradient, curvature, side(true), depth - 1),
    right: grow(binned, gradient, curvature, side(false), depth - 1),
  };
}
