import { METHODS, type Method, SAFE_METHODS } from '../contracts/facts.ts';
import type { RouteId } from '../contracts/identifiers.ts';
import { HIDE_CLASSES, type HideClass, type IntegrityDemand, type Route } from '../contracts/policy.ts';
import type { RouteDocument } from '../contracts/settings.ts';
import { compileAnswers } from './answers.ts';
import { type FaultList, wholeNumber } from './faults.ts';
import { hideOf, routeFhir } from './fhir/index.ts';
import { compileInspection } from './inspect.ts';
import { compileLimits, patientAt } from './limits.ts';
import type { Pattern } from './pattern.ts';
import { Shared } from './shared.ts';
import { compileSpelling } from './spelling.ts';

const DAY_MS = 86_400_000;
/** How old a verdict may be for a safe request when the route does not say. */
const DEFAULT_MAX_AGE_MS = 1_000;
const LONGEST_MAX_AGE_MS = 60_000;
const DEFAULT_MAX_BODY_BYTES = 1_048_576;
const MOST_BODY_BYTES = 10 * 1024 ** 3;
const DEFAULT_BACKEND_TIMEOUT_MS = 30_000;

const BODY_METHODS: ReadonlySet<Method> = new Set<Method>(['POST', 'PUT', 'PATCH', 'DELETE']);
/** Methods whose body is expected unless the route says otherwise; DELETE's has no defined meaning (RFC 9110 §9.3.5). */
const BODY_EXPECTED: ReadonlySet<Method> = new Set<Method>(['POST', 'PUT', 'PATCH']);

