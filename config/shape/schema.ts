/** The part of JSON Schema draft-07 that Chartgate's configuration uses, and three keywords of its own. */
export interface Schema {
  readonly $schema?: string;
  readonly $id?: string;
  readonly title?: string;
  readonly description?: string;
  readonly type?: SchemaType | readonly SchemaType[];
  readonly default?: unknown;
  readonly examples?: readonly unknown[];
  readonly enum?: readonly string[];
  readonly pattern?: string;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly items?: Schema;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly uniqueItems?: boolean;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: false | Schema;
  readonly propertyNames?: Schema;
  readonly minProperties?: number;
  /** What to say when the value has the wrong type or form. Editors show it too. */
  readonly errorMessage?: string;
  /** Bounds of a duration; `step` is the unit it must be a multiple of. */
  readonly 'x-duration'?: { readonly from: string; readonly to: string; readonly step?: string };
  /** Bounds of a size. */
  readonly 'x-size'?: { readonly from: string; readonly to: string };
  /** What a text stands for, in the words of the documentation. */
  readonly 'x-kind'?: string;
}

export type SchemaType = 'object' | 'array' | 'string' | 'integer' | 'boolean';

/** The keywords that are ours. */
export const OWN_ANNOTATIONS = ['errorMessage', 'x-kind'] as const;

export const DRAFT = 'http://json-schema.org/draft-07/schema#';
