import { CONDITION_CREDENTIALS } from '../../contracts/conditions.ts';
import type { Presented } from './atoms.ts';
import { edgesOf, type Network } from './networks.ts';
import { type Atom, atomsOf, evaluate, type Node } from './node.ts';

/** Names of one dimension whose every combination is looked at, at most. */
const MOST_NAMES = 10;
/** Combinations of all dimensions that are looked at, at most. */
const MOST_CASES = 20_000;

/** The value of each dimension, at which the condition holds. */
export type Witness = ReadonlyMap<string, unknown>;
/** `undefined`: it never holds. `complex`: it asks for too much at once to be sure. */
export type Satisfied = Witness | undefined | 'complex';

/**
 * Whether a condition can hold, for anybody at any time. Exact, but that values of different dimensions are taken
 * to be independent: what it calls impossible is impossible.
 * @param separate roles of which nobody holds two together
 */
export function satisfy(node: Node, separate: readonly ReadonlySet<string>[]): Satisfied {
  const byDimension = new Map<string, Atom[]>();
  for (const { atom } of atomsOf(node)) {
    const known = byDimension.get(atom.dimension);
    if (known === undefined) byDimension.set(atom.dimension, [atom]);
    else if (!known.includes(atom)) known.push(atom);
  }
  const dimensions: { readonly name: string; readonly cases: readonly Case[] }[] = [];
  let total = 1;
  for (const [name, atoms] of byDimension) {
    const values = valuesOf(name, atoms, separate);
    if (values === undefined) return 'complex';
    const cases = distinct(atoms, values);
    total *= cases.length;
    if (total > MOST_CASES) return 'complex';
    dimensions.push({ name, cases });
  }
  const truths = new Map<Atom, boolean>();
  const chosen = new Map<string, unknown>();
  const search = (depth: number): boolean => {
    const dimension = dimensions[depth];
    if (dimension === undefined) return evaluate(node, (atom) => truths.get(atom) === true);
    for (const { value, holds } of dimension.cases) {
      for (const [atom, held] of holds) truths.set(atom, held);
      chosen.set(dimension.name, value);
      if (search(depth + 1)) return true;
    }
    return false;
  };
  return search(0) ? chosen : undefined;
}

interface Case {
  readonly value: unknown;
  readonly holds: readonly (readonly [Atom, boolean])[];
}

/** One value for each way in which the atoms can hold or not. */
function distinct(atoms: readonly Atom[], values: readonly unknown[]): readonly Case[] {
  const found = new Map<string, Case>();
  for (const value of values) {
    const holds = atoms.map((atom) => [atom, atom.holds(value)] as const);
    const key = holds.map(([, held]) => (held ? '1' : '0')).join('');
    if (!found.has(key)) found.set(key, { value, holds });
  }
  return [...found.values()];
}

/** Values of a dimension, one at least of each kind that the atoms tell apart. */
function valuesOf(
  dimension: string,
  atoms: readonly Atom[],
  separate: readonly ReadonlySet<string>[],
): readonly unknown[] | undefined {
  const samples = atoms.flatMap((atom) => atom.samples);
  switch (atoms[0]?.kind) {
    case 'roles':
      return subsets([...new Set(samples)] as string[], separate);
    case 'scopes':
      return subsets([...new Set(samples)] as string[], []);
    case 'credentials':
    case 'sender':
      return PRESENTED;
    case 'certificate':
      return [true, false];
    case 'factor':
      return [undefined, ...samples.flatMap((seconds) => [Number(seconds), Number(seconds) + 1])];
    case 'addresses':
      return edgesOf(samples as Network[]);
    case 'home':
      // No tenant's id has a space.
      return ['own', '= ', ...samples];
    case 'hours':
      return samples;
    default:
      // Clients and headers: one that is not listed, and none.
      return [undefined, `\0${dimension}`, ...samples];
  }
}

/** What goes together: only a token is bound by DPoP, and a session by nothing. */
const PRESENTED: readonly Presented[] = CONDITION_CREDENTIALS.flatMap((credential): Presented[] => {
  if (credential === 'session' || credential === 'client-secret') return [{ credential, constraint: 'none' }];
  if (credential === 'certificate') return [{ credential, constraint: 'certificate' }];
  return (['none', 'dpop', 'certificate'] as const).map((constraint) => ({ credential, constraint }));
});

function subsets(
  names: readonly string[],
  separate: readonly ReadonlySet<string>[],
): readonly ReadonlySet<string>[] | undefined {
  if (names.length > MOST_NAMES) return undefined;
  let found: ReadonlySet<string>[] = [new Set()];
  for (const name of names) {
    const apart = separate.filter((set) => set.has(name));
    found = found.flatMap((set) => {
      const excluded = apart.some((other) => [...set].some((held) => other.has(held)));
      return excluded ? [set] : [set, new Set([...set, name])];
    });
  }
  return found;
}
