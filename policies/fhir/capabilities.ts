import type { Json, JsonObject } from '../../contracts/content.ts';
import type { FhirOffer } from '../../contracts/policy.ts';
import { isObject, list, member, text } from './elements.ts';

/** Where clients authorise, as absolute https URLs; those that are not offered are left out. */
export interface CapabilitySite {
  /** The FHIR base as clients see it, such as `https://clinic.example/fhir`. */
  readonly base: string;
  readonly authorize?: string;
  readonly token?: string;
  readonly introspect?: string;
  readonly revoke?: string;
  readonly register?: string;
  readonly manage?: string;
}

const OAUTH_URIS = 'http://fhir-registry.smarthealthit.org/StructureDefinition/oauth-uris';
const SECURITY_SERVICE = 'http://terminology.hl7.org/CodeSystem/restful-security-service';
const SECURITY_SERVICE_OLD = 'http://hl7.org/fhir/restful-security-service';
const ENDPOINTS = ['authorize', 'token', 'introspect', 'revoke', 'register', 'manage'] as const;

/** Interactions by the names that capability statements have for them (R4 §5.2). */
const OF_TYPE: ReadonlyMap<string, string> = new Map(
  [
    'read',
    'vread',
    'update',
    'patch',
    'delete',
    'history-instance',
    'history-type',
    'create',
    'search-type',
  ].map((name) => [name, name] as const),
).set('search-post', 'search-type');
const OF_SYSTEM: ReadonlyMap<string, string> = new Map([
  ['batch', 'batch'],
  ['search-system', 'search-system'],
  ['history-system', 'history-system'],
]);

/**
 * The EMR's CapabilityStatement (DSTU2: Conformance) as the policy permits it: interactions, types and operations
 * without a route are taken out, and the security is the gateway's. Who may do what is not in it: tokens differ.
 * @returns undefined when it is no capability statement of a server
 */
export function rewriteCapabilities(
  statement: Json,
  offers: readonly FhirOffer[],
  site: CapabilitySite,
): JsonObject | undefined {
  if (!isObject(statement)) return undefined;
  const kind = text(statement, 'resourceType');
  if (kind !== 'CapabilityStatement' && kind !== 'Conformance') return undefined;
  const old = kind === 'Conformance' || (text(statement, 'fhirVersion') ?? '').startsWith('3.');
  const servers = list(member(statement, 'rest')).filter(
    (rest): rest is JsonObject => isObject(rest) && text(rest, 'mode') === 'server',
  );
  if (servers.length !== 1) return undefined;
  const base = new URL(site.base).pathname.replace(/\/$/, '');
  const here = offers.filter((offer) => offer.base === base);
  const {
    text: _narrative,
    implementation,
    software: _software,
    rest: _rest,
    contained: _contained,
    ...kept
  } = statement;
  const description = isObject(implementation) ? text(implementation, 'description') : undefined;
  return {
    ...kept,
    implementation: { description: description ?? 'FHIR server', url: site.base },
    ...formats(kind),
    rest: servers.map((server) => rewriteServer(server, here, site, old)),
  };
}

/** Answers that have to be judged are JSON, so that nothing else is promised. */
function formats(kind: string): JsonObject {
  return {
    format: kind === 'Conformance' ? ['json', 'application/json+fhir'] : ['json', 'application/fhir+json'],
  };
}

function rewriteServer(
  server: JsonObject,
  offers: readonly FhirOffer[],
  site: CapabilitySite,
  old: boolean,
): JsonObject {
  const { interaction, resource, operation, security: _security, compartment, ...kept } = server;
  const system = interactionsOf(list(interaction), (code) =>
    offers.some((offer) => OF_SYSTEM.get(offer.interaction) === (code === 'transaction' ? 'batch' : code)),
  );
  const resources = list(resource).flatMap((each) => (isObject(each) ? rewriteType(each, offers) : []));
  const operations = operationsOf(list(operation), offers, undefined);
  const compartments = offers.some((offer) => offer.interaction === 'compartment-search')
    ? list(compartment)
    : [];
  return {
    ...kept,
    security: securityOf(site, old),
    ...(resources.length === 0 ? {} : { resource: resources }),
    ...(system.length === 0 ? {} : { interaction: system }),
    ...(operations.length === 0 ? {} : { operation: operations }),
    ...(compartments.length === 0 ? {} : { compartment: compartments }),
  };
}

function interactionsOf(
  interactions: readonly Json[],
  permitted: (code: string) => boolean,
): readonly Json[] {
  return interactions.filter((each) => {
    const code = isObject(each) ? text(each, 'code') : undefined;
    return code !== undefined && permitted(code);
  });
}

function offersType(offer: FhirOffer, type: string): boolean {
  return offer.types === undefined || offer.types.includes(type);
}

function rewriteType(resource: JsonObject, offers: readonly FhirOffer[]): readonly JsonObject[] {
  const type = text(resource, 'type') ?? '';
  const own = offers.filter((offer) => offersType(offer, type));
  const offered = (name: string): boolean => own.some((offer) => offer.interaction === name);
  const kept = interactionsOf(list(member(resource, 'interaction')), (code) =>
    own.some((offer) => OF_TYPE.get(offer.interaction) === code),
  );
  if (kept.length === 0) return [];
  const { operation, ...rest } = resource;
  const operations = operationsOf(list(operation), offers, type);
  const result: Record<string, Json> = { ...rest, interaction: kept };
  if (operations.length > 0) result.operation = operations;
  if (!offered('create')) delete result.conditionalCreate;
  if (!offered('update-conditional')) delete result.conditionalUpdate;
  if (!offered('delete-conditional')) delete result.conditionalDelete;
  if (!offered('search-type') && !offered('search-post')) {
    for (const name of ['searchParam', 'searchInclude', 'searchRevInclude']) delete result[name];
  }
  return [result];
}

function operationsOf(
  operations: readonly Json[],
  offers: readonly FhirOffer[],
  type: string | undefined,
): readonly Json[] {
  return operations.filter((each) => {
    const name = isObject(each) ? text(each, 'name')?.replace(/^\$/, '') : undefined;
    return offers.some(
      (offer) =>
        offer.interaction === (name === 'graphql' ? 'graphql' : `operation:${name}`) &&
        (type === undefined || offersType(offer, type)),
    );
  });
}

/** SMART App Launch 1.0 §3.1 declares the endpoints here; later versions at `.well-known/smart-configuration`. */
function securityOf(site: CapabilitySite, old: boolean): JsonObject {
  const uris = ENDPOINTS.flatMap((name) => {
    const url = site[name];
    return url === undefined ? [] : [{ url: name, valueUri: url }];
  });
  const system = old ? SECURITY_SERVICE_OLD : SECURITY_SERVICE;
  return {
    ...(uris.length === 0 ? {} : { extension: [{ url: OAUTH_URIS, extension: uris }] }),
    cors: false,
    service: [
      {
        coding: [{ system, code: 'SMART-on-FHIR' }],
        text: 'OAuth2 using SMART-on-FHIR profile (see http://docs.smarthealthit.org)',
      },
    ],
  };
}