/** `type/subtype`, lower case, no wildcard, no parameter (RFC 6838 §4.2). */
const MEDIA_TYPE = /^[a-z0-9][a-z0-9!#$&^_.+-]{0,126}\/[a-z0-9][a-z0-9!#$&^_.+-]{0,126}$/;
/** A header value that stays on one line. */
const HEADER_VALUE = /^[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?$/;

export function mayCarryBody(method: Method): boolean {
  return BODY_METHODS.has(method);
}

/** Reads the method list; the ones that are known, whatever else is wrong. */
export function compileMethods(route: RouteDocument, at: string, faults: FaultList): ReadonlySet<Method> {
  const methods = new Set<Method>();
  if (route.methods.length === 0) faults.add(`${at}/methods`, 'must list at least one method');
  route.methods.forEach((text, i) => {
    const method = METHODS.find((known) => known === text);
    if (method === undefined) {
      faults.add(`${at}/methods/${i}`, `is not a method the gateway knows; allowed: ${METHODS.join(', ')}`);
    } else if (methods.has(method)) faults.add(`${at}/methods/${i}`, 'is listed twice');
    else methods.add(method);
  });
  if (route.upgrade !== undefined && (methods.size !== 1 || !methods.has('GET'))) {
    // RFC 6455 §4.1: the opening handshake is a GET.
    faults.add(`${at}/methods`, 'an upgrade begins with GET and nothing else');
  }
  return methods;
}

export interface DemandContext {
  readonly id: RouteId;
  readonly methods: ReadonlySet<Method>;
  readonly pattern: Pattern;
  readonly hideDeadlineMs: number;
}

/** Everything of a route that is known before anybody is authenticated, with its defaults. */
export function compileDemands(
  route: RouteDocument,
  context: DemandContext,
  at: string,
  faults: FaultList,
): Route {
  const { methods } = context;
  const safe = [...methods].every((method) => SAFE_METHODS.has(method));
  const credential = route.credential ?? 'bearer';
  const tokens = credential === 'bearer' || credential === 'bearer-or-session';
  if (!tokens && route.introspection === 'always') {
    faults.add(`${at}/introspection`, `a route with "credential: ${credential}" has no token to introspect`);
  }
  wholeNumber(route.factorMaxAgeSeconds, 1, 86_400, `${at}/factorMaxAgeSeconds`, faults);
  if (credential === 'anonymous' && route.factorMaxAgeSeconds !== undefined) {
    faults.add(`${at}/factorMaxAgeSeconds`, 'an anonymous route knows nobody who could give a second factor');
  }
  if (!tokens && route.senderConstrained !== undefined) {
    faults.add(`${at}/senderConstrained`, `a route with "credential: ${credential}" takes no token`);
  }
  if (route.audience !== undefined && credential !== 'bearer') {
    faults.add(
      `${at}/audience`,
      `is only for "credential: bearer": nothing but a token carries an audience, and this route has "${credential}"`,
    );
  }
  const hide = compileHide(route, at, faults);
  const integrity = compileIntegrity(route, context, safe, at, faults);
  wholeNumber(route.backendTimeoutMs, 1, DAY_MS, `${at}/backendTimeoutMs`, faults);
  const lookFirst = compileLookFirst(route, hide, methods, at, faults);
  const { limit, limits } = compileLimits(route, at, faults);
  const { maxBodyBytes, mediaTypes } = compileBody(route, methods, at, faults);
  const spelling = compileSpelling(route, at, faults);
  // Every member is written here: what is put together from other objects takes more room, in two places.
  return Object.freeze({
    id: context.id,
    credential,
    factorMaxAge: route.factorMaxAgeSeconds,
    senderConstrained: route.senderConstrained ?? 'none',
    audience: route.audience,
    clientCertificate: route.clientCertificate ?? 'none',
    introspection: route.introspection ?? (safe || !tokens ? 'never' : 'always'),
    integrity,
    hide,
    hideDeadlineMs: route.hideDeadlineMs ?? context.hideDeadlineMs,
    hideLearned: route.hideLearned ?? (route.hideDeadlineMs === undefined ? undefined : false),
    lookFirst,
    limit,
    limits,
    patientAt: patientAt(route, context.pattern),
    maxBodyBytes,
    mediaTypes,
    backendTimeoutMs: route.backendTimeoutMs ?? DEFAULT_BACKEND_TIMEOUT_MS,
    upgrade: route.upgrade,
    allow: spelling.allow,
    query: spelling.query,
    methodOverride: spelling.methodOverride,
    writes: route.writes === true || (route.upgrade !== undefined && integrity.mode === 'strict'),
    contentSecurityPolicy: compileSecurityPolicy(route, at, faults),
    fhir: routeFhir(route.fhir),
    sharing: compileSharing(route, credential, at, faults),
    rows: route.rows,
    answers: compileAnswers(route.answers, `${at}/answers`, faults),
    inspect: compileInspection(route, at, faults),
  });
}

function compileSharing(
  route: RouteDocument,
  credential: Route['credential'],
  at: string,
  faults: FaultList,
): Route['sharing'] {
  if (route.sharing === undefined) return undefined;
  if (credential === 'anonymous') {
    faults.add(`${at}/sharing`, 'has no effect: whoever needs no credential needs no consent');
  } else if (route.fhir === undefined && (route.smart === undefined || route.patient === undefined)) {
    faults.add(
      `${at}/sharing`,
      'needs "smart" and "patient" (or "fhir"): it is a patient who shares, and a type of resource that is shared',
    );
  }
  return 'consent';
}

/** The same demands for a method of the route that carries no body. */
export function withoutBody(route: Route): Route {
  if (route.maxBodyBytes === 0) return route;
  return Object.freeze({ ...route, maxBodyBytes: 0, mediaTypes: NO_TYPES });
}

function compileHide(route: RouteDocument, at: string, faults: FaultList): HideClass {
  if (route.hide !== undefined && !HIDE_CLASSES.includes(route.hide)) {
    faults.add(`${at}/hide`, `must be one of ${HIDE_CLASSES.join(', ')}`);
  }
  const fhir = route.fhir !== undefined && route.fhir.interaction !== 'capabilities';
  if ((route.patient !== undefined || fhir) && route.hide === 'none') {
    faults.add(`${at}/hide`, 'a route of patients\' records must hide: "record" or "collection"');
  }
  // Another patient's request is denied as hidden, so such a route needs a class to hide in.
  const byPatient = route.patient?.parameter === undefined ? 'record' : 'collection';
  const unnamed = fhir ? hideOf(route.fhir) : route.patient === undefined ? 'none' : byPatient;
  const described = (route.answers?.hidden?.length ?? 0) > 0;
  if (described && route.hide === 'none')
    faults.add(`${at}/hide`, 'answers that are "hidden" need a class to hide in: "record" or "collection"');
  const hide = route.hide ?? (described && unnamed === 'none' ? 'record' : unnamed);
  wholeNumber(route.hideDeadlineMs, 1, 60_000, `${at}/hideDeadlineMs`, faults);
  if (route.hideDeadlineMs !== undefined && hide === 'none') {
    faults.add(`${at}/hideDeadlineMs`, 'has no effect: the route hides nothing');
  }
  if (route.hideLearned === true && hide === 'none') {
    faults.add(`${at}/hideLearned`, 'has no effect: the route hides nothing');
  }
  return hide;
}

const CHANGES: ReadonlySet<Method> = new Set<Method>(['PUT', 'PATCH', 'DELETE']);

/** FHIR servers answer the deletion of what is absent with a success (FHIR R4 §3.1.0.7), and its refusal with another. */
function compileLookFirst(
  route: RouteDocument,
  hide: HideClass,
  methods: ReadonlySet<Method>,
  at: string,
  faults: FaultList,
): true | undefined {
  if (route.lookFirst === true && (hide !== 'record' || ![...methods].some((each) => CHANGES.has(each)))) {
    faults.add(`${at}/lookFirst`, 'is only for routes with "hide: record" and PUT, PATCH or DELETE');
  }
  const usual = hide === 'record' && route.fhir?.interaction === 'delete';
  return (route.lookFirst ?? usual) ? true : undefined;
}

function compileIntegrity(
  route: RouteDocument,
  context: DemandContext,
  safe: boolean,
  at: string,
  faults: FaultList,
): IntegrityDemand {
  const pointer = `${at}/integrity`;
  const { integrity } = route;
  const writes = !safe || route.writes === true;
  // A WebSocket can write for as long as it is open, so that it is begun as a write is.
  const mode = integrity?.mode ?? (writes || route.upgrade !== undefined ? 'strict' : 'bounded');
  if (mode !== 'bounded') {
    if (integrity?.maxAgeMs !== undefined) faults.add(`${pointer}/maxAgeMs`, 'is only for mode "bounded"');
    if (mode === 'off') checkIntegrityOff(route, context, pointer, faults);
    else if (mode !== 'strict') faults.add(`${pointer}/mode`, 'must be one of strict, bounded, off');
    return mode === 'off' ? OFF : STRICT;
  }
  if (writes) {
    faults.add(`${pointer}/mode`, 'must be "strict": the route may change something');
  }
  wholeNumber(integrity?.maxAgeMs, 1, LONGEST_MAX_AGE_MS, `${pointer}/maxAgeMs`, faults);
  const maxAgeMs = integrity?.maxAgeMs ?? DEFAULT_MAX_AGE_MS;
  return maxAgeMs === DEFAULT_MAX_AGE_MS ? BOUNDED : Object.freeze({ mode: 'bounded', maxAgeMs });
}

const OFF: IntegrityDemand = Object.freeze({ mode: 'off' });
const STRICT: IntegrityDemand = Object.freeze({ mode: 'strict' });
const BOUNDED: IntegrityDemand = Object.freeze({ mode: 'bounded', maxAgeMs: DEFAULT_MAX_AGE_MS });

/** Only what cannot hold a record goes on without the checker: anonymous, safe, below a fixed folder. */
function checkIntegrityOff(
  route: RouteDocument,
  context: DemandContext,
  pointer: string,
  faults: FaultList,
): void {
  const first = context.pattern[0];
  const wanting: string[] = [];
  if (route.credential !== 'anonymous') wanting.push('credential: anonymous');
  if ([...context.methods].some((method) => method !== 'GET' && method !== 'HEAD')) {
    wanting.push('no method but GET and HEAD');
  }
  if (route.upgrade !== undefined) wanting.push('no upgrade');
  if (route.writes === true) wanting.push('no writes');
  if ((route.hide ?? 'none') !== 'none') wanting.push('hide: none');
  if (first?.kind !== 'literal' || first.text === '') wanting.push('a path that begins with a fixed segment');
  if (wanting.length > 0) {
    faults.add(
      `${pointer}/mode`,
      `"off" is only for static assets; this route would need ${wanting.join(', ')}`,
    );
  }
}

function compileBody(
  route: RouteDocument,
  methods: ReadonlySet<Method>,
  at: string,
  faults: FaultList,
): Pick<Route, 'maxBodyBytes' | 'mediaTypes'> {
  const expected = [...methods].some((method) => BODY_EXPECTED.has(method));
  const maxBodyBytes = route.maxBodyBytes ?? (expected ? DEFAULT_MAX_BODY_BYTES : 0);
  wholeNumber(route.maxBodyBytes, 0, MOST_BODY_BYTES, `${at}/maxBodyBytes`, faults);
  if (maxBodyBytes > 0 && ![...methods].some(mayCarryBody)) {
    faults.add(
      `${at}/maxBodyBytes`,
      `must be 0: no method of the route (${[...methods].join(', ')}) carries a body`,
    );
  }
  const types = route.mediaTypes ?? [];
  types.forEach((type, i) => {
    const pointer = `${at}/mediaTypes/${i}`;
    if (!MEDIA_TYPE.test(type)) {
      faults.add(pointer, 'must be one media type, lower case, without parameters or wildcard');
    } else if (types.indexOf(type) !== i) faults.add(pointer, 'is listed twice');
  });
  if (maxBodyBytes > 0 && types.length === 0) {
    faults.add(`${at}/mediaTypes`, 'must list the media types a body may have (or set maxBodyBytes: 0)');
  }
  if (maxBodyBytes === 0 && types.length > 0) {
    faults.add(`${at}/mediaTypes`, 'has no effect: the route takes no body');
  }
  return { maxBodyBytes, mediaTypes: mediaTypesOf(types) };
}

const NO_TYPES: ReadonlySet<string> = new Set();
const typeSets = new Shared<ReadonlySet<string>>();

function mediaTypesOf(types: readonly string[]): ReadonlySet<string> {
  if (types.length === 0) return NO_TYPES;
  const key = JSON.stringify(types);
  return typeSets.get(key) ?? typeSets.keep(key, new Set(types));
}

function compileSecurityPolicy(
  route: RouteDocument,
  at: string,
  faults: FaultList,
): Route['contentSecurityPolicy'] {
  const policy = route.contentSecurityPolicy;
  if (policy === undefined) return undefined;
  if (!HEADER_VALUE.test(policy.value)) {
    faults.add(`${at}/contentSecurityPolicy/value`, 'must be one line of visible ASCII');
  }
  return Object.freeze({ value: policy.value, reportOnly: policy.reportOnly === true });
}
