import { BlockList, isIPv4 } from 'node:net';
import type { ConditionDocument, HoursDocument } from '../../../contracts/conditions.ts';
import type { RequestFacts } from '../../../contracts/facts.ts';
import type { PolicyPack } from '../../../contracts/policy-packs.ts';
import type { Principal } from '../../../contracts/principal.ts';
import type { PolicyDocument, RouteDocument } from '../../../contracts/settings.ts';
import { type Hit, matched, narrowest } from './literal-match.ts';

/**
 * The rules read one by one, literally and slowly, and sharing no code with the compiler: every route is tried, of
 * those that match the narrowest decides, and every deny rule is tried after it.
 */
export interface Verdict {
  readonly permitted: boolean;
  /** The route that decided; undefined when none matches. */
  readonly route: string | undefined;
  /** Whether there is a rule that says "permit". */
  readonly explicit: boolean;
}

/** Routes of packs moved, changed and left out as the document says, then its own. */
export function allRoutes(
  document: PolicyDocument,
  packs: (name: string) => PolicyPack | undefined,
): readonly RouteDocument[] {
  const found: RouteDocument[] = [];
  for (const { pack: name, base } of document.extends ?? []) {
    const pack = packs(name);
    if (pack === undefined) throw new Error(`no pack ${name}`);
    for (const route of pack.routes) {
      if (document.remove?.includes(route.id)) continue;
      let { path } = route;
      const from = pack.base === '/' ? '' : pack.base;
      if (base !== undefined && (path === from || path.startsWith(`${from}/`)))
        path = `${base === '/' ? '' : base}${path.slice(from.length)}` || '/';
      const change = document.override?.find(({ id }) => id === route.id);
      found.push({ ...route, path, ...change });
    }
  }
  return [...found, ...document.routes];
}

export function readLiterally(
  document: PolicyDocument,
  routes: readonly RouteDocument[],
  request: RequestFacts,
  principal: Principal,
  now: number,
): Verdict {
  const hits = routes.flatMap((route) => matched(route, request) ?? []);
  const given = rolesOf(principal).flatMap((role) => document.roles?.[role] ?? []);
  const person = { ...principal, scopes: new Set([...principal.scopes, ...given]) } as Principal;
  const permits = hits.filter(({ route }) => route.effect !== 'deny');
  const best = narrowest(permits);
  if (best === undefined) return { permitted: false, route: undefined, explicit: false };
  const said = { route: best.route.id, explicit: true };
  const no = { ...said, permitted: false };
  if (!asked(document, best, request, person, now)) return no;
  const denied = hits
    .filter(({ route }) => route.effect === 'deny')
    .some(({ route }) => stands(route, request, person, now));
  return denied ? no : { ...said, permitted: true };
}

function isForeign(principal: Principal): boolean {
  return (
    principal.kind !== 'anonymous' && principal.home !== undefined && principal.home !== principal.tenant
  );
}

function rolesOf(principal: Principal): readonly string[] {
  return principal.kind === 'anonymous' || isForeign(principal) ? [] : [...(principal.roles ?? [])];
}

/** Whether the route lets this request through, deny rules aside. */
function asked(
  document: PolicyDocument,
  { route, captures }: Hit,
  request: RequestFacts,
  principal: Principal,
  now: number,
): boolean {
  const certified = request.tls.certificate !== undefined && request.tls.certificate.notAfter > now * 1000;
  if (route.clientCertificate === 'required' && !certified) return false;
  if (!stands(route, request, principal, now)) return false;
  if (route.credential === 'anonymous') return true;
  if (principal.kind === 'anonymous') return false;
  const roles = rolesOf(principal);
  if ((document.separate ?? []).some((apart) => apart.filter((role) => roles.includes(role)).length > 1))
    return false;
  const credential = route.credential ?? 'bearer';
  if (credential !== 'bearer-or-session' && credential !== principal.kind) return false;
  if (principal.audience !== route.audience) return false;
  if (principal.kind === 'bearer') {
    const bound = principal.constraint;
    if (route.senderConstrained === 'any' && bound === 'none') return false;
    if ((route.senderConstrained ?? 'any') !== 'any' && bound !== route.senderConstrained) return false;
  }
  if (route.factorMaxAgeSeconds !== undefined && !factorWithin(principal, route.factorMaxAgeSeconds, now))
    return false;
  // People of other tenants come by consent, which is not of this measurement.
  if (isForeign(principal)) return false;
  const scopes = [...principal.scopes];
  if (!(route.scopes ?? []).every((scope) => scopes.includes(scope))) return false;
  if (route.smart === undefined) return true;
  const { resource, permission, contexts } = route.smart;
  const type = resource.startsWith('{') ? (captures.get(resource.slice(1, -1)) ?? '') : resource;
  if (!/^[A-Z][a-zA-Z]{0,63}$/.test(type)) return false;
  return contexts.some((context) => {
    const letters = scopes.map((scope) => lettersOf(scope, context, type)).join('');
    if (![...permission].every((letter) => letters.includes(letter))) return false;
    if (context !== 'patient') return true;
    const { capture, parameter = '' } = route.patient ?? {};
    const named = capture === undefined ? parameterOnce(request, parameter) : captures.get(capture);
    return named !== undefined && named !== '' && named === principal.patient;
  });
}

