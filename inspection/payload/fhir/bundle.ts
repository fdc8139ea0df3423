import type { Json, JsonObject } from '../../../contracts/content.ts';
import { fault, type PayloadFault } from '../finding.ts';
import type { Definitions } from './definitions.ts';
import { TEXT_FORMATS } from './formats.ts';
import { searchFault } from './search.ts';

const isId = TEXT_FORMATS.id ?? (() => false);
const WITH_RESOURCE: ReadonlySet<string> = new Set(['POST', 'PUT', 'PATCH']);

/** A resource is what its address says it is; of an update, under the same id (R4 §3.1.0.4). */
export function addressFault(
  resource: JsonObject,
  type: string,
  id: string | undefined,
  at: string,
): PayloadFault | undefined {
  if (resource.resourceType !== type) return fault(`${at}/resourceType`, 'fhir-url-type');
  if (id !== undefined && resource.id !== id) return fault(`${at}/id`, 'fhir-url-id');
  return undefined;
}

/** The entries of a batch or transaction, each a request of its own (R4 §3.1.0.11); the bundle itself is valid. */
export function batchFault(
  bundle: JsonObject,
  definitions: Definitions,
  more: ReadonlyMap<string, string>,
): PayloadFault | undefined {
  if (bundle.resourceType !== 'Bundle') return fault('/resourceType', 'fhir-url-type');
  if (bundle.type !== 'batch' && bundle.type !== 'transaction') return fault('/type', 'fhir-bundle-type');
  const entries = Array.isArray(bundle.entry) ? (bundle.entry as readonly JsonObject[]) : [];
  for (const [index, entry] of entries.entries()) {
    const found = entryFault(entry, `/entry/${index}`, definitions, more);
    if (found !== undefined) return found;
  }
  return undefined;
}

function entryFault(
  entry: JsonObject,
  at: string,
  definitions: Definitions,
  more: ReadonlyMap<string, string>,
): PayloadFault | undefined {
  const request = entry.request as JsonObject | undefined;
  if (request === undefined) return fault(`${at}/request`, 'fhir-required');
  const { method, url } = request;
  if (typeof method !== 'string' || typeof url !== 'string') return fault(`${at}/request`, 'fhir-required');
  const place = `${at}/request/url`;
  const cut = url.indexOf('?');
  const path = (cut < 0 ? url : url.slice(0, cut)).replace(/^\//, '');
  const steps = path.split('/');
  const [type = '', id] = steps;
  const ownType = definitions.resources.has(type) ? type : undefined;
  // What the gateway cannot read with one meaning is not sent on: no escapes, no absolute addresses.
  if (!/^[A-Za-z0-9\-._$/]*$/.test(path) || steps.some((step) => step === '.' || step === '..')) {
    return fault(place, 'fhir-bundle-url');
  }
  if (ownType === undefined && path !== '' && !/^(?:\$[A-Za-z-]{1,64}|metadata|_history)$/.test(path)) {
    return fault(place, 'fhir-bundle-url');
  }
  if (id !== undefined && !isId(id) && !/^(?:\$[A-Za-z-]{1,64}|_history|_search)$/.test(id)) {
    return fault(place, 'fhir-bundle-url');
  }
  const resource = entry.resource as Json | undefined;
  if (WITH_RESOURCE.has(method)) {
    if (typeof resource !== 'object' || resource === null || Array.isArray(resource)) {
      return fault(`${at}/resource`, 'fhir-required');
    }
    // An operation takes parameters, a patch comes in a Binary or as parameters.
    if (ownType !== undefined && method !== 'PATCH' && !path.includes('$')) {
      const expected = method === 'PUT' ? id : undefined;
      const found = addressFault(resource as JsonObject, ownType, expected, `${at}/resource`);
      if (found !== undefined) return found;
    }
  } else if (resource !== undefined) return fault(`${at}/resource`, 'fhir-bundle-resource');
  if (typeof request.ifNoneExist === 'string') {
    const found = queryFault(request.ifNoneExist, ownType, `${at}/request/ifNoneExist`, definitions, more);
    if (found !== undefined) return found;
  }
  if (cut < 0 || path.includes('$')) return undefined;
  return queryFault(url.slice(cut + 1), ownType, place, definitions, more);
}

/** A search that is written as the query of an address (`PUT Patient?identifier=…`, `If-None-Exist`). */
export function queryFault(
  query: string,
  type: string | undefined,
  place: string,
  definitions: Definitions,
  more: ReadonlyMap<string, string>,
): PayloadFault | undefined {
  const parameters: [string, string[]][] = [];
  for (const pair of query.replace(/^\?/, '').split('&')) {
    const equals = pair.indexOf('=');
    try {
      const [name, value] = (equals < 0 ? [pair, ''] : [pair.slice(0, equals), pair.slice(equals + 1)]).map(
        (part) => decodeURIComponent(part.replaceAll('+', ' ')),
      );
      parameters.push([name ?? '', [value ?? '']]);
    } catch {
      return fault(place, 'fhir-bundle-url');
    }
  }
  const found = searchFault(parameters, type, definitions, more, 'query');
  return found === undefined ? undefined : fault(place, found.rule);
}
