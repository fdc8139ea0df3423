/** A FHIR resource as it is stored: whatever was sent, with an id and a version. */
export interface Resource {
  resourceType: string;
  id: string;
  meta?: { versionId?: string; lastUpdated?: string; [member: string]: unknown };
  [element: string]: unknown;
}

export type Plain = Record<string, unknown>;

export function isPlain(value: unknown): value is Plain {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function asResource(value: unknown): Resource | undefined {
  return isPlain(value) && typeof value.resourceType === 'string'
    ? (value as unknown as Resource)
    : undefined;
}

export function listOf(value: unknown): readonly unknown[] {
  return value === undefined || value === null ? [] : Array.isArray(value) ? value : [value];
}

/** What a request is refused with; becomes an OperationOutcome. */
export class Refusal extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

export function outcome(text: string, code = 'processing', severity = 'error'): Plain {
  return { resourceType: 'OperationOutcome', issue: [{ severity, code, diagnostics: text }] };
}

/** `Type/id` of a reference, however it is written; undefined for contained, `urn:` and logical ones. */
export function targetOf(reference: unknown): { readonly type: string; readonly id: string } | undefined {
  const text = isPlain(reference) ? reference.reference : reference;
  if (typeof text !== 'string') return undefined;
  const found = /(?:^|\/)([A-Z][A-Za-z]+)\/([A-Za-z0-9.-]{1,64})(?:\/_history\/[^/]+)?$/.exec(text);
  return found === null ? undefined : { type: found[1] ?? '', id: found[2] ?? '' };
}

/** Calls back for every object of a resource, itself included, with the name of the element it is in. */
export function walk(value: unknown, visit: (object: Plain, element: string) => void, element = ''): void {
  if (Array.isArray(value)) for (const item of value) walk(item, visit, element);
  else if (isPlain(value)) {
    visit(value, element);
    for (const [name, member] of Object.entries(value)) walk(member, visit, name);
  }
}
