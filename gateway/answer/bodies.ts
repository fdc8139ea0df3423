import type { RequestId } from '../../contracts/identifiers.ts';

/** The forms in which the gateway's own answers are written. Chosen by the request's `Accept` alone. */
export const BODY_FORMS = ['fhir-json', 'json', 'fhir-xml', 'html', 'text'] as const;
export type BodyForm = (typeof BODY_FORMS)[number];

export const MEDIA_TYPE: Readonly<Record<BodyForm, string>> = Object.freeze({
  'fhir-json': 'application/fhir+json; charset=utf-8',
  json: 'application/json; charset=utf-8',
  'fhir-xml': 'application/fhir+xml; charset=utf-8',
  html: 'text/html; charset=utf-8',
  text: 'text/plain; charset=utf-8',
});

/**
 * The form a client gets: the first of its `Accept` that we can write, without weighing quality values
 * (every form says the same); FHIR JSON when it names none.
 */
export function bodyForm(accept: string | undefined): BodyForm {
  if (accept === undefined) return 'fhir-json';
  for (const range of accept.toLowerCase().split(',')) {
    const type = range.split(';', 1)[0]?.trim();
    switch (type) {
      case 'application/fhir+json':
        return 'fhir-json';
      case 'application/json':
      case 'text/json':
        return 'json';
      case 'application/fhir+xml':
      case 'application/xml':
      case 'text/xml':
        return 'fhir-xml';
      case 'text/html':
      case 'application/xhtml+xml':
        return 'html';
      case 'text/plain':
        return 'text';
      default:
        break;
    }
  }
  return 'fhir-json';
}

/** FHIR R4 issue-type codes (http://hl7.org/fhir/ValueSet/issue-type) that the gateway uses. */
export type IssueCode =
  | 'invalid'
  | 'not-found'
  | 'login'
  | 'expired'
  | 'forbidden'
  | 'throttled'
  | 'too-long'
  | 'not-supported'
  | 'transient'
  | 'conflict'
  | 'processing';

/**
 * Writes one answer in one form. `text` and `code` are constants of ours, so nothing needs escaping; the
 * request id is 26 characters of a fixed alphabet. Same arguments but for the id, same length.
 */
export function writeBody(form: BodyForm, code: IssueCode, text: string, id: RequestId): Buffer {
  switch (form) {
    case 'fhir-json':
    case 'json':
      return Buffer.from(
        `{"resourceType":"OperationOutcome","issue":[{"severity":"error","code":"${code}","diagnostics":"${text} Request ${id}."}]}\n`,
      );
    case 'fhir-xml':
      return Buffer.from(
        `<?xml version="1.0" encoding="UTF-8"?>\n<OperationOutcome xmlns="http://hl7.org/fhir"><issue><severity value="error"/><code value="${code}"/><diagnostics value="${text} Request ${id}."/></issue></OperationOutcome>\n`,
      );
    case 'html':
      return Buffer.from(
        `<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${text}</title></head><body><main><h1>${text}</h1><p>If you need help, give this number: ${id}</p></main></body></html>\n`,
      );
    case 'text':
      return Buffer.from(`${text} Request ${id}.\n`);
  }
}
