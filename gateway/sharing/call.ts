import type { SharingEvent } from '../../contracts/activity.ts';
import type { Json, JsonObject } from '../../contracts/content.ts';
import type { TenantId } from '../../contracts/identifiers.ts';
import type { BearerPrincipal } from '../../contracts/principal.ts';
import type { ReasonCode } from '../../contracts/reasons.ts';
import type { ConsentFault } from '../../identity/consents/index.ts';
import { readJson } from '../content/json.ts';
import { type AnswerOptions, jsonAnswer, type OwnAnswer } from '../own-pages/answer.ts';
import { readBody } from '../own-pages/body.ts';
import type { Exchange } from '../pipeline/exchange.ts';
import type { Sharing } from './sharing.ts';

/** Bytes of a request's body. */
const LARGEST_BODY = 64 * 1024;

/** A request to the interface, of somebody who showed a good token. */
export interface SharingCall {
  readonly x: Exchange;
  readonly sharing: Sharing;
  readonly tenant: TenantId;
  readonly principal: BearerPrincipal;
  readonly id: string;
}

export type ReadBody =
  | { readonly ok: true; readonly body: Json }
  | { readonly ok: false; readonly answer: OwnAnswer };

/** A whole body that is JSON of one meaning and of one of these types. */
export async function readJsonBody(call: SharingCall, types: readonly string[]): Promise<ReadBody> {
  const { x } = call;
  const wrong = (status: number, title: string, reason: ReasonCode, place?: string): ReadBody => ({
    ok: false,
    answer: problem(x, status, title, { reason }, place === undefined ? [] : [{ at: place, message: title }]),
  });
  if (x.facts.mediaType === undefined || !types.includes(x.facts.mediaType))
    return wrong(415, `The body must be ${types.join(' or ')}.`, 'media-type-unsupported');
  if (x.facts.headers.has('content-encoding'))
    return wrong(415, 'The body must not be compressed.', 'content-encoded');
  const bytes = await readBody(x, LARGEST_BODY);
  if (bytes === 'overflow') return wrong(413, 'The body is too large.', 'body-too-large');
  if (bytes === 'gone') return wrong(400, 'The body did not come whole.', 'content-malformed');
  const read = readJson(bytes, { depth: 16, values: 4000, strict: true });
  if (!read.ok) return wrong(400, 'The body is no JSON of one meaning.', 'content-malformed', read.place);
  return { ok: true, body: read.value };
}

/** RFC 9457. Of the request only places are told, never values. */
export function problem(
  x: Exchange,
  status: number,
  title: string,
  options: AnswerOptions & { readonly reason: ReasonCode },
  faults: readonly ConsentFault[] = [],
): OwnAnswer {
  x.failed(options.reason);
  const body = { type: 'about:blank', title, status, requestId: x.facts.id };
  const answer = jsonAnswer(status, faults.length === 0 ? body : { ...body, faults }, options);
  return { ...answer, headers: retyped(answer.headers, 'application/problem+json') };
}

/** FHIR R4 OperationOutcome. */
export function operationOutcome(
  x: Exchange,
  status: number,
  reason: ReasonCode,
  issues: readonly ConsentFault[],
): OwnAnswer {
  x.failed(reason);
  const issue = issues.map(({ at, message }) => ({
    severity: 'error',
    code: status === 404 ? 'not-found' : 'invalid',
    diagnostics: message,
    ...(at === '' ? {} : { expression: [at] }),
  }));
  return fhirAnswer(status, { resourceType: 'OperationOutcome', issue }, { reason });
}

export function fhirAnswer(status: number, resource: JsonObject, options: AnswerOptions = {}): OwnAnswer {
  const answer = jsonAnswer(status, resource, options);
  return { ...answer, headers: retyped(answer.headers, 'application/fhir+json') };
}

function retyped(headers: readonly string[], type: string): readonly string[] {
  return headers.map((value, index) =>
    headers[index - 1] === 'content-type' && index % 2 === 1 ? `${type}; charset=utf-8` : value,
  );
}

/** Durable before the answer. @throws ChartgateError `activity-log-unavailable` */
export async function record(
  x: Exchange,
  event: SharingEvent,
  who: { readonly issuer: string; readonly subject: string },
  id: string,
): Promise<void> {
  await x.services.activity.append({
    kind: 'sharing',
    event,
    request: x.facts.id,
    tenant: x.tenant.id,
    issuer: who.issuer,
    subject: who.subject,
    record: id,
  });
}
