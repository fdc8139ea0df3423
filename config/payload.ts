import { isUtf8 } from 'node:buffer';
import type { FieldRule, NamedText, PayloadDemand } from '../contracts/payload.ts';
import { describeProblem, type FileProblem } from './files.ts';
import type { View } from './view.ts';
import { readYaml } from './yaml-text.ts';

/** Bytes of a file that a policy names, at most. */
export const REFERENCE_LIMIT = 4 * 1_048_576;

/** A file that a policy names, as it is written there, and its content. */
export interface PolicyReference {
  readonly name: string;
  readonly content: Uint8Array | FileProblem;
}

/** Characters of a name of a field, parameter or member, at most. */
const LONGEST_NAME = 128;

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/** The `inspect.payload` of a route, with the content of the files that it names. */
export function payloadOf(view: View, references: readonly PolicyReference[]): PayloadDemand | undefined {
  if (!view.exists) return undefined;
  const demand: Mutable<PayloadDemand> = {};
  const schema = textOf(view.at('schema'), references);
  if (schema !== undefined) demand.schema = schema;
  const xsd = view.at('xsd').items.flatMap((item) => textOf(item, references) ?? []);
  if (xsd.length > 0) demand.xsd = xsd;
  const openapi = textOf(view.at('openapi'), references);
  if (openapi !== undefined) demand.openapi = openapi;
  if (view.at('fields').exists) demand.fields = rulesOf(view.at('fields'));
  if (view.at('parameters').exists) demand.parameters = rulesOf(view.at('parameters'));
  if (view.at('lengths').exists) demand.lengths = lengthsOf(view.at('lengths'), references);
  const search = view.at('searchParameters');
  if (search.exists) {
    demand.searchParameters = Object.fromEntries(
      search.entries.map(([name, type]) => [name, type.text ?? '']),
    );
  }
  if (view.at('acceptInvalidFhir').flag === true) demand.acceptInvalidFhir = true;
  return demand;
}

function textOf(view: View, references: readonly PolicyReference[]): NamedText | undefined {
  const name = view.text;
  if (name === undefined) return undefined;
  const content = references.find((each) => each.name === name)?.content ?? 'missing';
  if (typeof content === 'string') {
    view.fault(describeProblem(content, REFERENCE_LIMIT));
    return undefined;
  }
  if (!isUtf8(content)) {
    view.fault('the file is not UTF-8 text');
    return undefined;
  }
  return {
    name,
    text: Buffer.from(content)
      .toString('utf8')
      .replace(/^\ufeff/, ''),
  };
}

/** Without a prototype: a field may be called `constructor`. */
function rulesOf(view: View): Readonly<Record<string, FieldRule>> {
  const rules: Record<string, FieldRule> = Object.create(null);
  for (const [name, rule] of view.entries) {
    if (name.length > LONGEST_NAME)
      rule.fault(`must have a name of at most ${LONGEST_NAME} characters`, true);
    rules[name] = ruleOf(rule);
  }
  return rules;
}

function ruleOf(view: View): FieldRule {
  const type = view.at('type').text as FieldRule['type'];
  const rule: Mutable<FieldRule> = { type };
  if (view.at('required').flag === true) rule.required = true;
  if (view.at('repeated').flag === true) rule.repeated = true;
  const numbers = ['maxLength', 'minimum', 'maximum'] as const;
  for (const key of numbers) {
    const value = view.at(key).integer;
    if (value !== undefined) rule[key] = value;
  }
  if (view.at('values').exists) rule.values = view.at('values').texts;
  if (view.at('mediaTypes').exists) rule.mediaTypes = view.at('mediaTypes').texts;
  const maxBytes = view.at('maxBytes').bytes;
  if (maxBytes !== undefined) rule.maxBytes = maxBytes;
  for (const [key, needed] of Object.entries(NEEDED)) {
    if (view.at(key).exists && type !== undefined && !needed.includes(type)) {
      view.at(key).fault(`is only for ${needed.join(', ')}`);
    }
  }
  if (type === 'enum' && rule.values === undefined)
    view.at('values').fault('is missing: an enum needs its values');
  if (type === 'file' && rule.mediaTypes === undefined) {
    view.at('mediaTypes').fault('is missing: say what the content of the file may be');
  }
  return rule;
}

/** Keys that mean something of some types alone. */
const NEEDED: Readonly<Record<string, readonly string[]>> = {
  values: ['enum'],
  mediaTypes: ['file'],
  maxBytes: ['file'],
  minimum: ['integer', 'decimal'],
  maximum: ['integer', 'decimal'],
  maxLength: ['text', 'line', 'word'],
};

/** A YAML mapping of names to numbers of characters. */
function lengthsOf(view: View, references: readonly PolicyReference[]): Readonly<Record<string, number>> {
  const lengths: Record<string, number> = Object.create(null);
  const file = textOf(view, references);
  if (file === undefined) return lengths;
  const { text, faults } = readYaml(Buffer.from(file.text));
  const [first] = faults;
  if (first !== undefined || text === undefined) {
    view.fault(`line ${first?.line ?? 1} of the file ${first?.message ?? 'is no YAML'}`);
    return lengths;
  }
  const data: unknown = text.data;
  if (typeof data !== 'object' || data === null || Array.isArray(data)) {
    view.fault('the file must be a mapping of names to numbers of characters');
    return lengths;
  }
  for (const [name, value] of Object.entries(data)) {
    if (typeof value === 'number' && Number.isSafeInteger(value) && value > 0) lengths[name] = value;
    else {
      const { line } = text.position([name]);
      view.fault(`line ${line} of the file: must be a whole number of characters, at least 1`);
    }
  }
  return lengths;
}

/** Every file that the routes of a policy name, as written; whatever is no text is a fault later. */
export function referencesIn(data: unknown): readonly string[] {
  const found = new Set<string>();
  for (const list of ['routes', 'override']) {
    for (const route of itemsOf(memberOf(data, list))) {
      const payload = memberOf(memberOf(route, 'inspect'), 'payload');
      const named = ['schema', 'openapi', 'lengths'].map((key) => memberOf(payload, key));
      for (const name of [...named, ...itemsOf(memberOf(payload, 'xsd'))]) {
        if (typeof name === 'string' && name !== '') found.add(name);
      }
    }
  }
  return [...found];
}

function memberOf(value: unknown, key: string): unknown {
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return undefined;
  return (value as Readonly<Record<string, unknown>>)[key];
}

const itemsOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);
