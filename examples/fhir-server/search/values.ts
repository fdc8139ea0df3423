import { isPlain, listOf, type Plain, type Resource, targetOf, walk } from '../resource.ts';

/**
 * What a search parameter looks at. This server has no table of the hundreds of published parameters: a parameter's
 * name in camel case is an element's name, and this says where that is not so.
 */
const ELEMENTS: Readonly<Record<string, readonly string[]>> = {
  patient: ['patient', 'subject', 'beneficiary', 'individual', 'for', 'actor', 'who', 'source', 'member'],
  subject: ['subject', 'patient', 'individual', 'for', 'focus'],
  actor: ['actor'],
  performer: ['performer', 'actor', 'recorder', 'asserter'],
  encounter: ['encounter', 'context'],
  date: [
    'effectiveDateTime',
    'date',
    'issued',
    'period',
    'performedDateTime',
    'authoredOn',
    'occurrenceDateTime',
    'created',
    'start',
  ],
  issued: ['issued'],
  birthdate: ['birthDate'],
  family: ['family'],
  given: ['given'],
  name: ['name', 'family', 'given', 'title'],
  phone: ['telecom'],
  email: ['telecom'],
  telecom: ['telecom'],
  'address-city': ['city'],
  address: ['address'],
  code: ['code', 'medicationCodeableConcept'],
  'code-value': ['code'],
  'value-string': ['valueString'],
  'value-quantity': ['valueQuantity'],
  'clinical-status': ['clinicalStatus'],
  member: ['member', 'entity'],
  target: ['target'],
  result: ['result'],
  link: ['target', 'other'],
  'part-of': ['partOf'],
  'based-on': ['basedOn'],
  'derived-from': ['derivedFrom'],
  'has-member': ['hasMember'],
  'evidence-detail': ['detail'],
  item: ['item'],
  medication: ['medicationReference', 'medicationCodeableConcept'],
  prescription: ['authorizingPrescription'],
  request: ['request', 'basedOn'],
  'general-practitioner': ['generalPractitioner'],
  organization: ['managingOrganization', 'organization', 'serviceProvider'],
  source: ['source'],
  author: ['author', 'agent'],
  related: ['related'],
  entity: ['entity', 'what'],
  agent: ['agent', 'who'],
};

export function elementsOf(parameter: string): readonly string[] {
  const camel = parameter.replaceAll(/-([a-z])/g, (_all, letter: string) => letter.toUpperCase());
  return ELEMENTS[parameter] ?? [camel];
}

/** The values of the elements that a parameter looks at, wherever they are in the resource. */
export function valuesAt(resource: Resource, parameter: string): readonly unknown[] {
  const names = new Set(elementsOf(parameter));
  const found: unknown[] = [];
  walk(resource, (object) => {
    for (const [name, value] of Object.entries(object)) if (names.has(name)) found.push(...listOf(value));
  });
  return found;
}

/** Every reference below those elements. */
export function referencesAt(resource: Resource, parameter: string): readonly { type: string; id: string }[] {
  const found: { type: string; id: string }[] = [];
  for (const value of valuesAt(resource, parameter))
    walk(value, (object) => {
      const target = targetOf(object);
      if (target !== undefined) found.push(target);
    });
  return found;
}

/** The words by which a value is found: codes, text, dates, references. */
export function wordsOf(value: unknown): readonly string[] {
  const words: string[] = [];
  const take = (item: unknown): void => {
    if (typeof item === 'string' || typeof item === 'number' || typeof item === 'boolean')
      words.push(String(item));
    else if (Array.isArray(item)) for (const each of item) take(each);
    else if (isPlain(item)) {
      if (typeof item.system === 'string')
        words.push(`${item.system}|${String(item.code ?? item.value ?? '')}`);
      const target = targetOf(item);
      if (target !== undefined) words.push(`${target.type}/${target.id}`, target.id);
      for (const member of Object.values(item as Plain)) take(member);
    }
  };
  take(value);
  return words;
}
