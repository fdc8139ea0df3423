import type { Content, FormPart, Json, JsonObject } from '../../contracts/content.ts';
import { parameterSamples } from './head.ts';
import { mayMatter } from './prefilter.ts';
import type { Reading } from './rule.ts';
import { type Sink, step, tellable } from './sample.ts';
import { dereferenced, xmlSamples } from './xml.ts';

/** Every text of a body. @param reading how its strings are read */
export function bodySamples(content: Content, reading: Reading, authority: string, sink: Sink): void {
  switch (content.kind) {
    case 'json':
      jsonSamples(content.value, reading, sink);
      return;
    case 'xml':
      xmlSamples(content.text, reading, sink);
      return;
    case 'form':
      parameterSamples('form', content.fields, reading, authority, sink);
      return;
    case 'multipart':
      for (const part of content.parts) partSamples(part, reading, sink);
      return;
    case 'text':
      sink('/', reading, content.text);
      return;
    case 'opaque':
      return;
  }
}

/** A member or item, and what it is in; undefined: the body itself. */
interface Place {
  readonly within: Place | undefined;
  readonly name: string | number;
}

/**
 * Strings and names, however deep: a list of places still to be seen instead of a call for each. Of all those texts
 * hardly one matters, so that where it stands is put into words only then.
 */
export function jsonSamples(value: Json, reading: Reading, sink: Sink): void {
  // What settings call prose at some place is a parameter until its place is known.
  const certain = reading !== 'parameter';
  const tell = (place: Place | undefined, how: Reading, text: string): void => {
    if (certain ? mayMatter(text, how) : text !== '') sink(pointerOf(place), how, text);
  };
  const values: Json[] = [value];
  const places: (Place | undefined)[] = [undefined];
  while (values.length > 0) {
    const each = values.pop() as Json;
    const place = places.pop();
    if (typeof each === 'string') tell(place, reading, each);
    else if (Array.isArray(each)) {
      for (let at = each.length - 1; at >= 0; at -= 1) {
        values.push(each[at] as Json);
        places.push({ within: place, name: at });
      }
    } else if (typeof each === 'object' && each !== null) {
      for (const name in each) {
        const member = (each as JsonObject)[name] as Json;
        if (!isPlainName(name)) sink(pointerOf({ within: place, name }), 'plain', name);
        // Most members are short and plain: not put on the list first.
        if (typeof member === 'string') {
          if (name === 'div' && reading === 'clinical')
            narrativeSamples(pointerOf({ within: place, name }), member, sink);
          else if (!certain || mayMatter(member, reading))
            sink(pointerOf({ within: place, name }), reading, member);
        } else if (typeof member === 'object' && member !== null) {
          values.push(member);
          places.push({ within: place, name });
        }
      }
    }
  }
}

function pointerOf(place: Place | undefined): string {
  if (place === undefined) return '/';
  const names: (string | number)[] = [];
  for (let each: Place | undefined = place; each !== undefined; each = each.within) names.push(each.name);
  return names.reduceRight<string>(step, '');
}

/** The XHTML of a narrative, and what it says once its entities are read, where markup is text. */
function narrativeSamples(place: string, xhtml: string, sink: Sink): void {
  sink(place, 'narrative', xhtml);
  if (xhtml.includes('&')) sink(place, 'clinical', dereferenced(xhtml.replace(/<[^<>]*>/g, ' ')));
}

/** Names of FHIR's elements and of most interfaces: one word without anything that could be a rule's. */
const PLAIN_NAME = /^_?[a-z][a-zA-Z]{0,31}$/;
/** Of those that were met, so many are known at once. */
const PLAIN_NAMES = 2_000;
const plainNames = new Set<string>();

function isPlainName(name: string): boolean {
  if (plainNames.has(name)) return true;
  if (!PLAIN_NAME.test(name)) return false;
  if (plainNames.size < PLAIN_NAMES) plainNames.add(name);
  return true;
}

const TEXT_PART =
  /^(?:text\/.*|application\/(?:json|xml|x-www-form-urlencoded|javascript)|[a-z]+\/.*\+(?:json|xml))$/;
const utf8 = new TextDecoder('utf-8', { fatal: true });

function partSamples(part: FormPart, reading: Reading, sink: Sink): void {
  const place = `part:${tellable(part.name)}`;
  sink(place, 'plain', part.name);
  if (part.fileName !== undefined) {
    const file = `file:${tellable(part.name)}`;
    sink(file, 'file', part.fileName);
    sink(file, 'plain', part.fileName);
  }
  if (part.mediaType !== undefined) sink(place, 'plain', part.mediaType);
  // A field, or a file that says it is text. Of other files the kind is judged elsewhere, by their content.
  if (part.fileName !== undefined && part.mediaType !== undefined && !TEXT_PART.test(part.mediaType)) return;
  let text: string;
  try {
    text = utf8.decode(part.bytes);
  } catch {
    text = part.bytes.toString('latin1');
  }
  sink(place, reading, text);
}
