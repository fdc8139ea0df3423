import type { ConditionDocument } from '../contracts/conditions.ts';
import type { Route } from '../contracts/policy.ts';
import type { RouteDocument } from '../contracts/settings.ts';
import { satisfy } from './conditions/analyse.ts';
import { compileAtom, PERSONAL, rolesAtom } from './conditions/atoms.ts';
import { compileCondition } from './conditions/compile.ts';
import { type Condition, conditionOf } from './conditions/decide.ts';
import { allOf, atomsOf, type Node } from './conditions/node.ts';
import type { FaultList } from './faults.ts';
import { Shared } from './shared.ts';

/** What a rule asks of whoever stands before it, besides scopes. */
export interface Standing {
  /** Undefined: nothing besides. */
  readonly condition: Condition | undefined;
  /** The same together with what the rule's other keys ask: for proofs, never for decisions. */
  whole(): Node;
  /** Roles it names, with their places below the rule. */
  readonly roles: readonly { readonly name: string; readonly below: string }[];
}

const NO_ROLES: Standing['roles'] = Object.freeze([]);

/** Reads `roles` and `when`. @param route undefined for a deny rule, which asks for no credential */
export function compileStanding(
  document: RouteDocument,
  route: Route | undefined,
  at: string,
  faults: FaultList,
): Standing {
  const { roles, when } = document;
  const asks = route && [
    route.credential,
    route.senderConstrained,
    route.clientCertificate,
    route.factorMaxAge ?? 0,
  ];
  const key = JSON.stringify([asks ?? null, roles ?? null, when ?? null]);
  const same = known.get(key);
  if (same !== undefined) return same;
  const own: Node[] = [];
  const before = faults.size;
  if (roles !== undefined) {
    const atom = rolesAtom(roles, (below, message) => faults.add(`${at}/${below}`, message));
    own.push({ op: 'atom', atom });
  }
  if (when !== undefined) own.push(compileCondition(when, `${at}/when`, faults));
  if (route?.credential === 'anonymous') forbidPersonal(document, own, at, faults);
  let made: Node | undefined;
  const whole = (): Node => {
    made ??= allOf([...(route === undefined ? [] : demandsOf(route)), ...own]);
    return made;
  };
  if (own.length === 0) return known.keep(key, { condition: undefined, whole, roles: NO_ROLES });
  const node = allOf(own);
  if (faults.size === before) {
    const place = when === undefined ? `${at}/roles` : `${at}/when`;
    if (satisfy(node, []) !== undefined && satisfy(whole(), []) === undefined) {
      faults.add(
        place,
        'contradicts what the other keys of the route ask for, so that it could never permit',
      );
    } else if (satisfy(node, []) === undefined) {
      faults.add(place, 'contradicts "roles", so that it could never hold');
    }
  }
  const named = [
    ...(roles ?? []).map((name, i) => ({ name, below: `/roles/${i}` })),
    ...(when === undefined ? [] : rolesIn(when, '/when')),
  ];
  const standing: Standing = { condition: conditionOf(node), whole, roles: named };
  return faults.size > before ? standing : known.keep(key, standing);
}

/** By what was written: what is asked does not depend on where it is. */
const known = new Shared<Standing>();

/** What the keys of a route ask, in the terms of conditions. */
function demandsOf(route: Route): Node[] {
  const found: Node[] = [];
  const atom = (document: Parameters<typeof compileAtom>[0]): void => {
    found.push({ op: 'atom', atom: compileAtom(document, () => {}) });
  };
  if (route.credential === 'session') atom({ credentials: ['session'] });
  if (route.credential === 'bearer') atom({ credentials: ['token', 'client-secret', 'certificate'] });
  // Sessions are no tokens, and are not asked for it.
  if (route.senderConstrained !== 'none' && route.credential === 'bearer')
    atom({ senderConstrained: route.senderConstrained });
  if (route.clientCertificate === 'required') atom({ clientCertificate: 'required' });
  if (route.factorMaxAge !== undefined) atom({ factorMaxAgeSeconds: route.factorMaxAge });
  return found;
}

function forbidPersonal(document: RouteDocument, own: readonly Node[], at: string, faults: FaultList): void {
  const kinds = own.flatMap((node) => atomsOf(node)).filter(({ atom }) => PERSONAL.has(atom.kind));
  const [first] = kinds;
  if (first === undefined) return;
  const place = document.roles === undefined ? `${at}/when` : `${at}/roles`;
  faults.add(place, `asks who somebody is (${first.atom.detail}), and an anonymous route knows nobody`);
}

/** Every role that a condition names, with its place. */
function rolesIn(document: ConditionDocument, below: string): readonly { name: string; below: string }[] {
  if ('all' in document) return document.all.flatMap((each, i) => rolesIn(each, `${below}/all/${i}`));
  if ('any' in document) return document.any.flatMap((each, i) => rolesIn(each, `${below}/any/${i}`));
  if ('not' in document) return rolesIn(document.not, `${below}/not`);
  if (!('roles' in document)) return [];
  return document.roles.map((name, i) => ({ name, below: `${below}/roles/${i}` }));
}
