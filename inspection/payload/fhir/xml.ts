import { XmlElement, XmlText } from 'libxml2-wasm';
import type { Json, JsonObject } from '../../../contracts/content.ts';
import { fault, type PayloadFault } from '../finding.ts';
import { childrenOf, pointerTo, withXml } from '../xml/document.ts';
import { choiceName, type Definitions, type Element, isPrimitive } from './definitions.ts';

/**
 * FHIR's XML (R4 §2.6.1) read by the definitions into the JSON form of the same resource (R4 §2.6.2), which is then
 * judged by the same schemas: one set of rules for both. Refused here is what the other form could not say: elements
 * in another order or namespace, attributes that mean nothing, text between elements.
 */
export function readFhirXml(
  text: string,
  definitions: Definitions,
): { readonly resource: JsonObject } | PayloadFault {
  let resource: JsonObject | undefined;
  const found = withXml(text, (document) => {
    const reader = new Reader(definitions);
    try {
      resource = reader.resource(document.root);
      return undefined;
    } catch (error) {
      if (error instanceof Refusal) return error.fault;
      throw error;
    }
  });
  if (found !== undefined) return found;
  return resource === undefined ? fault('', 'xml-syntax') : { resource };
}

const FHIR = 'http://hl7.org/fhir';
const XHTML = 'http://www.w3.org/1999/xhtml';
const INTEGER = /^-?(?:0|[1-9]\d{0,9})$/;
const DECIMAL = /^-?(?:0|[1-9]\d{0,63})(?:\.\d{1,64})?(?:[eE][+-]?\d{1,3})?$/;

/** Ends the reading; caught where it began. */
class Refusal extends Error {
  readonly fault: PayloadFault;

  constructor(element: XmlElement, rule: string) {
    super(rule);
    this.fault = fault(pointerTo(element), rule);
  }
}

type Members = Record<string, Json>;

/** Elements of a type by the name that they are written with. */
type Names = ReadonlyMap<
  string,
  { readonly element: Element; readonly type: string; readonly order: number }
>;

class Reader {
  readonly #definitions: Definitions;
  readonly #names = new Map<string, Names>();

  constructor(definitions: Definitions) {
    this.#definitions = definitions;
  }

  resource(element: XmlElement): JsonObject {
    if (element.namespaceUri !== FHIR || !this.#definitions.resources.has(element.name)) {
      throw new Refusal(element, 'fhir-resource-type');
    }
    if (attributesOf(element).size > 0) throw new Refusal(element, 'fhir-xml-attribute');
    return this.#members(element, element.name, { resourceType: element.name });
  }

  /** The children of an element of a complex type, and what its attributes say. */
  #members(element: XmlElement, type: string, members: Members): JsonObject {
    const names = this.#namesOf(type);
    const siblings = new Map<string, (Json | null)[]>();
    let order = -1;
    for (const child of childElements(element)) {
      const known = names.get(child.name);
      const narrative = known?.type === 'xhtml';
      if (known === undefined || child.namespaceUri !== (narrative ? XHTML : FHIR)) {
        throw new Refusal(child, 'fhir-unknown-element');
      }
      if (known.order < order) throw new Refusal(child, 'fhir-xml-order');
      order = known.order;
      const { name } = child;
      if (!known.element.repeated && (Object.hasOwn(members, name) || Object.hasOwn(members, `_${name}`))) {
        throw new Refusal(child, 'fhir-cardinality');
      }
      if (narrative) members[name] = child.toString({ format: false });
      else if (isPrimitive(known.type)) this.#primitive(child, known, members, siblings);
      else put(members, name, this.#complex(child, known.type), known.element.repeated);
    }
    for (const [name, list] of siblings) {
      if (list.some((each) => each !== null)) members[`_${name}`] = list;
      // Where extensions alone say something there is no list of values (R4 §2.6.2.3).
      if ((members[name] as readonly Json[]).every((each) => each === null)) delete members[name];
    }
    return members;
  }

