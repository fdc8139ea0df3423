import type { Method } from '../contracts/facts.ts';
import type { Credential } from '../contracts/policy.ts';
import type { RouteDocument } from '../contracts/settings.ts';
import { type FaultList, token } from './faults.ts';
import { isLiteralSegment } from './pattern.ts';
import { CONTEXTS, type Context, isResourceType, isScopeToken, permissionMask } from './scopes.ts';

/** Who may use a route, compiled. */
export type Access =
  | { readonly credential: 'anonymous' }
  | {
      readonly credential: Exclude<Credential, 'anonymous'>;
      readonly scopes: readonly string[];
      readonly smart: SmartRule | undefined;
    };

export interface SmartRule {
  readonly contexts: readonly Context[];
  readonly resource: ResourceSource;
  /** Canonical letters and the same as bits. */
  readonly permission: string;
  readonly mask: number;
  readonly patient: PatientSource | undefined;
}

export type ResourceSource =
  | { readonly from: 'literal'; readonly type: string }
  | {
      readonly from: 'capture';
      readonly name: string;
      readonly index: number;
      /** The types the capture is limited to; undefined for a free capture. */
      readonly types: readonly string[] | undefined;
    };

export type PatientSource =
  | { readonly from: 'capture'; readonly name: string; readonly index: number }
  | { readonly from: 'parameter'; readonly name: string };

/** What the path says about captures, as far as it could be parsed. */
export interface Captures {
  readonly names: readonly string[];
  /** The name of a last `{name*}`, whose value may hold slashes. */
  readonly rest: string | undefined;
  readonly where: ReadonlyMap<string, ReadonlySet<string>>;
}

const RESOURCE_CAPTURE = /^\{([A-Za-z][A-Za-z0-9]{0,31})\}$/;
const RESOURCE_SCOPE_PREFIX = /^(?:patient|user|system)\//;

/** Reads `where`: known captures, and values that a canonical segment can have. */
export function compileWhere(
  route: RouteDocument,
  names: readonly string[],
  rest: string | undefined,
  at: string,
  faults: FaultList,
): ReadonlyMap<string, ReadonlySet<string>> {
  const where = new Map<string, ReadonlySet<string>>();
  for (const [name, values] of Object.entries(route.where ?? {})) {
    const pointer = `${at}/where/${token(name)}`;
    if (!names.includes(name)) faults.add(pointer, unknownCapture(name, names));
    else if (name === rest)
      faults.add(pointer, `"{${name}*}" takes the rest of the path and cannot be limited`);
    if (values.length === 0) faults.add(pointer, 'allows no value, so that the route could never match');
    values.forEach((value, i) => {
      if (!isLiteralSegment(value)) {
        faults.add(`${pointer}/${i}`, 'is not a value that one decoded path segment can have in a rule');
      } else if (values.indexOf(value) !== i) faults.add(`${pointer}/${i}`, 'is listed twice');
    });
    where.set(name, new Set(values));
  }
  return where;
}

function unknownCapture(name: string, names: readonly string[]): string {
  const known = names.length === 0 ? 'it captures nothing' : `it captures ${names.join(', ')}`;
  return `the path has no capture ${JSON.stringify(name)}; ${known}`;
}

/** Reads credential, scopes, smart and patient. The result counts only if no fault was added. */
export function compileAccess(
  route: RouteDocument,
  methods: ReadonlySet<Method>,
  captures: Captures,
  at: string,
  faults: FaultList,
): Access {
  const scopes = compileScopes(route, at, faults);
  if (route.credential === 'anonymous') {
    if (scopes.length > 0) faults.add(`${at}/scopes`, 'an anonymous route cannot require scopes');
    if (route.smart !== undefined)
      faults.add(`${at}/smart`, 'an anonymous route cannot require SMART scopes');
    if (route.patient !== undefined) faults.add(`${at}/patient`, 'an anonymous route knows no patient');
    return { credential: 'anonymous' };
  }
  // Of a batch each entry needs its own scopes; of the rest of FHIR, policies/fhir says what is missing.
  if (scopes.length === 0 && route.smart === undefined && route.fhir === undefined) {
    faults.add(
      at,
      `a ${route.credential ?? 'bearer'} route must name at least one scope, under "scopes" or "smart"; none would admit ${route.credential === 'session' ? 'whoever can sign in' : 'any token'}`,
    );
  }
  const smart =
    route.smart === undefined ? undefined : compileSmart(route, route.smart, captures, at, faults);
  if (route.patient !== undefined) {
    if (route.smart?.contexts.includes('patient') !== true) {
      faults.add(`${at}/patient`, 'has no effect: "smart.contexts" does not list "patient"');
    }
    if (route.patient.parameter !== undefined && [...methods].some((m) => m !== 'GET' && m !== 'HEAD')) {
      faults.add(
        `${at}/patient/parameter`,
        'only for GET and HEAD: the body of another method could name another patient than the query does',
      );
    }
  }
  return { credential: route.credential ?? 'bearer', scopes, smart };
}

