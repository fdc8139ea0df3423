import type { Definitions } from './definitions.ts';

/** What a literal reference says (R4 §2.3.0.1). */
export interface LiteralReference {
  readonly kind: 'fragment' | 'resource' | 'url' | 'conditional';
  /** The type that it names, where it names one; of a fragment the id. */
  readonly name: string | undefined;
  readonly absolute: boolean;
}

const RESOURCE =
  /^(https?:\/\/[A-Za-z0-9\-_.~:/%[\]@!$&'()*+,;=]+\/)?([A-Z][A-Za-z]{1,63})\/([A-Za-z0-9\-.]{1,64})(?:\/_history\/[A-Za-z0-9\-.]{1,64})?(?:#[A-Za-z0-9\-.]{1,64})?$/;
const URL_FORM = /^(?:https?:\/\/|urn:uuid:|urn:oid:)[^\s\\<>"{}^`\x00-\x1f\x7f]+$/;
const CONDITIONAL = /^([A-Z][A-Za-z]{1,63})\?[^\s\\<>"^`\x00-\x1f\x7f]+$/;
const FRAGMENT = /^#([A-Za-z0-9\-.]{0,64})$/;

/** Undefined: it has no form that a reference may have. */
export function parseReference(text: string, definitions: Definitions): LiteralReference | undefined {
  if (text.length > 2048) return undefined;
  const fragment = FRAGMENT.exec(text);
  if (fragment !== null) return { kind: 'fragment', name: fragment[1], absolute: false };
  const resource = RESOURCE.exec(text);
  if (resource !== null) {
    const type = resource[2] ?? '';
    const absolute = resource[1] !== undefined;
    if (definitions.resources.has(type)) return { kind: 'resource', name: type, absolute };
    // An address of something that is no resource may end like one.
    return absolute ? { kind: 'url', name: undefined, absolute } : undefined;
  }
  if (URL_FORM.test(text)) return { kind: 'url', name: undefined, absolute: true };
  const conditional = CONDITIONAL.exec(text);
  if (conditional !== null && definitions.resources.has(conditional[1] ?? '')) {
    return { kind: 'conditional', name: conditional[1], absolute: false };
  }
  return undefined;
}
