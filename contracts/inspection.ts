import type { Content } from './content.ts';
import type { RequestFacts } from './facts.ts';
import type { Route, RouteMatch } from './policy.ts';
import type { ReasonCode } from './reasons.ts';

/** How a refusal of an inspector is answered: 400, 413, 415 or 422. */
export type InspectionStatus = 'bad-request' | 'too-large' | 'unsupported-media' | 'unprocessable';

/**
 * What an inspector found. It names place and rule and never echoes a value; answered as an OperationOutcome or
 * problem+json, and recorded by code.
 */
export interface InspectionFinding {
  readonly status: InspectionStatus;
  readonly reason: ReasonCode;
  /** Where: a JSON Pointer into the body, `query:NAME`, `header:NAME`, `cookie:NAME`, `path:N`. Names that only the request gave are cut to 64 characters of `[A-Za-z0-9_.:-]`. */
  readonly place: string;
  /** Which rule: a stable identifier such as `sql-tautology` or `fhir-cardinality`. */
  readonly rule: string;
  /** The route only reports findings of this kind: it is recorded and counted, and the request goes on. */
  readonly reportOnly?: true;
}

/** Looks into requests that a policy permitted. Synchronous; never throws: whatever goes wrong is a finding. */
export interface Inspector {
  /** Path, query, headers, cookies. Undefined: nothing found. */
  head(facts: RequestFacts, match: RouteMatch): InspectionFinding | undefined;
  /** The body. Undefined: nothing found. */
  content(facts: RequestFacts, match: RouteMatch, content: Content): InspectionFinding | undefined;
  /** Whether a route's bodies of a media type have to be read whole; those that nobody wants are streamed. */
  wants(route: Route, mediaType: string | undefined): boolean;
  close(): void;
}
