import { isPlain, type Plain, type Resource, targetOf, walk } from '../resource.ts';
import type { Store } from '../store.ts';
import { meets } from './match.ts';
import { referencesAt, valuesAt, wordsOf } from './values.ts';

/** How a result comes out, and nothing about which it is. */
const CONTROL =
  /^(?:_count|_offset|_include|_revinclude|_sort|_summary|_elements|_total|_format|_pretty|_contained|_containedType|_since|_at|_page|_getpages)(?::.*)?$/;
const MOST = 1000;

export interface Searched {
  readonly matches: readonly Resource[];
  readonly included: readonly Resource[];
  readonly total: number;
  readonly offset: number;
  readonly count: number;
}

/** Searches one type, or all of them (`type` undefined). */
export function search(store: Store, type: string | undefined, query: URLSearchParams): Searched {
  const types = type !== undefined ? [type] : (query.get('_type')?.split(',') ?? store.types());
  let found = types.flatMap((each) => [...store.all(each)]);
  for (const [name, value] of query) {
    if (CONTROL.test(name) || value === '') continue;
    found = found.filter((resource) => meets(store, resource, name, value));
  }
  if (query.get('_contained') === 'true') found = [...found, ...containers(store, types, query)];
  sort(found, query.get('_sort'));
  const count = Math.min(MOST, positive(query.get('_count')) ?? 20);
  const offset = positive(query.get('_offset')) ?? 0;
  const page = found.slice(offset, offset + count);
  const matches = page.map((resource) => shown(resource, query));
  return { matches, included: include(store, page, query), total: found.length, offset, count };
}

function positive(text: string | null): number | undefined {
  const value = Number(text ?? Number.NaN);
  return Number.isInteger(value) && value >= 0 ? value : undefined;
}

/** Resources in which another of these types is contained that meets the criteria. */
function containers(store: Store, types: readonly string[], query: URLSearchParams): readonly Resource[] {
  return store.types().flatMap((each) =>
    store.all(each).filter((resource) => {
      const contained = Array.isArray(resource.contained) ? (resource.contained as Resource[]) : [];
      return contained.some(
        (inner) =>
          isPlain(inner) &&
          types.includes(inner.resourceType) &&
          [...query].every(([name, value]) => CONTROL.test(name) || meets(store, inner, name, value)),
      );
    }),
  );
}

function sort(found: Resource[], by: string | null): void {
  for (const each of (by ?? '').split(',').reverse()) {
    if (each === '') continue;
    const sign = each.startsWith('-') ? -1 : 1;
    const name = each.replace(/^-/, '');
    const key = (resource: Resource) =>
      name === '_lastUpdated'
        ? String(resource.meta?.lastUpdated ?? '')
        : (wordsOf(valuesAt(resource, name)[0])[0] ?? '');
    found.sort((a, b) => sign * key(a).localeCompare(key(b)));
  }
}

/** `_elements` and `_summary`: what is left of a resource. */
function shown(resource: Resource, query: URLSearchParams): Resource {
  const elements = query.get('_elements')?.split(',');
  const summary = query.get('_summary');
  if (elements === undefined && (summary === null || summary === 'false' || summary === 'count'))
    return resource;
  const keep = new Set(['resourceType', 'id', 'meta', ...(elements ?? (summary === 'text' ? ['text'] : []))]);
  const cut: Plain = {};
  for (const [name, value] of Object.entries(resource)) {
    const kept =
      summary === 'data'
        ? name !== 'text'
        : summary === 'true'
          ? name !== 'text' && name !== 'contained'
          : keep.has(name);
    if (kept) cut[name] = value;
  }
  return cut as unknown as Resource;
}

function include(store: Store, page: readonly Resource[], query: URLSearchParams): readonly Resource[] {
  const seen = new Set(page.map((resource) => `${resource.resourceType}/${resource.id}`));
  const included: Resource[] = [];
  const take = (type: string, id: string): void => {
    const key = `${type}/${id}`;
    const resource = seen.has(key) ? undefined : store.read(type, id);
    if (resource === undefined) return;
    seen.add(key);
    included.push(resource);
  };
  const wanted = [...query].filter(([name]) => /^_(?:rev)?include(?::|$)/.test(name));
  let from: readonly Resource[] = page;
  for (let round = 0; round < 5 && from.length > 0; round += 1) {
    const before = included.length;
    for (const [name, value] of wanted) {
      if (round > 0 && !/:(?:iterate|recurse)$/.test(name)) continue;
      const [type = '', parameter = '', target] = value.split(':');
      if (name.startsWith('_include')) {
        for (const resource of from) {
          if (type !== '*' && resource.resourceType !== type) continue;
          const links =
            parameter === '*' || type === '*' ? every(resource) : referencesAt(resource, parameter);
          for (const link of links)
            if (target === undefined || link.type === target) take(link.type, link.id);
        }
      } else {
        const others = type === '*' ? store.types() : [type];
        for (const other of others.flatMap((each) => store.all(each))) {
          const links = parameter === '*' || type === '*' ? every(other) : referencesAt(other, parameter);
          if (
            links.some((link) =>
              from.some((resource) => resource.resourceType === link.type && resource.id === link.id),
            )
          )
            take(other.resourceType, other.id);
        }
      }
    }
    from = included.slice(before);
  }
  return included;
}

export function every(resource: Resource): readonly { type: string; id: string }[] {
  const found: { type: string; id: string }[] = [];
  walk(resource, (object) => {
    const target = targetOf(object);
    if (target !== undefined) found.push(target);
  });
  return found;
}