function compileScopes(route: RouteDocument, at: string, faults: FaultList): readonly string[] {
  const scopes = route.scopes ?? [];
  scopes.forEach((scope, i) => {
    const pointer = `${at}/scopes/${i}`;
    if (!isScopeToken(scope))
      faults.add(pointer, 'is not a scope (RFC 6749 section 3.3: visible ASCII without " and \\)');
    else if (RESOURCE_SCOPE_PREFIX.test(scope)) {
      // As a plain scope, "patient/Observation.rs" would admit the token to every patient's records.
      faults.add(
        pointer,
        'is a SMART resource scope; require it under "smart", where its context is enforced',
      );
    } else if (scopes.indexOf(scope) !== i) faults.add(pointer, 'is listed twice');
  });
  return Object.freeze([...scopes]);
}

function compileSmart(
  route: RouteDocument,
  smart: NonNullable<RouteDocument['smart']>,
  captures: Captures,
  at: string,
  faults: FaultList,
): SmartRule {
  if (smart.contexts.length === 0) faults.add(`${at}/smart/contexts`, 'must list at least one context');
  smart.contexts.forEach((context, i) => {
    if (!CONTEXTS.includes(context)) {
      faults.add(`${at}/smart/contexts/${i}`, `is no SMART context; allowed: ${CONTEXTS.join(', ')}`);
    } else if (smart.contexts.indexOf(context) !== i)
      faults.add(`${at}/smart/contexts/${i}`, 'is listed twice');
  });
  const mask = permissionMask(smart.permission);
  if (mask === 0) {
    faults.add(
      `${at}/smart/permission`,
      'must be one or more of the letters c r u d s, each once and in this order',
    );
  }
  if (smart.contexts.includes('patient') && route.patient === undefined && route.fhir === undefined) {
    faults.add(
      `${at}/smart/contexts`,
      'lists "patient", but the route does not say under "patient" where the request names the patient',
    );
  }
  return Object.freeze({
    contexts: Object.freeze([...smart.contexts]),
    resource:
      route.fhir !== undefined && smart.resource === '*'
        ? Object.freeze({ from: 'literal', type: '*' })
        : compileResource(smart.resource, captures, `${at}/smart/resource`, faults),
    permission: smart.permission,
    mask,
    patient: compilePatient(route, captures, at, faults),
  });
}

function compileResource(
  text: string,
  captures: Captures,
  pointer: string,
  faults: FaultList,
): ResourceSource {
  if (isResourceType(text)) return Object.freeze({ from: 'literal', type: text });
  const name = RESOURCE_CAPTURE.exec(text)?.[1];
  if (name === undefined) {
    faults.add(
      pointer,
      'must be a FHIR resource type, such as Observation, or one capture, such as {resourceType}',
    );
    return { from: 'literal', type: '' };
  }
  if (!captures.names.includes(name)) faults.add(pointer, unknownCapture(name, captures.names));
  else if (name === captures.rest) faults.add(pointer, 'must be a capture of one segment');
  const types = captures.where.get(name);
  for (const type of types ?? []) {
    if (!isResourceType(type)) {
      faults.add(
        pointer,
        `"where" allows ${JSON.stringify(type)} for it, which no FHIR resource type can be`,
      );
    }
  }
  return Object.freeze({
    from: 'capture',
    name,
    index: captures.names.indexOf(name),
    types: types === undefined ? undefined : Object.freeze([...types]),
  });
}

function compilePatient(
  route: RouteDocument,
  captures: Captures,
  at: string,
  faults: FaultList,
): PatientSource | undefined {
  const { patient } = route;
  if (patient === undefined) return undefined;
  const { capture, parameter } = patient;
  if ((capture === undefined) === (parameter === undefined)) {
    faults.add(`${at}/patient`, 'must name either a "capture" of the path or a query "parameter"');
    return undefined;
  }
  if (capture !== undefined) {
    const pointer = `${at}/patient/capture`;
    if (!captures.names.includes(capture)) faults.add(pointer, unknownCapture(capture, captures.names));
    else if (capture === captures.rest) faults.add(pointer, 'must be a capture of one segment');
    return Object.freeze({ from: 'capture', name: capture, index: captures.names.indexOf(capture) });
  }
  const name = parameter ?? '';
  if (!/^[A-Za-z_][A-Za-z0-9_-]{0,63}$/.test(name)) {
    faults.add(
      `${at}/patient/parameter`,
      'must be a plain parameter name of ASCII letters, digits, "_" and "-"',
    );
  }
  return Object.freeze({ from: 'parameter', name });
}
