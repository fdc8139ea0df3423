import type { JsonObject } from '../../../contracts/content.ts';
import { definitionsOf } from '../../../inspection/payload/fhir/definitions.ts';

export interface Mutation {
  readonly kind: string;
  readonly resource: JsonObject;
}

type Holder = Record<string, unknown>;

/** Places of a resource: objects that are elements, and values in them. */
interface Places {
  readonly objects: readonly Holder[];
  readonly values: readonly { readonly holder: Holder; readonly key: string }[];
}

function placesOf(
  value: unknown,
  objects: Holder[] = [],
  values: { holder: Holder; key: string }[] = [],
): Places {
  if (typeof value === 'object' && value !== null) {
    if (!Array.isArray(value)) objects.push(value as Holder);
    for (const [key, each] of Object.entries(value)) {
      if (typeof each === 'object') placesOf(each, objects, values);
      else values.push({ holder: value as Holder, key });
    }
  }
  return { objects, values };
}

/** A linear congruential generator: the same mutations at each run. */
function seeded(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fff_ffff;
    return Math.floor((state / 0x8000_0000) * below);
  };
}

type Make = (copy: Holder, places: Places, random: (below: number) => number) => boolean;

/** Each makes a valid resource invalid, or says that it cannot do it to this one. */
const KINDS: Readonly<Record<string, Make>> = {
  'an element that there is not': (_copy, { objects }, random) => {
    const object = objects[random(objects.length)];
    if (object === undefined) return false;
    object[`unheardOf${random(1000)}`] = 'x';
    return true;
  },
  'a required element less': (copy, _places, random) => {
    const required = (definitionsOf('R4').types.get(String(copy.resourceType)) ?? []).filter(
      (each) => each.required,
    );
    const element = required[random(required.length)];
    if (element === undefined) return false;
    for (const name of Object.keys(copy)) {
      if (name === element.name || (element.choice && name.startsWith(element.name))) delete copy[name];
    }
    return true;
  },
  'a value of another JSON type': (_copy, { values }, random) => {
    const place = values[random(values.length)];
    if (place === undefined) return false;
    const value = place.holder[place.key];
    place.holder[place.key] =
      typeof value === 'string' ? random(100) : typeof value === 'number' ? 'seven' : {};
    return true;
  },
  'one where a list is meant, or the other way round': (copy, _places, random) => {
    const elements = (definitionsOf('R4').types.get(String(copy.resourceType)) ?? []).filter(
      ({ name }) => copy[name] !== undefined,
    );
    const element = elements[random(elements.length)];
    if (element === undefined) return false;
    const value = copy[element.name];
    copy[element.name] = Array.isArray(value) ? value[0] : [value];
    return true;
  },
  'an empty list or object': (_copy, { objects }, random) => {
    const object = objects[random(objects.length)];
    const key = Object.keys(object ?? {}).find((name) => typeof object?.[name] === 'object');
    if (object === undefined || key === undefined) return false;
    object[key] = Array.isArray(object[key]) ? [] : {};
    return true;
  },
  'a date that there is not': (_copy, { values }, random) => {
    const dates = values.filter(
      ({ holder, key }) => /^\d{4}-\d\d-\d\d/.test(String(holder[key])) && /date|start|end|issued/i.test(key),
    );
    const place = dates[random(dates.length)];
    if (place === undefined) return false;
    place.holder[place.key] = String(place.holder[place.key]).replace(/^(\d{4})-\d\d-\d\d/, '$1-02-30');
    return true;
  },
  'a script in the narrative': (copy, _places, random) => {
    const text = copy.text as Holder | undefined;
    if (typeof text?.div !== 'string') return false;
    const inner = [
      '<script>1</script>',
      '<p onclick="1">',
      '<iframe src="a"/>',
      '<a href="javascript:1">a</a>',
    ][random(4)];
    text.div = text.div.replace(/<\/div>\s*$/, `${inner}</div>`);
    return true;
  },
};

/** Resources that were valid, each made invalid in one way. */
export function mutations(examples: readonly JsonObject[], count: number): readonly Mutation[] {
  const random = seeded(8);
  const made: Mutation[] = [];
  const kinds = Object.entries(KINDS);
  for (let at = 0; made.length < count; at += 1) {
    const [kind, make] = kinds[at % kinds.length] ?? ['', () => false];
    const copy = structuredClone(examples[random(examples.length)]) as Holder;
    if (make(copy, placesOf(copy), random)) made.push({ kind, resource: copy as JsonObject });
  }
  return made;
}
