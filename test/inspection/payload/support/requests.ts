import type { Content, Json } from '../../../../contracts/content.ts';
import type { RequestFacts } from '../../../../contracts/facts.ts';
import type { InspectionFinding, Inspector } from '../../../../contracts/inspection.ts';
import type { PayloadDemand } from '../../../../contracts/payload.ts';
import type { Route, RouteFhir, RouteMatch } from '../../../../contracts/policy.ts';
import type { GatewaySettings } from '../../../../contracts/settings.ts';
import { createPayloadInspector } from '../../../../inspection/index.ts';

const SETTINGS = { policies: new Map() } as unknown as GatewaySettings;
/** One for all tests: what it compiles is shared anyway. */
export const inspector: Inspector = createPayloadInspector(SETTINGS);

/** The parts of a route that the inspector looks at. */
export function routeOf(fhir: RouteFhir | undefined, payload?: PayloadDemand): RouteMatch {
  const route = { maxBodyBytes: 1_048_576, fhir, inspect: payload === undefined ? undefined : { payload } };
  return { route: route as unknown as Route, index: 0, captures: [] };
}

export interface Asked {
  readonly method?: string;
  readonly path?: string;
  /** As in a URL. */
  readonly query?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: boolean;
  readonly mediaType?: string;
}

/** The parts of a request's facts that the inspector looks at. */
export function factsOf({
  method = 'GET',
  path = '/',
  query = '',
  headers = {},
  body = false,
  mediaType,
}: Asked): RequestFacts {
  const parameters = new Map<string, string[]>();
  for (const [name, value] of new URLSearchParams(query)) {
    parameters.set(name, [...(parameters.get(name) ?? []), value]);
  }
  return {
    method,
    path: { text: path, segments: path === '/' ? [] : path.slice(1).split('/') },
    query,
    parameters,
    headers: new Map(Object.entries(headers)),
    body: body ? { kind: 'chunked' } : { kind: 'none' },
    mediaType,
  } as unknown as RequestFacts;
}

export function jsonContent(value: unknown, mediaType = 'application/fhir+json'): Content {
  return { kind: 'json', mediaType, bytes: Buffer.alloc(0), value: value as Json };
}

export function xmlContent(text: string, mediaType = 'application/fhir+xml'): Content {
  return { kind: 'xml', mediaType, bytes: Buffer.from(text), text };
}

export function formContent(query: string): Content {
  return {
    kind: 'form',
    mediaType: 'application/x-www-form-urlencoded',
    bytes: Buffer.from(query),
    fields: factsOf({ query }).parameters,
  };
}

/** What the body of a resource sent to its own address is found to be. */
export function send(
  fhir: RouteFhir,
  path: string,
  value: unknown,
  mediaType?: string,
): InspectionFinding | undefined {
  const content = typeof value === 'string' ? xmlContent(value) : jsonContent(value, mediaType);
  return inspector.content(factsOf({ method: 'POST', path, body: true }), routeOf(fhir), content);
}

/** `rule place`, or nothing. */
export function said(finding: InspectionFinding | undefined): string {
  return finding === undefined ? '' : `${finding.rule} ${finding.place}`;
}
