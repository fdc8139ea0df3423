import type { Content, Json } from '../../contracts/content.ts';
import { fault, named, type PayloadFault } from './finding.ts';
import { placeOf } from './place.ts';

/** Values that the back end could only cut: by the name of a parameter, field or member, or by a JSON Pointer. */
export interface Lengths {
  head(parameters: ReadonlyMap<string, readonly string[]>): PayloadFault | undefined;
  content(content: Content): PayloadFault | undefined;
}

const RULE = 'value-too-long';

/** @param lengths characters (Unicode code points) by name, or by JSON Pointer, in which `*` is any one step */
export function compileLengths(lengths: Readonly<Record<string, number>>): Lengths {
  const names = new Map<string, number>();
  const pointers: { readonly steps: readonly string[]; readonly most: number }[] = [];
  for (const [name, most] of Object.entries(lengths)) {
    if (name.startsWith('/')) pointers.push({ steps: name.slice(1).split('/'), most });
    else names.set(name, most);
  }

  const isTooLong = (name: string, value: string) => exceeds(value, names.get(name));

  const fields = (
    entries: Iterable<readonly [string, readonly string[]]>,
    kind: 'query' | 'form',
  ): PayloadFault | undefined => {
    for (const [name, values] of entries) {
      if (values.some((value) => isTooLong(name, value)))
        return fault(named(kind, name), RULE, 'unprocessable');
    }
    return undefined;
  };

  const walk = (value: Json, path: string[], name: string): string[] | undefined => {
    if (typeof value === 'string') {
      const long = isTooLong(name, value) || pointers.some((each) => exceeds(value, matched(each, path)));
      return long ? path : undefined;
    }
    if (typeof value !== 'object' || value === null) return undefined;
    const entries: Iterable<[string, Json]> = Array.isArray(value)
      ? value.map((item: Json, index): [string, Json] => [String(index), item])
      : Object.entries(value);
    for (const [key, member] of entries) {
      path.push(key);
      // The items of a list have the list's name.
      const found = walk(member, path, Array.isArray(value) ? name : key);
      if (found !== undefined) return found;
      path.pop();
    }
    return undefined;
  };

  return {
    head: (parameters) => fields(parameters, 'query'),
    content(content) {
      if (content.kind === 'form') return fields(content.fields, 'form');
      if (content.kind === 'json') {
        const found = walk(content.value, [], '');
        return found === undefined ? undefined : fault(placeOf(pointerOf(found)), RULE, 'unprocessable');
      }
      if (content.kind !== 'multipart') return undefined;
      for (const part of content.parts) {
        if (part.fileName === undefined && isTooLong(part.name, part.bytes.toString('utf8'))) {
          return fault(named('part', part.name), RULE, 'unprocessable');
        }
      }
      return undefined;
    },
  };
}

/** More code points than may be: what a database counts. A text of so many UTF-16 units cannot have more. */
function exceeds(value: string, most: number | undefined): boolean {
  if (most === undefined || value.length <= most) return false;
  let count = 0;
  for (const _ of value) count += 1;
  return count > most;
}

function matched(
  { steps, most }: { readonly steps: readonly string[]; readonly most: number },
  path: readonly string[],
): number | undefined {
  if (steps.length !== path.length) return undefined;
  return steps.every((step, index) => step === '*' || step === path[index]) ? most : undefined;
}

const pointerOf = (path: readonly string[]) => path.map((step) => `/${step.replaceAll('/', '_')}`).join('');
