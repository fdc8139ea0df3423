import type { Content, Json } from '../../../contracts/content.ts';
import type { RequestFacts } from '../../../contracts/facts.ts';
import type { Route, RouteMatch } from '../../../contracts/policy.ts';
import type { InjectionDemand } from '../../../contracts/route-inspection.ts';
import { canonicalPath } from '../../../gateway/canonical/path.ts';
import { canonicalQuery } from '../../../gateway/canonical/query.ts';

export interface Around {
  readonly path?: string;
  readonly query?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly dropped?: RequestFacts['dropped'];
}

/** What the canonicaliser makes of a request. */
export function factsOf({ path = '/page', query = '', headers = {}, dropped }: Around): RequestFacts {
  const read = canonicalQuery(query);
  const canonical = canonicalPath(path);
  if (typeof read !== 'object' || canonical === undefined)
    throw new Error('the test asks for no canonical request');
  return {
    method: 'POST',
    authority: 'emr.example',
    host: 'emr.example',
    path: canonical,
    query: read.text,
    parameters: read.parameters,
    headers: new Map(Object.entries(headers)),
    dropped,
  } as unknown as RequestFacts;
}

export function matchOf(
  injection?: InjectionDemand,
  more: Partial<Pick<Route, 'fhir' | 'mediaTypes'>> = {},
): RouteMatch {
  const route = {
    id: 'page',
    maxBodyBytes: 1_000_000,
    mediaTypes: new Set(['application/json']),
    inspect: injection === undefined ? undefined : { injection },
    ...more,
  };
  return { route, index: 0, captures: [] } as unknown as RouteMatch;
}

export const FHIR_ROUTE = matchOf(undefined, {
  fhir: { version: 'R4', interaction: 'create' },
} as Partial<Pick<Route, 'fhir'>>);

export function json(value: Json, mediaType = 'application/json'): Content {
  return { kind: 'json', mediaType, value, bytes: Buffer.from(JSON.stringify(value)) };
}

export function form(fields: Readonly<Record<string, string | readonly string[]>>): Content {
  return {
    kind: 'form',
    mediaType: 'application/x-www-form-urlencoded',
    bytes: Buffer.alloc(0),
    fields: new Map(
      Object.entries(fields).map(([name, value]) => [name, typeof value === 'string' ? [value] : value]),
    ),
  };
}

export function xml(text: string): Content {
  return { kind: 'xml', mediaType: 'application/xml', bytes: Buffer.from(text), text };
}
