import type { Texts } from './texts/index.ts';

/** One asked permission, for people. */
export interface DescribedScope {
  readonly scope: string;
  readonly text: string;
  /** It lets things be added, changed or deleted, or it is not known what it lets. */
  readonly changes: boolean;
}

export interface DescribedScopes {
  readonly heading: string;
  readonly scopes: readonly DescribedScope[];
}

const CONTEXTS = ['patient', 'user', 'system'] as const;
type Context = (typeof CONTEXTS)[number];

/** SMART App Launch 2, "Scopes for requesting FHIR resources": `patient/Observation.rs?category=laboratory`. */
const V2 = /^(patient|user|system)\/(\*|[A-Z][A-Za-z]{1,63})\.(?=[cruds])(c?r?u?d?s?)(?:\?(.{1,200}))?$/;
/** SMART App Launch 1: `patient/Observation.read`. */
const V1 = /^(patient|user|system)\/(\*|[A-Z][A-Za-z]{1,63})\.(read|write|\*)$/;
const V1_LETTERS: Readonly<Record<string, string>> = Object.freeze({
  read: 'rs',
  write: 'cud',
  '*': 'cruds',
});

/**
 * Every asked scope in plain words, none left out: what we cannot describe is shown as it was asked. In the
 * order of context (this patient, the user's, all, others), and as asked within each.
 */
export function describeScopes(texts: Texts, asked: readonly string[]): readonly DescribedScopes[] {
  const groups = new Map<Context | 'other', DescribedScope[]>();
  for (const scope of new Set(asked)) {
    const { context, described } = describe(texts, scope);
    const group = groups.get(context) ?? [];
    group.push(described);
    groups.set(context, group);
  }
  return ([...CONTEXTS, 'other'] as const).flatMap((context) => {
    const scopes = groups.get(context);
    return scopes === undefined ? [] : [{ heading: texts.scopes.contexts[context], scopes }];
  });
}

function describe(
  texts: Texts,
  scope: string,
): { readonly context: Context | 'other'; readonly described: DescribedScope } {
  const [, context, type, letters, query] = V2.exec(scope) ?? v1(scope) ?? [];
  if (context !== undefined && type !== undefined && letters !== undefined) {
    const narrowed = query === undefined ? '' : ` (${texts.scopes.only} ${restriction(query)})`;
    return {
      context: context as Context,
      described: {
        scope,
        text: `${actions(texts, letters)}: ${resource(texts, type)}${narrowed}`,
        changes: /[cud]/.test(letters),
      },
    };
  }
  const known = Object.hasOwn(texts.scopes.others, scope) ? texts.scopes.others[scope] : undefined;
  return {
    context: 'other',
    described: { scope, text: known ?? texts.scopes.unknown(scope), changes: known === undefined },
  };
}

function v1(scope: string): readonly (string | undefined)[] | undefined {
  const match = V1.exec(scope);
  return match === null ? undefined : [match[0], match[1], match[2], V1_LETTERS[match[3] ?? '']];
}

function resource(texts: Texts, type: string): string {
  if (type === '*') return texts.scopes.everything;
  // Not `in`: a scope may be named like something every object has.
  return (Object.hasOwn(texts.scopes.resources, type) ? texts.scopes.resources[type] : undefined) ?? type;
}

/** "See, add and change". */
function actions(texts: Texts, letters: string): string {
  const { see, add, change, delete: remove } = texts.scopes.actions;
  const words = [
    ...(/[rs]/.test(letters) ? [see] : []),
    ...(letters.includes('c') ? [add] : []),
    ...(letters.includes('u') ? [change] : []),
    ...(letters.includes('d') ? [remove] : []),
  ];
  const last = words.pop() ?? '';
  const text = words.length === 0 ? last : `${words.join(', ')} ${texts.scopes.and} ${last}`;
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** `category=http://…/observation-category|laboratory` as "category is laboratory": systems are not for people. */
function restriction(query: string): string {
  return [...new URLSearchParams(query)]
    .map(([name, value]) => `${name} = ${value.slice(value.lastIndexOf('|') + 1)}`)
    .join(', ');
}
