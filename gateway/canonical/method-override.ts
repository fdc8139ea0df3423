import type { Content } from '../../contracts/content.ts';
import type { Method } from '../../contracts/facts.ts';
import { folded } from './parameter-names.ts';

/**
 * Names by which frameworks take another method than the request's from its query or its body: `_method` (Rack and Rails,
 * Symfony, Laravel, CakePHP, Yii), and the fields' names for those that look for these among parameters too.
 */
const OVERRIDE = /^(?:_{1,2}method|_?http_?method|x-http-method(?:-override)?|x-method-override)$/;
/** The shortest of these; most names of parameters are shorter or hold no such word. */
const SHORTEST = 7;
const WORD = /method/i;

/** Whether a framework could take the parameter of this name for the method. */
export function isOverrideName(name: string): boolean {
  return name.length >= SHORTEST && WORD.test(name) && OVERRIDE.test(folded(name));
}

/**
 * Whether a query names a method: always a refusal, since the route and its conditions were chosen by another one, and
 * whether the query or the body counts differs from framework to framework.
 */
export function overridesByQuery(parameters: ReadonlyMap<string, readonly string[]>): boolean {
  for (const name of parameters.keys()) if (isOverrideName(name)) return true;
  return false;
}

/**
 * The field of a body that names a method which the route does not allow, or undefined. Of JSON the top level counts
 * (Laravel reads the method there). A field is allowed that is there once and has exactly one of the values.
 *
 * @param allowed methods that `methodOverride` of the route lists; a POST alone may name one
 */
export function overrideInBody(
  content: Content,
  method: Method,
  allowed: ReadonlySet<string> | undefined,
): string | undefined {
  // Of nearly all: no list of pairs is made first.
  if (content.kind === 'json' && !hasOverrideName(content.value)) return undefined;
  const may = method === 'POST' ? allowed : undefined;
  let named = 0;
  for (const [name, value] of fieldsOf(content)) {
    if (!isOverrideName(name)) continue;
    named += 1;
    if (named > 1 || name !== '_method' || value === undefined || may?.has(value) !== true) return name;
  }
  return undefined;
}

function hasOverrideName(value: Extract<Content, { kind: 'json' }>['value']): boolean {
  if (!isObject(value)) return false;
  for (const name in value) if (isOverrideName(name)) return true;
  return false;
}

/** Names and values of fields; the value of one that is no plain text is undefined. */
export function* fieldsOf(content: Content): Iterable<readonly [name: string, value: string | undefined]> {
  if (content.kind === 'form') {
    for (const [name, values] of content.fields) for (const value of values) yield [name, value];
  } else if (content.kind === 'multipart') {
    for (const { name, fileName, bytes } of content.parts)
      yield [name, fileName === undefined ? bytes.toString('utf8') : undefined];
  } else if (content.kind === 'json' && isObject(content.value)) {
    for (const name of Object.keys(content.value)) {
      const value = content.value[name];
      yield [name, typeof value === 'string' ? value : undefined];
    }
  }
}

function isObject(
  value: Extract<Content, { kind: 'json' }>['value'],
): value is { readonly [name: string]: never } {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
