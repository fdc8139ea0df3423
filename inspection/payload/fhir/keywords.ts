import type { Ajv, ErrorObject, ValidateFunction } from 'ajv';

/** A compiled keyword, as ajv calls it; its type is not among what the package exports. */
export interface Judge<Data> {
  (data: Data, context?: { readonly instancePath: string }): boolean;
  errors?: Partial<ErrorObject>[];
}

/** One member of an object. */
export interface MemberRule {
  /** JSON Schema of the value, or of each item. */
  readonly schema: Readonly<Record<string, unknown>>;
  readonly list: boolean;
  /** Null may stand in the list, where what stands beside it says something (R4 §2.6.2.3). */
  readonly nullable: boolean;
  /** Which of the required elements it is; what stands beside a primitive (`_name`) counts as the element. */
  readonly required?: number;
  /** Which choice (`value[x]`) it belongs to. */
  readonly choice?: number;
  /** The element's own name, without `_`. */
  readonly base: string;
}

/** What an object may have: FHIR's JSON form of a type, in a keyword of our own. */
export interface MembersRule {
  readonly members: Readonly<Record<string, MemberRule>>;
  /** Names of the required elements, for messages. */
  readonly required: readonly string[];
  /** Lists of primitives, whose extensions stand in a list of the same length beside them. */
  readonly pairs: readonly string[];
}

type Data = Readonly<Record<string, unknown>>;

/** One error as ajv has them; `keyword` and `name` are all that is made of it. */
export type Found = Partial<ErrorObject> & { keyword: string; instancePath: string };

export function error(instancePath: string, keyword: string, name: string): Found {
  return { keyword, instancePath, params: { name } };
}

interface Member extends MemberRule {
  /** Compiled when first needed: types refer to each other in circles. */
  validate: ValidateFunction | undefined;
}

/**
 * Adds `members`: unknown, required and repeated members, choices, and what stands beside primitives. JSON Schema's
 * `properties` asks for each of some hundred members that could be there, which costs more than all else where objects
 * have many shapes; this looks at those that are there. Values are judged by schemas that ajv compiled.
 *
 * @param compile a validator of a value's schema; the same one for the same schema
 */
export function addMembersKeyword(
  ajv: Ajv,
  compile: (schema: Readonly<Record<string, unknown>>) => ValidateFunction,
): void {
  ajv.addKeyword({
    keyword: 'members',
    type: 'object',
    schemaType: 'object',
    errors: true,
    compile(rule: MembersRule): Judge<Data> {
      const members = new Map<string, Member>(
        Object.entries(rule.members).map(([name, member]) => [name, { ...member, validate: undefined }]),
      );
      const judge = membersJudge(members, rule, compile);
      const validate: Judge<Data> = (data, context) => {
        const found = judge(data);
        if (found === undefined) return true;
        const at = context?.instancePath ?? '';
        validate.errors = [at === '' ? found : { ...found, instancePath: at + found.instancePath }];
        return false;
      };
      return validate;
    },
  });
}

function membersJudge(
  members: ReadonlyMap<string, Member>,
  { required, pairs }: MembersRule,
  compile: (schema: Readonly<Record<string, unknown>>) => ValidateFunction,
): (data: Data) => Found | undefined {
  const complete = 2 ** required.length - 1;
  return (data) => {
    let empty = true;
    let present = 0;
    let paired = false;
    let chosen: (string | undefined)[] | undefined;
    for (const name in data) {
      empty = false;
      const member = members.get(name);
      if (member === undefined) return error('', 'unknown', name);
      if (member.required !== undefined) present |= 1 << member.required;
      if (member.choice !== undefined) {
        chosen ??= [];
        const other = chosen[member.choice];
        if (other !== undefined && other !== member.base) return error('', 'choice', name);
        chosen[member.choice] = member.base;
      }
      member.validate ??= compile(member.schema);
      const value = data[name];
      if (member.list) {
        const found = listFault(member, member.validate, name, value);
        if (found !== undefined) return found;
        if (member.nullable) paired ||= name !== member.base || (value as readonly unknown[]).includes(null);
      } else if (!member.validate(value)) return below(`/${name}`, member.validate);
    }
    // `minProperties` of JSON Schema would make a list of the names to count them.
    if (empty) return error('', 'minProperties', '');
    if (present !== complete) {
      return error('', 'required', required.find((_, index) => (present & (1 << index)) === 0) ?? '');
    }
    if (!paired) return undefined;
    const wrong = pairs.find((name) => !isPaired(data[name], data[`_${name}`]));
    return wrong === undefined ? undefined : error('', 'pair', wrong);
  };
}

function listFault(
  member: Member,
  validate: ValidateFunction,
  name: string,
  value: unknown,
): Found | undefined {
  if (!Array.isArray(value)) return error(`/${name}`, 'type', '');
  const { length } = value;
  if (length === 0) return error(`/${name}`, 'minItems', '');
  for (let index = 0; index < length; index += 1) {
    const item: unknown = value[index];
    if (item === null && member.nullable) continue;
    if (!validate(item)) return below(`/${name}/${index}`, validate);
  }
  return undefined;
}

function below(place: string, validate: ValidateFunction): Found {
  const [first] = validate.errors ?? [];
  return {
    ...first,
    keyword: first?.keyword ?? 'schema',
    instancePath: place + (first?.instancePath ?? ''),
  };
}

/** Where one has null the other has something; lists of different length belong to nothing. */
function isPaired(values: unknown, siblings: unknown): boolean {
  if (siblings === undefined)
    return values === undefined || (Array.isArray(values) && !values.includes(null));
  if (!Array.isArray(siblings)) return false;
  if (values === undefined) return !siblings.includes(null);
  if (!Array.isArray(values) || values.length !== siblings.length) return false;
  return values.every((value, index) => value !== null || siblings[index] !== null);
}
