/** A file that settings name, read with them. */
export interface NamedText {
  /** As the settings name it, for messages. */
  readonly name: string;
  readonly text: string;
}

/** Types of fields and parameters. `text` may have several lines, `line` has one. */
export const FIELD_TYPES = [
  'text',
  'line',
  'word',
  'id',
  'integer',
  'decimal',
  'boolean',
  'date',
  'time',
  'date-time',
  'email',
  'enum',
  'file',
] as const;
export type FieldType = (typeof FIELD_TYPES)[number];

/** What a form's field, a part, or a parameter of the query may be. */
export interface FieldRule {
  readonly type: FieldType;
  readonly required?: boolean;
  /** May be there more than once. */
  readonly repeated?: boolean;
  /** Characters. */
  readonly maxLength?: number;
  /** Of numbers. */
  readonly minimum?: number;
  readonly maximum?: number;
  /** Of `enum`. */
  readonly values?: readonly string[];
  /** Of `file`: media types; what the content is decides, whatever is declared. */
  readonly mediaTypes?: readonly string[];
  /** Of `file`. */
  readonly maxBytes?: number;
}

/** What a route's payloads must be. What is given is required; what is not given is not looked at. */
export interface PayloadDemand {
  /** JSON Schema (draft 2020-12) that JSON bodies satisfy. */
  readonly schema?: NamedText;
  /** XML Schema 1.0 that XML bodies satisfy; the first is the schema, the others are what it includes or imports. */
  readonly xsd?: readonly NamedText[];
  /** OpenAPI 3.1 document that describes the route's requests. */
  readonly openapi?: NamedText;
  /** Fields of forms and parts of multipart bodies; no others may be there. */
  readonly fields?: Readonly<Record<string, FieldRule>>;
  /** Query parameters; no others may be there. */
  readonly parameters?: Readonly<Record<string, FieldRule>>;
  /** Characters that the back end can hold, by the name of a parameter, field or member, or a JSON Pointer with `*`. */
  readonly lengths?: Readonly<Record<string, number>>;
  /** Search parameters of the back end besides FHIR's own, with their types. */
  readonly searchParameters?: Readonly<Record<string, string>>;
  /** What is no valid FHIR passes on a FHIR route: the back end gets what it may not understand. */
  readonly acceptInvalidFhir?: true;
}
