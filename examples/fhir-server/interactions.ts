import { randomUUID } from 'node:crypto';
import { capabilities, historyBundle, searchset } from './bundle.ts';
import { operation } from './operations.ts';
import { patched } from './patch.ts';
import { asResource, isPlain, outcome, type Plain, Refusal, type Resource } from './resource.ts';
import { search } from './search/search.ts';
import type { Store } from './store.ts';

export interface FhirRequest {
  readonly method: string;
  /** Below the base, without a leading slash, decoded. */
  readonly segments: readonly string[];
  readonly query: URLSearchParams;
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string | undefined>>;
  /** Parsed; undefined without a body. */
  readonly body: unknown;
  readonly base: string;
}

export interface FhirReply {
  readonly status: number;
  readonly body?: Plain | Resource | undefined;
  readonly headers?: Readonly<Record<string, string>>;
}

const TYPE = /^[A-Z][A-Za-z]{1,63}$/;

/** Answers one request, whoever asks: this server believes everybody. */
export function answer(store: Store, request: FhirRequest): FhirReply {
  const { method, segments, query, base } = request;
  const [first = '', id = '', third = '', fourth = ''] = segments;
  if (segments.length === 0) {
    if (method === 'POST') return everyEntry(store, request);
    if (method === 'GET') return found(store, undefined, '', query, base);
  }
  if (first === 'metadata' && method === 'GET')
    return { status: 200, body: capabilities(base, store.types()) };
  if (first === '_history' && method === 'GET')
    return { status: 200, body: historyBundle(store.history(), base, '/_history', query) };
  if (first === '_search' && method === 'POST') return found(store, undefined, '', form(request), base);
  if (first.startsWith('$')) return { status: 200, body: operation(store, request, first) };
  if (!TYPE.test(first)) throw new Refusal(404, 'there is nothing of that name');
  if (segments.length === 1) {
    if (method === 'GET') return found(store, first, `/${first}`, query, base);
    if (method === 'POST') return create(store, request, first);
    if (method === 'PUT') return conditionalUpdate(store, request, first);
    if (method === 'PATCH') return patch(store, request, first, one(store, first, query).id);
    if (method === 'DELETE') return conditionalDelete(store, first, query);
  }
  if (segments.length === 2) {
    if (id === '_search' && method === 'POST') return found(store, first, `/${first}`, form(request), base);
    if (id === '_history' && method === 'GET')
      return { status: 200, body: historyBundle(store.history(first), base, `/${first}/_history`, query) };
    if (id.startsWith('$')) return { status: 200, body: operation(store, request, id, first) };
    if (method === 'GET') return read(store, first, id);
    if (method === 'PUT') return update(store, request, first, id);
    if (method === 'PATCH') return patch(store, request, first, id);
    if (method === 'DELETE') return remove(store, first, id);
  }
  if (segments.length >= 3) {
    if (third === '_history' && segments.length === 3 && method === 'GET') {
      const versions = store.history(first, id);
      if (versions.length === 0) throw new Refusal(404, 'there is no such resource');
      return { status: 200, body: historyBundle(versions, base, `/${first}/${id}/_history`, query) };
    }
    if (third === '_history' && method === 'GET') {
      const version = store.version(first, id, Number(fourth));
      if (version === undefined) throw new Refusal(404, 'there is no such version');
      if (version.resource === undefined) throw new Refusal(410, 'that version is a deletion');
      return { status: 200, body: version.resource, headers: validators(version.resource) };
    }
    if (third.startsWith('$')) return { status: 200, body: operation(store, request, third, first, id) };
    // A compartment: Patient/1/Observation, Patient/1/*.
    if (method === 'GET' && segments.length === 3) {
      const narrowed = new URLSearchParams(query);
      narrowed.append(first === 'Patient' ? 'patient' : first.toLowerCase(), `${first}/${id}`);
      return found(store, third === '*' ? undefined : third, `/${first}/${id}/${third}`, narrowed, base);
    }
  }
  throw new Refusal(405, 'that cannot be done here');
}

function found(
  store: Store,
  type: string | undefined,
  path: string,
  query: URLSearchParams,
  base: string,
): FhirReply {
  return { status: 200, body: searchset(search(store, type, query), base, path, query) };
}