  #complex(element: XmlElement, type: string): Json {
    if (type === 'Resource') {
      const inner = [...childElements(element)];
      const [only] = inner;
      if (only === undefined || inner.length > 1 || attributesOf(element).size > 0) {
        throw new Refusal(element, 'fhir-resource-type');
      }
      return this.resource(only);
    }
    const members: Members = {};
    for (const [name, value] of attributesOf(element)) {
      if (name !== 'id' && !(name === 'url' && type === 'Extension'))
        throw new Refusal(element, 'fhir-xml-attribute');
      members[name] = value;
    }
    return this.#members(element, type, members);
  }

  #primitive(
    child: XmlElement,
    { element, type }: { readonly element: Element; readonly type: string },
    members: Members,
    siblings: Map<string, (Json | null)[]>,
  ): void {
    const { name } = child;
    const attributes = attributesOf(child);
    const beside: Members = {};
    let value: Json | undefined;
    for (const [attribute, text] of attributes) {
      if (attribute === 'value') value = readValue(child, type, text);
      else if (attribute === 'id') beside.id = text;
      else throw new Refusal(child, 'fhir-xml-attribute');
    }
    const extensions = this.#members(child, 'Element', beside);
    const hasBeside = Object.keys(extensions).length > 0;
    if (value === undefined && !hasBeside) throw new Refusal(child, 'fhir-empty');
    if (!element.repeated) {
      if (value !== undefined) members[name] = value;
      if (hasBeside) members[`_${name}`] = extensions;
      return;
    }
    put(members, name, value ?? null, true);
    const list = siblings.get(name) ?? [];
    siblings.set(name, list);
    list.push(hasBeside ? extensions : null);
  }

  #namesOf(type: string): Names {
    const known = this.#names.get(type);
    if (known !== undefined) return known;
    const resource = this.#definitions.resources.has(type);
    const names = new Map<string, { element: Element; type: string; order: number }>();
    for (const [order, element] of (this.#definitions.types.get(type) ?? []).entries()) {
      // Attributes of anything but a resource.
      if (!resource && (element.name === 'id' || (type === 'Extension' && element.name === 'url'))) continue;
      for (const kind of element.types) {
        const name = element.choice ? choiceName(element.name, kind) : element.name;
        names.set(name, { element, type: kind, order });
      }
    }
    this.#names.set(type, names);
    return names;
  }
}

function put(members: Members, name: string, value: Json, repeated: boolean): void {
  if (!repeated) members[name] = value;
  else if (Object.hasOwn(members, name)) (members[name] as Json[]).push(value);
  else members[name] = [value];
}

function* childElements(element: XmlElement): Generator<XmlElement> {
  for (const child of childrenOf(element)) {
    if (child instanceof XmlElement) yield child;
    else if (child instanceof XmlText && child.content.trim() !== '')
      throw new Refusal(element, 'fhir-xml-text');
  }
}

function attributesOf(element: XmlElement): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  for (const attribute of element.attrs) {
    const own = attribute.namespaceUri === '' || attribute.namespaceUri === null;
    if (own) found.set(attribute.name, attribute.value);
    else if (attribute.namespaceUri !== 'http://www.w3.org/2001/XMLSchema-instance') {
      throw new Refusal(element, 'fhir-xml-attribute');
    }
  }
  return found;
}

function readValue(element: XmlElement, type: string, text: string): Json {
  switch (type) {
    case 'boolean':
      if (text !== 'true' && text !== 'false') throw new Refusal(element, 'fhir-type');
      return text === 'true';
    case 'integer':
    case 'positiveInt':
    case 'unsignedInt':
      if (!INTEGER.test(text)) throw new Refusal(element, 'fhir-type');
      return Number(text);
    case 'decimal':
      if (!DECIMAL.test(text)) throw new Refusal(element, 'fhir-type');
      return Number(text);
    default:
      return text;
  }
}
