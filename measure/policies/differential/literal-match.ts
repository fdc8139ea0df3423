import type { RequestFacts } from '../../../contracts/facts.ts';
import type { RouteDocument } from '../../../contracts/settings.ts';

/** A route that a request matches, and what its captures took. */
export interface Hit {
  readonly route: RouteDocument;
  readonly captures: ReadonlyMap<string, string>;
}

/** Whether a request matches a route, read literally; a deny rule without `upgrade` matches WebSockets too. */
export function matched(route: RouteDocument, request: RequestFacts): Hit | undefined {
  const deny = route.effect === 'deny';
  const head = route.methods.includes('GET') && (deny || route.upgrade === undefined);
  const methods = head ? [...route.methods, 'HEAD'] : route.methods;
  if (!methods.includes(request.method)) return undefined;
  if (!(deny && route.upgrade === undefined) && route.upgrade !== request.upgrade) return undefined;
  const captures = new Map<string, string>();
  const wanted = route.path === '/' ? [] : route.path.slice(1).split('/');
  const given = [...request.path.segments];
  for (const part of wanted) {
    if (part.endsWith('*}')) {
      if (given.length === 0) return undefined;
      captures.set(part.slice(1, -2), given.splice(0).join('/'));
      continue;
    }
    const segment = given.shift();
    if (segment === undefined) return undefined;
    if (part.startsWith('{')) {
      const name = part.slice(1, -1);
      if (segment === '' || route.where?.[name]?.includes(segment) === false) return undefined;
      captures.set(name, segment);
    } else if (part !== segment) return undefined;
  }
  return given.length === 0 ? { route, captures } : undefined;
}

/** How many values each segment of a pattern may have. */
function widths(route: RouteDocument): readonly number[] {
  return route.path
    .slice(1)
    .split('/')
    .map((part) => {
      if (part.endsWith('*}')) return 1e9;
      if (!part.startsWith('{')) return 1;
      return route.where?.[part.slice(1, -1)]?.length ?? 1e6;
    });
}

/** Of the routes that match, the one that is at no segment wider than any other of them. */
export function narrowest(hits: readonly Hit[]): Hit | undefined {
  return hits.find(({ route }) => {
    const mine = widths(route);
    return hits.every((other) => widths(other.route).every((width, i) => (mine[i] ?? 0) <= width));
  });
}
