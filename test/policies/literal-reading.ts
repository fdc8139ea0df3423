import type { RequestFacts } from '../../contracts/facts.ts';
import type { Principal } from '../../contracts/principal.ts';
import type { RouteDocument } from '../../contracts/settings.ts';
import { type Hit, matched, narrowest } from '../../measure/policies/differential/literal-match.ts';

/**
 * The rules read literally and slowly, sharing no code with the compiler: every route is tried, and of
 * those that match the one that ranks highest segment by segment decides.
 */
export function readMatch(routes: readonly RouteDocument[], request: RequestFacts): Hit | undefined {
  return narrowest(routes.flatMap((route) => matched(route, request) ?? []));
}

const LETTERS: Readonly<Record<string, string>> = { read: 'rs', write: 'cud', '*': 'cruds' };

export function readDecision(reading: Hit | undefined, request: RequestFacts, principal: Principal): string {
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
