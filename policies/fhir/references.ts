import type { Json } from '../../contracts/content.ts';
import type { JudgedAnswer } from '../../contracts/policy.ts';
import { isObject, member, text } from './elements.ts';

/** FHIR `id` (R4 §2.24.0.1). */
export const ID = /^[A-Za-z0-9.-]{1,64}$/;
const TYPE = /^[A-Z][A-Za-z]{0,63}$/;

/** How literal references become types and ids here. */
export interface ReferenceBase {
  /** The tenant's authority, which clients see. */
  readonly authority: string;
  /** The path before the resource type, such as `/fhir`; empty at the root. */
  readonly base: string;
  /** The back end's own origin, which an EMR may write into absolute references. */
  readonly origin?: string | undefined;
  /** What the EMR may write into URLs because the gateway told it so (`JudgedAnswer`). */
  readonly told?: JudgedAnswer['told'];
  /** Full URLs of a bundle's entries that are no addresses (`urn:uuid:…`), by what they stand for, such as `Patient/1`. */
  readonly entries?: ReadonlyMap<string, string> | undefined;
}

export interface Target {
  readonly type: string;
  readonly id: string;
}

/**
 * What a literal reference points to: relative, versioned, absolute below this base, or the full URL of an entry in the
 * same bundle. Undefined: anything else, of which nothing is known: other servers, fragments, conditional references.
 */
export function resolveReference(reference: string, base: ReferenceBase): Target | undefined {
  const entry = base.entries?.get(reference);
  return relative(entry ?? withoutBase(reference, base));
}

function withoutBase(reference: string, { authority, base, origin, told }: ReferenceBase): string {
  if (!/^https?:\/\//i.test(reference)) return reference;
  for (const start of [
    `https://${authority}`,
    `http://${authority}`,
    ...(origin === undefined ? [] : [origin]),
  ]) {
    const whole = `${start}${base}/`;
    if (reference.startsWith(whole)) return reference.slice(whole.length);
    const prefixed = `${start}${told?.prefix ?? ''}${base}/`;
    if (reference.startsWith(prefixed)) return reference.slice(prefixed.length);
  }
  return '';
}

function relative(reference: string): Target | undefined {
  const [type = '', id = '', history, version, ...more] = reference.split('/', 5);
  if (!TYPE.test(type) || !ID.test(id) || more.length > 0) return undefined;
  if (history !== undefined && (history !== '_history' || !ID.test(version ?? ''))) return undefined;
  return { type, id };
}

/**
 * Whom one value of a reference element names: a patient of this EMR, certainly no patient of it, or nobody can tell.
 * `none`: it only displays something, so that it is no reference at all.
 */
export type Named =
  | { readonly kind: 'patient'; readonly id: string }
  | { readonly kind: 'other' }
  | { readonly kind: 'none' }
  | { readonly kind: 'unknown' };

const OTHER: Named = Object.freeze({ kind: 'other' });
const NONE: Named = Object.freeze({ kind: 'none' });
const UNKNOWN: Named = Object.freeze({ kind: 'unknown' });

/**
 * @param contained the types of the resources that are contained in the one at hand, by their id
 */
export function namedBy(value: Json, base: ReferenceBase, contained: ReadonlyMap<string, string>): Named {
  // Reference.reference, or a bare string where a version has a URI (STU3 Provenance.agent.whoUri).
  const reference =
    typeof value === 'string' ? value : isObject(value) ? member(value, 'reference') : undefined;
  const type = isObject(value) ? text(value, 'type') : undefined;
  if (reference === undefined) {
    if (!isObject(value)) return UNKNOWN;
    // A logical reference (Reference.identifier) may mean any patient, unless it says that it means none.
    if (member(value, 'identifier') !== undefined)
      return type === undefined || type === 'Patient' ? UNKNOWN : OTHER;
    return NONE;
  }
  if (typeof reference !== 'string') return UNKNOWN;
  if (reference.startsWith('#')) {
    const inside = contained.get(reference.slice(1));
    // A contained Patient has no identity of its own (R4 §2.1.0.1.2): whose record it is cannot be known.
    return inside === undefined || inside === 'Patient' ? UNKNOWN : OTHER;
  }
  const target = resolveReference(reference, base);
  if (target === undefined) return UNKNOWN;
  if (type !== undefined && type !== target.type) return UNKNOWN;
  return target.type === 'Patient' ? { kind: 'patient', id: target.id } : OTHER;
}
