import type { FormPart } from '../../contracts/content.ts';
import type { FieldRule, FieldType } from '../../contracts/payload.ts';
import { isText, TEXT_FORMATS } from './fhir/formats.ts';
import { fault, named, type PayloadFault } from './finding.ts';
import { isAllowed, isFileName } from './media.ts';

type Test = (value: string) => boolean;
type Fields = Iterable<readonly [name: string, values: readonly string[]]>;

/** Fields by name, compiled. */
export interface FieldRules {
  /** Of a query or a form. */
  values(fields: Fields, kind: 'query' | 'form'): PayloadFault | undefined;
  /** Of a multipart body. */
  parts(parts: readonly FormPart[]): PayloadFault | undefined;
}

const isDate = TEXT_FORMATS.date ?? (() => false);
const isDateTime = TEXT_FORMATS.dateTime ?? (() => false);
const LINE = /^[^\x00-\x1f\x7f\u0085\u2028\u2029]*$/;
/** A whole local date and time, with or without seconds and zone, as browsers send it. */
const LOCAL =
  /^(\d{4}-\d\d-\d\d)[T ](?:[01]\d|2[0-3]):[0-5]\d(?::[0-5]\d(?:\.\d{1,9})?)?(?:Z|[+-](?:0\d|1[0-4]):[0-5]\d)?$/;
const EMAIL =
  /^[A-Za-z0-9.!#$%&*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9](?:[A-Za-z0-9-]{0,62})(?:\.[A-Za-z0-9-]{1,63}){0,8}$/;

const FORMS: Readonly<Record<FieldType, Test>> = {
  text: (value) => value === '' || isText(value) || /^[\t\n\r ]*$/.test(value),
  line: (value) => LINE.test(value),
  word: (value) => /^[A-Za-z0-9_.-]*$/.test(value),
  id: (value) => /^[A-Za-z0-9_.-]{1,64}$/.test(value),
  integer: (value) => /^[+-]?\d{1,15}$/.test(value),
  decimal: (value) => /^[+-]?\d{1,15}(?:\.\d{1,15})?$/.test(value),
  boolean: (value) => /^(?:true|false|0|1|on|off|yes|no)$/.test(value),
  date: (value) => /^\d{4}-\d\d-\d\d$/.test(value) && isDate(value),
  time: (value) => /^(?:[01]\d|2[0-3]):[0-5]\d(?::[0-5]\d)?$/.test(value),
  'date-time': (value) => {
    const date = LOCAL.exec(value)?.[1];
    return date === undefined ? isDateTime(value) && value.length > 10 : isDate(date);
  },
  email: (value) => value.length <= 254 && EMAIL.test(value),
  enum: () => true,
  file: () => false,
};
/** Characters of a value whose rule says nothing. */
const LONGEST: Readonly<Partial<Record<FieldType, number>>> = { text: 65_536, line: 255, word: 255 };
/** What browsers send of a field that was left empty. */
const MAY_BE_EMPTY: ReadonlySet<FieldType> = new Set(['text', 'line', 'word']);

interface Compiled {
  readonly rule: FieldRule;
  /** The name of the rule that a value breaks. */
  readonly judge: (value: string) => string | undefined;
}

/** @param rules by name; a name that ends in `[]` stands for itself */
export function compileFields(rules: Readonly<Record<string, FieldRule>>): FieldRules {
  const compiled = new Map(
    Object.entries(rules).map(([name, rule]) => [name, { rule, judge: judgeOf(rule) }]),
  );
  const required = [...compiled].filter(([, { rule }]) => rule.required === true).map(([name]) => name);

  const missing = (seen: ReadonlySet<string>, kind: 'query' | 'form' | 'part') => {
    const name = required.find((each) => !seen.has(each));
    return name === undefined ? undefined : fault(named(kind, name), 'field-missing');
  };

  return {
    values(fields, kind) {
      const seen = new Set<string>();
      for (const [name, values] of fields) {
        const known = compiled.get(name);
        if (known === undefined || known.rule.type === 'file')
          return fault(named(kind, name), 'field-unknown');
        if (values.length > 1 && known.rule.repeated !== true)
          return fault(named(kind, name), 'field-repeated');
        for (const value of values) {
          const broken = known.judge(value);
          if (broken !== undefined) return fault(named(kind, name), broken);
          if (value !== '') seen.add(name);
        }
      }
      return missing(seen, kind);
    },
    parts(parts) {
      const seen = new Set<string>();
      for (const part of parts) {
        const found = partFault(part, compiled.get(part.name), seen);
        if (found !== undefined) return found;
        if (part.bytes.length > 0) seen.add(part.name);
      }
      return missing(seen, 'part');
    },
  };
}

function judgeOf(rule: FieldRule): Compiled['judge'] {
  const form = FORMS[rule.type];
  const longest = rule.maxLength ?? LONGEST[rule.type] ?? 1024;
  const values = rule.values === undefined ? undefined : new Set(rule.values);
  const { minimum, maximum } = rule;
  return (value) => {
    if (value === '' && (MAY_BE_EMPTY.has(rule.type) || rule.required !== true)) return undefined;
    if (value.length > longest) return 'field-length';
    if (!form(value)) return `field-${rule.type}`;
    if (values !== undefined && !values.has(value)) return 'field-enum';
    if (minimum !== undefined && Number(value) < minimum) return 'field-range';
    if (maximum !== undefined && Number(value) > maximum) return 'field-range';
    return undefined;
  };
}

function partFault(
  part: FormPart,
  known: Compiled | undefined,
  seen: ReadonlySet<string>,
): PayloadFault | undefined {
  if (known === undefined) return fault(named('part', part.name), 'field-unknown');
  const { rule, judge } = known;
  if (seen.has(part.name) && rule.repeated !== true) return fault(named('part', part.name), 'field-repeated');
  if (rule.type !== 'file') {
    if (part.fileName !== undefined) return fault(named('part', part.name), 'field-no-file');
    let text: string;
    try {
      text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(part.bytes);
    } catch {
      return fault(named('part', part.name), 'field-utf8');
    }
    const broken = judge(text);
    return broken === undefined ? undefined : fault(named('part', part.name), broken);
  }
  if (part.fileName === undefined) return fault(named('part', part.name), 'field-file');
  // Nothing was chosen: browsers send an empty part with an empty name.
  if (part.fileName === '' && part.bytes.length === 0) return undefined;
  return fileFault(part, part.fileName, rule);
}

function fileFault(part: FormPart, fileName: string, rule: FieldRule): PayloadFault | undefined {
  const allowed = rule.mediaTypes ?? [];
  if (rule.maxBytes !== undefined && part.bytes.length > rule.maxBytes) {
    return fault(named('file', part.name), 'file-size', 'too-large');
  }
  if (!isFileName(fileName, allowed)) return fault(named('file', part.name), 'file-name');
  const declared = part.mediaType;
  const generic = declared === undefined || declared === 'application/octet-stream';
  if (!generic && !allowed.includes(declared)) {
    return fault(named('part', part.name), 'file-declared-type', 'unsupported-media');
  }
  // What is declared is what must be there; what is not declared is one of what may be there.
  return isAllowed(part.bytes, generic ? allowed : [declared])
    ? undefined
    : fault(named('part', part.name), 'file-content', 'unsupported-media');
}
