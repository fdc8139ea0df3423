/** The compact form in which FHIR's definitions are kept below `inspection/payload/fhir/definitions/`. */

/** `[name, types, flags, codes?]`; see `Definitions`. */
export type ElementRow = [string, string | string[], number, number?];

export const REQUIRED = 1;
export const REPEATED = 2;

export interface Definitions {
  version: string;
  /** Resource types that can be created. */
  resources: string[];
  /** Lists of the codes that a required binding allows; elements name one by its index. */
  codes: string[][];
  /** Elements in their order, by type; parts of a type are types of their own, such as `Patient.contact`. */
  types: Record<string, ElementRow[]>;
  /** Search parameters with their types, by resource type; `Resource` has those of every type. */
  search: Record<string, Record<string, string>>;
}

/** Gives each different list one index. */
export class Lists {
  readonly lists: string[][] = [];
  readonly #indexes = new Map<string, number>();

  index(list: readonly string[]): number {
    const sorted = [...new Set(list)].sort();
    const key = JSON.stringify(sorted);
    const known = this.#indexes.get(key);
    if (known !== undefined) return known;
    this.#indexes.set(key, this.lists.length);
    this.lists.push(sorted);
    return this.lists.length - 1;
  }
}

/** One type or parameter list a line, so that differences can be read. */
export function serialise(definitions: Definitions): string {
  const record = (entries: Record<string, unknown>) =>
    `{\n${Object.keys(entries)
      .sort()
      .map((key) => `${JSON.stringify(key)}:${JSON.stringify(entries[key])}`)
      .join(',\n')}\n}`;
  const list = (items: readonly unknown[]) =>
    `[\n${items.map((item) => JSON.stringify(item)).join(',\n')}\n]`;
  return `{"version":${JSON.stringify(definitions.version)},
"resources":${JSON.stringify([...definitions.resources].sort())},
"codes":${list(definitions.codes)},
"types":${record(definitions.types)},
"search":${record(definitions.search)}}
`;
}