function lettersOf(scope: string, context: string, type: string): string {
  const found = /^([a-z]+)\/([A-Za-z*]+)\.(read|write|\*|c?r?u?d?s?)$/.exec(scope);
  if (found === null || found[1] !== context || (found[2] !== type && found[2] !== '*')) return '';
  const permission = found[3] ?? '';
  return { read: 'rs', write: 'cud', '*': 'cruds' }[permission] ?? permission;
}

/** The value, if the parameter is there once and nothing else could be taken for it. */
function parameterOnce(request: RequestFacts, name: string): string | undefined {
  const like = [...request.parameters.keys()].filter(
    (other) => other.toLowerCase().replace(/[[:].*$/, '') === name.toLowerCase(),
  );
  const values = request.parameters.get(name) ?? [];
  return like.length === 1 && values.length === 1 ? values[0] : undefined;
}

function factorWithin(principal: Principal, seconds: number, now: number): boolean {
  const at = principal.kind === 'anonymous' ? undefined : principal.authentication?.factorAt;
  return at !== undefined && now - at <= seconds && now - at >= -60;
}

/** `roles` and `when`. */
function stands(route: RouteDocument, request: RequestFacts, principal: Principal, now: number): boolean {
  if (route.roles !== undefined && !rolesOf(principal).some((role) => route.roles?.includes(role)))
    return false;
  return route.when === undefined || holds(route.when, request, principal, now);
}

function holds(when: ConditionDocument, request: RequestFacts, principal: Principal, now: number): boolean {
  const person = principal.kind === 'anonymous' ? undefined : principal;
  if ('all' in when) return when.all.every((each) => holds(each, request, principal, now));
  if ('any' in when) return when.any.some((each) => holds(each, request, principal, now));
  if ('not' in when) return !holds(when.not, request, principal, now);
  if ('roles' in when) return rolesOf(principal).some((role) => when.roles.includes(role));
  if ('clients' in when) return person?.clientId !== undefined && when.clients.includes(person.clientId);
  if ('home' in when) {
    if (person === undefined) return false;
    return isForeign(principal)
      ? when.home.includes('other') || when.home.includes(person.home ?? '')
      : when.home.includes('own');
  }
  if ('credentials' in when) {
    const by = person?.kind === 'bearer' ? person.credential : person?.kind;
    return when.credentials.some((each) => each === by);
  }
  if ('hours' in when) return open(when.hours, now);
  if ('addresses' in when) return inside(when.addresses, request.peer);
  if ('senderConstrained' in when) {
    const bound = person?.kind === 'bearer' ? person.constraint : 'none';
    return when.senderConstrained === 'any' ? bound !== 'none' : bound === when.senderConstrained;
  }
  if ('factorMaxAgeSeconds' in when) return factorWithin(principal, when.factorMaxAgeSeconds, now);
  if ('clientCertificate' in when)
    return request.tls.certificate !== undefined && request.tls.certificate.notAfter > now * 1000;
  if ('headers' in when)
    return Object.entries(when.headers).every(([name, values]) =>
      values.includes(request.headers.get(name) ?? '\0'),
    );
  return when.scopes.every((scope) => principal.scopes.has(scope));
}

function inside(networks: readonly string[], peer: string): boolean {
  const list = new BlockList();
  for (const text of networks) {
    const [address = '', length] = text.split('/');
    const family = isIPv4(address) ? 'ipv4' : 'ipv6';
    list.addSubnet(address, length === undefined ? (family === 'ipv4' ? 32 : 128) : Number(length), family);
  }
  return list.check(peer, isIPv4(peer) ? 'ipv4' : 'ipv6');
}

/** By the calendar and the clock that Intl shows for the place. */
function open(
  { zone, days, from = '00:00', to = '24:00', except = [] }: HoursDocument,
  now: number,
): boolean {
  const shown = (seconds: number) => {
    const text = new Date(seconds * 1000).toLocaleString('sv-SE', { timeZone: zone });
    const [date = '', time = ''] = text.split(' ');
    return { date, time: time.slice(0, 5) };
  };
  const here = shown(now);
  const noon = Date.parse(`${here.date}T12:00:00Z`) / 1000;
  const dayOf = (seconds: number) => new Date(seconds * 1000).toISOString().slice(0, 10);
  const starts = (date: string): boolean => {
    const day = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'][new Date(`${date}T12:00:00Z`).getUTCDay()];
    return !except.includes(date) && (days === undefined || days.some((each) => each === day));
  };
  if (from < to) return starts(here.date) && here.time >= from && here.time < to;
  if (starts(here.date) && here.time >= from) return true;
  return starts(dayOf(noon - 86_400)) && here.time < to;
}
