import type { RequestFacts } from '../../contracts/facts.ts';
import type { Principal } from '../../contracts/principal.ts';
import type { RouteDocument } from '../../contracts/settings.ts';

/**
 * The rules read literally and slowly, sharing no code with the compiler: every route is tried, and of
 * those that match the one that ranks highest segment by segment decides.
 */
export interface Reading {
  readonly route: RouteDocument;
  readonly captures: ReadonlyMap<string, string>;
}

function matchOne(route: RouteDocument, request: RequestFacts): Reading | undefined {
  const methods =
    route.methods.includes('GET') && !route.upgrade ? [...route.methods, 'HEAD'] : route.methods;
  if (!methods.includes(request.method) || route.upgrade !== request.upgrade) return undefined;
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

/** How narrow each segment of a pattern is: number of values it may have. */
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

export function readMatch(routes: readonly RouteDocument[], request: RequestFacts): Reading | undefined {
  const hits = routes.flatMap((route) => matchOne(route, request) ?? []);
  return hits.find(({ route }) => {
    const mine = widths(route);
    // The most specific: at no segment wider than any other route that matches too.
    return hits.every((other) => widths(other.route).every((width, i) => (mine[i] ?? 0) <= width));
  });
}

const LETTERS: Readonly<Record<string, string>> = { read: 'rs', write: 'cud', '*': 'cruds' };

export function readDecision(
  reading: Reading | undefined,
  request: RequestFacts,
  principal: Principal,
): string {
  if (reading === undefined) return 'route-unknown';
  const { route, captures } = reading;
  if (route.credential === 'anonymous') return 'permit';
  if (principal.kind === 'anonymous') return 'unauthenticated';
  const plain = (route.scopes ?? []).every((scope) => principal.scopes.has(scope));
  if (route.smart === undefined) return plain ? 'permit' : 'insufficient-scope';
  const { resource, permission, contexts } = route.smart;
  const type = resource.startsWith('{') ? (captures.get(resource.slice(1, -1)) ?? '') : resource;
  let hidden = false;
  for (const context of contexts) {
    let letters = '';
    for (const scope of principal.scopes) {
      const [head = '', granted = ''] = scope.split('.');
      if (head === `${context}/${type}` || head === `${context}/*`) letters += LETTERS[granted] ?? granted;
    }
    if (!/^[A-Z][a-zA-Z]*$/.test(type) || ![...permission].every((letter) => letters.includes(letter)))
      continue;
    if (context !== 'patient') return plain ? 'permit' : 'insufficient-scope';
    const values = route.patient?.capture
      ? [captures.get(route.patient.capture) ?? '']
      : (request.parameters.get(route.patient?.parameter ?? '') ?? []);
    if (values.length !== 1 || !principal.patient) continue;
    if (values[0] === principal.patient) return plain ? 'permit' : 'insufficient-scope';
    hidden = plain && values[0] !== '';
  }
  return hidden ? 'record-hidden' : 'insufficient-scope';
}
