import type { RequestId } from '../../contracts/identifiers.ts';
import type { Route } from '../../contracts/policy.ts';

/** The ending's own status, code and text, and what inspection found. */
export interface FindingAnswer {
  readonly status: number;
  /** FHIR issue type. */
  readonly code: string;
  readonly text: string;
  /** Where; empty: the request as a whole. */
  readonly place: string;
  readonly rule: string;
}

export interface WrittenFinding {
  readonly contentType: string;
  readonly body: Buffer;
}

const FHIR_JSON = /\bapplication\/(?:fhir\+json|json\+fhir)\b/i;
const FHIR_XML = /\bapplication\/(?:fhir\+xml|xml\+fhir)\b/i;
const HTML = /\btext\/html\b/i;
const TEXT = /^text\/plain\b/i;

/**
 * What a client is told of a finding: the place and the rule, never a value. An OperationOutcome for clients of FHIR
 * routes and whoever accepts FHIR; `application/problem+json` (RFC 9457) for every other program; words for people.
 */
export function writeFinding(
  finding: FindingAnswer,
  accept: string | undefined,
  route: Route | undefined,
  id: RequestId,
): WrittenFinding {
  const wanted = accept ?? '';
  if (FHIR_XML.test(wanted) && !FHIR_JSON.test(wanted))
    return { contentType: 'application/fhir+xml; charset=utf-8', body: outcomeXml(finding, id) };
  if (FHIR_JSON.test(wanted) || isFhir(route))
    return { contentType: 'application/fhir+json; charset=utf-8', body: outcomeJson(finding, id) };
  if (HTML.test(wanted)) return { contentType: 'text/html; charset=utf-8', body: page(finding, id) };
  if (TEXT.test(wanted)) {
    const text = `${finding.text} ${where(finding)} Request ${id}.\n`;
    return { contentType: 'text/plain; charset=utf-8', body: Buffer.from(text) };
  }
  const problem = {
    type: 'about:blank',
    title: finding.text,
    status: finding.status,
    detail: where(finding),
    place: finding.place,
    rule: finding.rule,
    request: id,
  };
  return {
    contentType: 'application/problem+json; charset=utf-8',
    body: Buffer.from(`${JSON.stringify(problem)}\n`),
  };
}

function isFhir(route: Route | undefined): boolean {
  if (route === undefined) return false;
  if ('fhir' in route && route.fhir !== undefined) return true;
  for (const type of route.mediaTypes) if (FHIR_JSON.test(type) || FHIR_XML.test(type)) return true;
  return false;
}

function where({ place, rule }: FindingAnswer): string {
  return place === '' ? `Rule ${rule}.` : `Rule ${rule} at ${place}.`;
}

function outcomeJson(finding: FindingAnswer, id: RequestId): Buffer {
  const outcome = {
    resourceType: 'OperationOutcome',
    issue: [
      {
        severity: 'error',
        code: finding.code,
        diagnostics: `${finding.text} ${where(finding)} Request ${id}.`,
        ...(finding.place === '' ? {} : { location: [finding.place] }),
      },
    ],
  };
  return Buffer.from(`${JSON.stringify(outcome)}\n`);
}

function outcomeXml(finding: FindingAnswer, id: RequestId): Buffer {
  const location = finding.place === '' ? '' : `<location value="${escaped(finding.place)}"/>`;
  return Buffer.from(
    `<?xml version="1.0" encoding="UTF-8"?>\n<OperationOutcome xmlns="http://hl7.org/fhir"><issue><severity value="error"/><code value="${finding.code}"/><diagnostics value="${escaped(`${finding.text} ${where(finding)} Request ${id}.`)}"/>${location}</issue></OperationOutcome>\n`,
  );
}

function page(finding: FindingAnswer, id: RequestId): Buffer {
  const text = escaped(finding.text);
  return Buffer.from(
    `<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${text}</title></head><body><main><h1>${text}</h1><p>${escaped(where(finding))}</p><p>If you need help, give this number: ${id}</p></main></body></html>\n`,
  );
}

/** Places are plain already; a mistake there must not become markup. */
function escaped(text: string): string {
  return text.replaceAll(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
