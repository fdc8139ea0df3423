import type { FhirRequest } from './interactions.ts';
import { type Plain, Refusal, type Resource } from './resource.ts';
import { every } from './search/search.ts';
import type { Store } from './store.ts';

/** `$everything`, `$lastn`, `$graphql` and `$meta`, for whoever asks and about whatever is named. */
export function operation(
  store: Store,
  request: FhirRequest,
  name: string,
  type?: string,
  id?: string,
): Plain {
  switch (name) {
    case '$everything':
      return bundle(request, everything(store, type, id));
    case '$lastn': {
      const patient = request.query.get('patient') ?? request.query.get('subject');
      const all = store.all(type ?? 'Observation');
      return bundle(
        request,
        patient === null
          ? all
          : all.filter((each) => every(each).some((link) => `Patient/${link.id}`.endsWith(patient))),
      );
    }
    case '$graphql':
      return graphql(
        store,
        String(request.query.get('query') ?? (request.body as Plain | undefined)?.query ?? ''),
      );
    case '$meta': {
      const found = type !== undefined && id !== undefined ? store.read(type, id) : undefined;
      if (found === undefined) throw new Refusal(404, 'there is no such resource');
      return { resourceType: 'Parameters', parameter: [{ name: 'return', valueMeta: found.meta }] };
    }
    default:
      throw new Refusal(404, 'there is no such operation');
  }
}

/** A resource and all that refers to it, and what those refer to. */
function everything(store: Store, type: string | undefined, id: string | undefined): readonly Resource[] {
  const roots =
    type !== undefined && id !== undefined
      ? [store.read(type, id)]
      : type === undefined
        ? []
        : [...store.all(type)];
  if (roots[0] === undefined) throw new Refusal(404, 'there is no such resource');
  const found = new Map<string, Resource>();
  for (const root of roots) if (root !== undefined) found.set(`${root.resourceType}/${root.id}`, root);
  for (const each of store.types())
    for (const resource of store.all(each))
      if (
        every(resource).some((link) =>
          roots.some((root) => root?.resourceType === link.type && root.id === link.id),
        )
      )
        found.set(`${resource.resourceType}/${resource.id}`, resource);
  for (const resource of [...found.values()])
    for (const link of every(resource)) {
      const target = store.read(link.type, link.id);
      if (target !== undefined) found.set(`${link.type}/${link.id}`, target);
    }
  return [...found.values()];
}

function bundle(request: FhirRequest, resources: readonly Resource[]): Plain {
  return {
    resourceType: 'Bundle',
    type: 'searchset',
    total: resources.length,
    entry: resources.map((resource) => ({
      fullUrl: `${request.base}/${resource.resourceType}/${resource.id}`,
      resource,
      search: { mode: 'match' },
    })),
  };
}

/** As much of GraphQL as it takes to ask for a resource, or all of a type: the fields asked for are ignored. */
function graphql(store: Store, query: string): Plain {
  const data: Plain = {};
  for (const [, alias = '', type = '', id = ''] of query.matchAll(
    /(?:(\w+)\s*:\s*)?([A-Z][A-Za-z]+)\s*\(\s*id\s*:\s*"([^"]+)"/g,
  ))
    data[alias || type] = store.read(type, id);
  for (const [, type = ''] of query.matchAll(/\b([A-Z][A-Za-z]+)List\b/g))
    data[`${type}List`] = store.all(type);
  return { data };
}
