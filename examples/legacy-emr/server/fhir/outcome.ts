import { type Exchange, send } from '../exchange.ts';

export const FHIR_JSON = 'application/fhir+json; charset=utf-8';

/** Any FHIR resource; its shape is its module's business. */
export type Resource = Readonly<Record<string, unknown>> & { readonly resourceType: string };

export function sendResource(exchange: Exchange, status: number, resource: Resource): void {
  send(exchange, status, FHIR_JSON, JSON.stringify(resource));
}

/** An OperationOutcome that says all it knows. */
export function sendOutcome(exchange: Exchange, status: number, code: string, diagnostics: string): void {
  sendResource(exchange, status, {
    resourceType: 'OperationOutcome',
    issue: [{ severity: 'error', code, diagnostics }],
  });
}
