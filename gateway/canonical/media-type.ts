/** A media type of RFC 9110 §8.3.1 in one form. */
export interface CanonicalMediaType {
  /** `type/subtype`, lower case. */
  readonly essence: string;
  /** The whole field as it is sent on: each parameter once, its name in lower case, `; ` before it. */
  readonly text: string;
}

const MOST_CHARACTERS = 512;
const ESSENCE = /^([!#$%&'*+.^_`|~0-9A-Za-z-]{1,127}\/[!#$%&'*+.^_`|~0-9A-Za-z-]{1,127})[ \t]*(?=;|$)/;
/** A parameter; or nothing, which the grammar allows and nobody needs. Quoted text without escapes. */
const PARAMETER =
  /;[ \t]*(?:([!#$%&'*+.^_`|~0-9A-Za-z-]+)=(?:([!#$%&'*+.^_`|~0-9A-Za-z-]+)|"([\t !#-[\]-~\x80-\xff]*)"))?[ \t]*/y;
const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;

/**
 * The one meaning of a `Content-Type`, or `undefined`: a type that ends in something else than a parameter, such as
 * `application/json\tx` or a list of two, a parameter that stands there twice, an escape in a quoted text. Servers that
 * split such a field each in their own way take one body for two different things.
 */
export function canonicalMediaType(raw: string): CanonicalMediaType | undefined {
  if (raw.length > MOST_CHARACTERS) return undefined;
  const match = ESSENCE.exec(raw);
  if (match?.[1] === undefined) return undefined;
  const essence = match[1].toLowerCase();
  let at = match[0].length;
  if (at === raw.length) return { essence, text: essence };
  const names = new Set<string>();
  let text = essence;
  while (at < raw.length) {
    PARAMETER.lastIndex = at;
    const parameter = PARAMETER.exec(raw);
    if (parameter === null) return undefined;
    at = PARAMETER.lastIndex;
    const name = parameter[1]?.toLowerCase();
    if (name === undefined) continue;
    if (names.has(name)) return undefined;
    names.add(name);
    const value = parameter[2] ?? parameter[3] ?? '';
    text += `; ${name}=${TOKEN.test(value) ? value : `"${value}"`}`;
  }
  // Written anew it may be longer than it came.
  return text.length > MOST_CHARACTERS ? undefined : { essence, text };
}