function form(request: FhirRequest): URLSearchParams {
  const all = new URLSearchParams(request.query);
  if (request.body instanceof URLSearchParams)
    for (const [name, value] of request.body) all.append(name, value);
  return all;
}

function validators(resource: Resource): Record<string, string> {
  return {
    etag: `W/"${resource.meta?.versionId ?? '1'}"`,
    'last-modified': new Date(String(resource.meta?.lastUpdated ?? 0)).toUTCString(),
  };
}

function read(store: Store, type: string, id: string): FhirReply {
  const version = store.latest(type, id);
  if (version === undefined) throw new Refusal(404, 'there is no such resource');
  if (version.resource === undefined) throw new Refusal(410, 'it was deleted');
  return { status: 200, body: version.resource, headers: validators(version.resource) };
}

function sent(request: FhirRequest, type: string): Resource {
  const resource = asResource(request.body);
  if (resource === undefined || resource.resourceType !== type)
    throw new Refusal(400, 'the body is no resource of that type');
  return resource;
}

/** By `If-None-Exist`, `PUT Type?…` and the like: exactly one. */
function one(store: Store, type: string, query: URLSearchParams): Resource {
  const { matches } = search(store, type, query);
  const [first] = matches;
  if (first === undefined) throw new Refusal(404, 'nothing matches');
  if (matches.length > 1) throw new Refusal(412, 'more than one matches');
  return first;
}

function create(store: Store, request: FhirRequest, type: string): FhirReply {
  const resource = sent(request, type);
  const condition = request.headers['if-none-exist'];
  if (condition !== undefined) {
    const { matches } = search(store, type, new URLSearchParams(condition.replace(/^\?/, '')));
    const [first] = matches;
    if (matches.length > 1) throw new Refusal(412, 'more than one matches');
    if (first !== undefined) return { status: 200, body: first, headers: validators(first) };
  }
  const { resource: stored, id, version } = store.write('POST', type, randomUUID(), resource);
  return {
    status: 201,
    ...(stored === undefined
      ? {}
      : {
          body: stored,
          headers: { ...validators(stored), location: `${request.base}/${type}/${id}/_history/${version}` },
        }),
  };
}

function update(store: Store, request: FhirRequest, type: string, id: string): FhirReply {
  const resource = sent(request, type);
  const before = store.latest(type, id);
  const match = request.headers['if-match'];
  if (match !== undefined && match !== '*' && match !== `W/"${before?.version ?? ''}"`)
    throw new Refusal(412, 'it is another version');
  const { resource: stored } = store.write('PUT', type, id, resource);
  return {
    status: before?.resource === undefined ? 201 : 200,
    ...(stored === undefined
      ? {}
      : { body: stored, headers: { ...validators(stored), location: `${request.base}/${type}/${id}` } }),
  };
}

function conditionalUpdate(store: Store, request: FhirRequest, type: string): FhirReply {
  const { matches } = search(store, type, request.query);
  if (matches.length > 1) throw new Refusal(412, 'more than one matches');
  return update(store, request, type, matches[0]?.id ?? asResource(request.body)?.id ?? randomUUID());
}

function patch(store: Store, request: FhirRequest, type: string, id: string): FhirReply {
  const before = store.latest(type, id);
  if (before?.resource === undefined) throw new Refusal(404, 'there is no such resource');
  const match = request.headers['if-match'];
  if (match !== undefined && match !== '*' && match !== `W/"${before.version}"`)
    throw new Refusal(412, 'it is another version');
  const { resource } = store.write('PUT', type, id, patched(before.resource, asJsonPatch(request.body)));
  return {
    status: 200,
    body: resource,
    ...(resource === undefined ? {} : { headers: validators(resource) }),
  };
}

