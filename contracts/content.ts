/** A JSON value (RFC 8259) that has one meaning: no name twice in an object, bounded in depth and members. */
export type Json = null | boolean | number | string | readonly Json[] | JsonObject;
export interface JsonObject {
  readonly [name: string]: Json;
}

/** A part of a `multipart/form-data` body (RFC 7578). */
export interface FormPart {
  readonly name: string;
  /** Undefined for a field that is no file. */
  readonly fileName: string | undefined;
  readonly mediaType: string | undefined;
  readonly bytes: Buffer;
}

/** A whole body, read once, with its one meaning. What later stages judge is what the back end gets. */
export type Content = { readonly bytes: Buffer; readonly mediaType: string } & (
  | { readonly kind: 'json'; readonly value: Json }
  /** Well-formed, without a document type; not parsed further here. */
  | { readonly kind: 'xml'; readonly text: string }
  /** `application/x-www-form-urlencoded`, decoded, every value of a repeated name kept. */
  | { readonly kind: 'form'; readonly fields: ReadonlyMap<string, readonly string[]> }
  | { readonly kind: 'multipart'; readonly parts: readonly FormPart[] }
  | { readonly kind: 'text'; readonly text: string }
  /** Bytes that mean nothing to the gateway, such as an image. */
  | { readonly kind: 'opaque' }
);

/** Bounds of what is read; every one is a refusal, never a cut. */
export interface ContentLimits {
  /** Arrays and objects within each other. */
  readonly jsonDepth: number;
  /** Values of every kind, together. */
  readonly jsonValues: number;
  /** Fields of a form; PHP drops what is beyond its `max_input_vars`, 1,000, without a word. */
  readonly formFields: number;
  /** Parts of a multipart body. */
  readonly parts: number;
  /** Bytes of the header of a part. */
  readonly partHeaderBytes: number;
  /** Bytes of a body that is read whole. */
  readonly wholeBytes: number;
  /** Bytes of all bodies together that a worker holds at once. */
  readonly heldBytes: number;
  /** Bytes of an answer that is judged. */
  readonly answerBytes: number;
}
