import type { StateKind, StateStore } from '../../../../contracts/state.ts';

/** One thing that was done to the store, and whether it found or changed something. */
export interface Deed {
  readonly do: string;
  readonly kind: StateKind;
  readonly id: string;
  readonly hit: boolean;
}

const WATCHED = ['get', 'find', 'insert', 'replace', 'remove', 'take', 'removeAll'] as const;

/**
 * Writes down what is done to a store from now on; the store does it as always.
 * @param before called first; what it throws is thrown
 */
export function watch(store: StateStore, before: (deed: Omit<Deed, 'hit'>) => void = () => {}) {
  const deeds: Deed[] = [];
  const patched = store as unknown as Record<string, unknown>;
  for (const name of WATCHED) {
    const original = store[name].bind(store) as (kind: StateKind, id: string, ...rest: unknown[]) => unknown;
    patched[name] = async (kind: StateKind, id: string, ...rest: unknown[]) => {
      before({ do: name, kind, id });
      const result = await original(kind, id, ...rest);
      const hit = Array.isArray(result) ? result.length > 0 : result !== undefined && result !== false;
      deeds.push({ do: name, kind, id, hit });
      return result;
    };
  }
  return {
    deeds,
    stop: () => {
      for (const name of WATCHED) delete patched[name];
    },
  };
}