/** FHIRPath Patch of plain paths, as a JSON Patch; a JSON Patch as it is. */
function asJsonPatch(body: unknown): unknown {
  if (!isPlain(body) || !Array.isArray(body.parameter)) return body;
  return body.parameter.filter(isPlain).map((operation) => {
    const parts = (Array.isArray(operation.part) ? operation.part : []).filter(isPlain);
    const part = (name: string) => parts.find((each) => each.name === name);
    const typedValue = (each: Plain | undefined) =>
      Object.entries(each ?? {}).find(([name]) => name.startsWith('value'))?.[1];
    const path = String(typedValue(part('path')) ?? '').replace(/^[A-Z][A-Za-z]+/, '');
    const name = typedValue(part('name'));
    return {
      op:
        typedValue(part('type')) === 'delete'
          ? 'remove'
          : typedValue(part('type')) === 'add'
            ? 'add'
            : 'replace',
      path: `${path.replaceAll('.', '/').replaceAll(/\[(\d+)\]/g, '/$1')}${name === undefined ? '' : `/${String(name)}`}`,
      value: typedValue(part('value')),
    };
  });
}

function remove(store: Store, type: string, id: string): FhirReply {
  if (store.read(type, id) !== undefined) store.write('DELETE', type, id, undefined);
  return { status: 204 };
}

function conditionalDelete(store: Store, type: string, query: URLSearchParams): FhirReply {
  for (const { id } of search(store, type, query).matches) store.write('DELETE', type, id, undefined);
  return { status: 204 };
}

/** `batch`: each entry by itself. `transaction`: all or nothing, with `urn:uuid:` references resolved. */
function everyEntry(store: Store, request: FhirRequest): FhirReply {
  const bundle = request.body;
  if (!isPlain(bundle) || bundle.resourceType !== 'Bundle') throw new Refusal(400, 'the body is no bundle');
  const entries = (Array.isArray(bundle.entry) ? bundle.entry : []).filter(isPlain);
  const whole = bundle.type === 'transaction';
  const run = (): Plain[] => {
    const ids = new Map<string, string>();
    if (whole)
      for (const entry of entries) {
        const url = String(isPlain(entry.request) ? entry.request.url : '');
        const resource = asResource(entry.resource);
        if (typeof entry.fullUrl === 'string' && resource !== undefined && TYPE.test(url))
          ids.set(entry.fullUrl, `${url}/${randomUUID()}`);
      }
    return entries.map((entry) => oneEntry(store, request, entry, ids, whole));
  };
  const answers = whole ? store.together(run) : run();
  return {
    status: 200,
    body: { resourceType: 'Bundle', type: `${whole ? 'transaction' : 'batch'}-response`, entry: answers },
  };
}

function oneEntry(
  store: Store,
  request: FhirRequest,
  entry: Plain,
  ids: ReadonlyMap<string, string>,
  strict: boolean,
): Plain {
  const asked = isPlain(entry.request) ? entry.request : {};
  const url = new URL(String(asked.url ?? ''), `${request.base}/`);
  const base = new URL(request.base).pathname;
  const segments = url.pathname
    .slice(base.length)
    .split('/')
    .filter((each) => each !== '')
    .map(decodeURIComponent);
  let method = String(asked.method ?? 'GET');
  let body: unknown = entry.resource;
  if (ids.size > 0 && body !== undefined) {
    let text = JSON.stringify(body);
    for (const [urn, target] of ids) text = text.replaceAll(JSON.stringify(urn).slice(1, -1), target);
    body = JSON.parse(text);
  }
  const own = typeof entry.fullUrl === 'string' ? ids.get(entry.fullUrl) : undefined;
  if (own !== undefined && method === 'POST') {
    method = 'PUT';
    segments.push(own.split('/')[1] ?? '');
  }
  try {
    const reply = answer(store, {
      method,
      segments,
      query: url.searchParams,
      body,
      base: request.base,
      headers: {
        'if-none-exist': asked.ifNoneExist as string | undefined,
        'if-match': asked.ifMatch as string | undefined,
      },
    });
    return {
      ...(reply.body === undefined ? {} : { resource: reply.body }),
      response: {
        status: String(reply.status),
        ...(reply.headers?.location === undefined ? {} : { location: reply.headers.location }),
        ...(reply.headers?.etag === undefined ? {} : { etag: reply.headers.etag }),
      },
    };
  } catch (error) {
    if (strict || !(error instanceof Refusal)) throw error;
    return { response: { status: String(error.status), outcome: outcome(error.message) } };
  }
}
