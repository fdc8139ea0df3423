import type { JsonBody, JsonValue, StateKind, StateStore, StoredDocument } from '../../contracts/state.ts';
import { STATE_KINDS } from '../../contracts/state.ts';
import type { Sealer } from './seal.ts';

export interface ResealReport {
  /** Documents that were written anew. */
  readonly documents: number;
  /** Sealed values that none of the keys opens at their place; they stay as they are. */
  readonly unopened: number;
}

/** Names of fields that are not among the names of the properties around the value. */
const OTHER_FIELDS = ['content', 'secret'];
/** What `Sealer.seal` writes begins so; nothing else in a document does. */
const SEALED = /^1\.[A-Za-z0-9_-]{11}\.[A-Za-z0-9_-]{38,}$/;
const PAGE = 200;

/**
 * Seals every value with the first of the sealing keys, so that the others can be given up. May run beside the
 * processes that use the store: what one of them changes meanwhile is left to it and is done when this runs again,
 * so run it until it says zero.
 */
export async function resealAll(store: StateStore, sealer: Sealer): Promise<ResealReport> {
  let documents = 0;
  let unopened = 0;
  for (const kind of Object.keys(STATE_KINDS) as StateKind[]) {
    let after = '';
    for (;;) {
      const page = await store.list(kind, { limit: PAGE, after });
      for (const document of page) {
        const found = resealed(sealer, kind, document);
        unopened += found.unopened;
        if (found.body === document.body) continue;
        const { id, version, indexes, expiresAt } = document;
        if (await store.replace(kind, id, version, { body: found.body, indexes, expiresAt })) documents += 1;
      }
      const last = page.at(-1);
      if (last === undefined) break;
      after = last.id;
    }
  }
  return { documents, unopened };
}

function resealed(
  sealer: Sealer,
  kind: StateKind,
  document: StoredDocument,
): { readonly body: JsonBody; readonly unopened: number } {
  let unopened = 0;
  /** The same value where nothing in it is old. */
  const walk = (value: JsonValue, names: readonly string[]): JsonValue => {
    if (typeof value === 'string') {
      if (!SEALED.test(value) || !sealer.isOld(value)) return value;
      const anew = again(sealer, value, kind, document.id, names);
      if (anew === undefined) unopened += 1;
      return anew ?? value;
    }
    if (typeof value !== 'object' || value === null) return value;
    let changed = false;
    const entries = Object.entries(value).map(([name, item]) => {
      const next = walk(item as JsonValue, [...names, name]);
      changed ||= next !== item;
      return [name, next] as const;
    });
    if (!changed) return value;
    return Array.isArray(value) ? entries.map(([, item]) => item) : Object.fromEntries(entries);
  };
  const body = walk(document.body, []) as JsonBody;
  return { body, unopened };
}

/** The field is one of a few names; under any other the value does not open, so that trying them is safe. */
function again(
  sealer: Sealer,
  value: string,
  kind: StateKind,
  id: string,
  names: readonly string[],
): string | undefined {
  for (const field of new Set([...names.toReversed(), ...OTHER_FIELDS])) {
    try {
      return sealer.seal(sealer.open(value, { kind, id, field }), { kind, id, field });
    } catch {
      // Not this one.
    }
  }
  return undefined;
}
