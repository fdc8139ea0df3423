import type { Resource } from '../resource.ts';
import type { Store } from '../store.ts';
import { referencesAt, valuesAt, wordsOf } from './values.ts';

const PREFIX = /^(eq|ne|gt|lt|ge|le|sa|eb|ap)(?=\d)/;

/** Whether a resource meets one criterion `name=value`; what this server does not understand, it leaves out of account. */
export function meets(store: Store, resource: Resource, name: string, value: string): boolean {
  if (name.startsWith('_has:')) return has(store, resource, name, value);
  const [plain = '', ...rest] = name.split('.');
  if (rest.length > 0) return chained(store, resource, plain, rest.join('.'), value);
  const [parameter = '', modifier] = name.split(':');
  const wanted = value.split(',');
  switch (parameter) {
    case '_id':
      return wanted.includes(resource.id);
    case '_lastUpdated':
      return wanted.some((each) => dated([resource.meta?.lastUpdated ?? ''], each));
    case '_tag':
    case '_profile':
    case '_security':
      return wanted.some((each) =>
        wordsOf(resource.meta?.[parameter.slice(1)]).some((word) => fits(word, each)),
      );
    case '_text':
    case '_content':
      return wanted.some((each) => JSON.stringify(resource).toLowerCase().includes(each.toLowerCase()));
    case '_filter':
      return filtered(store, resource, value);
    case '_list':
      return store.read('List', value) === undefined ? false : listed(store, value, resource);
    case '_type':
      return wanted.includes(resource.resourceType);
    default:
      break;
  }
  if (parameter.startsWith('_')) return true;
  const values = valuesAt(resource, parameter);
  if (modifier === 'missing') return (values.length === 0) === (value === 'true');
  const words = values.flatMap((each) => wordsOf(each));
  if (modifier === 'not') return !wanted.some((each) => words.some((word) => fits(word, each)));
  const typed = modifier !== undefined && /^[A-Z]/.test(modifier) ? `${modifier}/` : '';
  return wanted.some(
    (each) =>
      words.some((word) => fits(word, typed + each)) ||
      dated(words, each) ||
      (typed === '' && words.some((word) => word.toLowerCase().startsWith(each.toLowerCase()))),
  );
}

function fits(word: string, wanted: string): boolean {
  const plain = wanted.startsWith('|') ? wanted.slice(1) : wanted;
  if (word === plain || word.toLowerCase() === plain.toLowerCase()) return true;
  // A reference written in full.
  const reference = /([A-Z][A-Za-z]+\/[A-Za-z0-9.-]+)(?:\/_history\/.*)?$/.exec(plain)?.[1];
  return reference !== undefined && word === reference;
}

function dated(words: readonly string[], wanted: string): boolean {
  const prefix = PREFIX.exec(wanted)?.[1] ?? 'eq';
  const date = wanted.replace(PREFIX, '');
  if (!/^\d{4}(?:-\d{2})?/.test(date)) return false;
  return words.some((word) => {
    if (!/^\d{4}-?/.test(word)) return false;
    switch (prefix) {
      case 'gt':
      case 'sa':
        return word > date;
      case 'ge':
        return word >= date;
      case 'lt':
      case 'eb':
        return word < date;
      case 'le':
        return word <= date || word.startsWith(date);
      case 'ne':
        return !word.startsWith(date);
      default:
        return word.startsWith(date);
    }
  });
}

/** `subject:Patient.name=x`: what the reference leads to meets the rest. */
function chained(store: Store, resource: Resource, link: string, rest: string, value: string): boolean {
  const [parameter = '', type] = link.split(':');
  return referencesAt(resource, parameter).some((target) => {
    if (type !== undefined && target.type !== type) return false;
    const found = store.read(target.type, target.id);
    return found !== undefined && meets(store, found, rest, value);
  });
}

/** `_has:Observation:patient:code=x`: something refers to this one, and meets the rest. */
function has(store: Store, resource: Resource, name: string, value: string): boolean {
  const [, type = '', parameter = '', ...rest] = name.split(':');
  const criterion = rest.join(':');
  return store
    .all(type)
    .some(
      (other) =>
        referencesAt(other, parameter).some(
          (target) => target.type === resource.resourceType && target.id === resource.id,
        ) && meets(store, other, criterion, value),
    );
}

function listed(store: Store, list: string, resource: Resource): boolean {
  const found = store.read('List', list);
  return (
    found !== undefined &&
    referencesAt(found, 'item').some(({ type, id }) => type === resource.resourceType && id === resource.id)
  );
}

/** `_filter=name eq value or …`: enough of it to let somebody ask for another patient's. */
function filtered(store: Store, resource: Resource, filter: string): boolean {
  return filter.split(/ or /i).some((alternative) =>
    alternative.split(/ and /i).every((criterion) => {
      const found = /^\(?\s*([\w.:-]+)\s+(eq|re|co|sw|ge|le|gt|lt)\s+"?([^")]*)"?\s*\)?$/.exec(
        criterion.trim(),
      );
      return found !== null && meets(store, resource, found[1] ?? '', found[3] ?? '');
    }),
  );
}
