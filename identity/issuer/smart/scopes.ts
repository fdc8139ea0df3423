/** A SMART App Launch 2.2 §"Scopes for requesting FHIR resources" scope, v1 or v2. */
export interface ResourceScope {
  readonly context: 'patient' | 'user' | 'system';
  /** A resource type, or `*`. */
  readonly resource: string;
  /** Letters of `cruds`. */
  readonly permissions: string;
  /** Search parameters that narrow it, as written; empty for none. */
  readonly narrowed: string;
}

const FORM =
  /^(patient|user|system)\/(\*|[A-Z][A-Za-z]{1,63})\.(read|write|\*|[cruds]{1,5})(?:\?([!-~]{1,200}))?$/;
const LETTERS = 'cruds';

/** v1 words as v2 letters (SMART App Launch 2.2, "Scope Equivalence"). */
const WORDS: Readonly<Record<string, string>> = Object.freeze({ read: 'rs', write: 'cud', '*': 'cruds' });

/** OpenID Connect and SMART scopes that stand for no resource. */
export const PLAIN_SCOPES = Object.freeze([
  'openid',
  'profile',
  'fhirUser',
  'offline_access',
  'online_access',
  'launch',
  'launch/patient',
  'launch/encounter',
] as const);

/** Undefined for anything else than one of them. */
export function parseResourceScope(scope: string): ResourceScope | undefined {
  const [, context, resource, permission, narrowed = ''] = FORM.exec(scope) ?? [];
  if (context === undefined || resource === undefined || permission === undefined) return undefined;
  const letters = Object.hasOwn(WORDS, permission) ? (WORDS[permission] ?? '') : permission;
  // v2: each letter once and in the order of "cruds".
  const ordered = [...LETTERS].filter((letter) => letters.includes(letter)).join('');
  if (ordered !== letters) return undefined;
  return { context: context as ResourceScope['context'], resource, permissions: letters, narrowed };
}

/** Whether who may have `allowed` may have `wanted`. A narrowed one covers only itself. */
export function covers(allowed: string, wanted: string): boolean {
  if (allowed === wanted) return true;
  const may = parseResourceScope(allowed);
  const asked = parseResourceScope(wanted);
  if (may === undefined || asked === undefined) return false;
  return (
    may.context === asked.context &&
    (may.resource === '*' || may.resource === asked.resource) &&
    [...asked.permissions].every((letter) => may.permissions.includes(letter)) &&
    (may.narrowed === '' || may.narrowed === asked.narrowed)
  );
}

export function coveredBy(allowed: Iterable<string>, wanted: string): boolean {
  for (const each of allowed) if (covers(each, wanted)) return true;
  return false;
}

export function isPlainScope(scope: string): boolean {
  return (PLAIN_SCOPES as readonly string[]).includes(scope);
}

/**
 * Narrower scopes to ask for besides a broad one, so that whoever may only read gets at least that
 * (SMART App Launch 2.2: "servers … MAY grant a subset").
 */
export function narrowerThan(scope: string): readonly string[] {
  const parsed = parseResourceScope(scope);
  if (parsed === undefined) return [];
  const { context, resource, permissions, narrowed } = parsed;
  const halves = [
    [...permissions].filter((letter) => 'rs'.includes(letter)).join(''),
    [...permissions].filter((letter) => 'cud'.includes(letter)).join(''),
  ];
  if (halves.includes('')) return [];
  const suffix = narrowed === '' ? '' : `?${narrowed}`;
  return halves.map((letters) => `${context}/${resource}.${letters}${suffix}`);
}

/** Of what was asked for, what is allowed: the broadest of it only, in the order in which it was asked. */
export function permitted(wanted: Iterable<string>, allowed: Iterable<string>): readonly string[] {
  const may = [...allowed];
  const granted = [...new Set(wanted)].filter((scope) => isPlainScope(scope) || coveredBy(may, scope));
  return granted.filter((scope) => !granted.some((other) => other !== scope && isHalfOf(scope, other)));
}

/** Whether `scope` is one of the halves that asking for `other` brought along. */
function isHalfOf(scope: string, other: string): boolean {
  return narrowerThan(other).includes(scope);
}
