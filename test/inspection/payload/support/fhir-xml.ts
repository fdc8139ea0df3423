import {
  choiceName,
  type Definitions,
  type Element,
  isPrimitive,
} from '../../../../inspection/payload/fhir/definitions.ts';

type Members = Readonly<Record<string, unknown>>;

/** A resource's JSON form as XML (R4 §2.6.1): what the reader of FHIR's XML is tested against. */
export function fhirXml(resource: Members, definitions: Definitions): string {
  const type = String(resource.resourceType);
  const inner = children(resource, type, definitions);
  return `<?xml version="1.0" encoding="UTF-8"?>\n<${type} xmlns="http://hl7.org/fhir">${inner}</${type}>`;
}

function children(members: Members, type: string, definitions: Definitions): string {
  const resource = definitions.resources.has(type);
  const parts: string[] = [];
  for (const element of definitions.types.get(type) ?? []) {
    if (!resource && (element.name === 'id' || (type === 'Extension' && element.name === 'url'))) continue;
    for (const kind of element.types) {
      const name = element.choice ? choiceName(element.name, kind) : element.name;
      parts.push(...written(members, name, kind, element, definitions));
    }
  }
  return parts.join('');
}

function written(
  members: Members,
  name: string,
  kind: string,
  element: Element,
  definitions: Definitions,
): string[] {
  const [values, beside] = [members[name], members[`_${name}`]];
  if (values === undefined && beside === undefined) return [];
  const list = (value: unknown) => (element.repeated ? ((value ?? []) as unknown[]) : [value]);
  const count = Math.max(list(values).length, list(beside).length);
  return Array.from({ length: count }, (_, index) => {
    const value = list(values)[index];
    if (kind === 'xhtml') return String(value);
    if (isPrimitive(kind))
      return primitive(name, value, list(beside)[index] as Members | null | undefined, definitions);
    if (kind === 'Resource') {
      const inner = value as Members;
      const type = String(inner.resourceType);
      return `<${name}><${type}>${children(inner, type, definitions)}</${type}></${name}>`;
    }
    const inner = value as Members;
    const id = inner.id === undefined ? '' : ` id="${escaped(inner.id)}"`;
    const url = kind === 'Extension' ? ` url="${escaped(inner.url)}"` : '';
    return `<${name}${id}${url}>${children(inner, kind, definitions)}</${name}>`;
  });
}

function primitive(
  name: string,
  value: unknown,
  beside: Members | null | undefined,
  definitions: Definitions,
): string {
  const given = value === undefined || value === null ? '' : ` value="${escaped(value)}"`;
  const id = beside?.id === undefined ? '' : ` id="${escaped(beside.id)}"`;
  return `<${name}${id}${given}>${beside ? children(beside, 'Element', definitions) : ''}</${name}>`;
}

function escaped(value: unknown): string {
  return String(value)
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('"', '&quot;')
    .replaceAll(/[\t\n\r]/g, (control) => `&#${control.charCodeAt(0)};`);
}
