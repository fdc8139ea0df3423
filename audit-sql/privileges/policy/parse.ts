import { ChartgateError } from '../../../contracts/errors.ts';
import { type Account, parseAccount, sameAccount } from '../../names.ts';
import { Faults, type Place, readDocument } from './document.ts';
import { type Globs, globFault } from './glob.ts';
import { DEFAULT_POLICY } from './presets.ts';
import {
  type ColumnChoice,
  type PolicyRole,
  type PrivilegePolicy,
  ROW_PRIVILEGES,
  type RowPrivilege,
  type Switch,
  type TableRule,
} from './types.ts';

const TOP_KEYS = ['version', 'administrators', 'accepted', 'otherSchemas', 'roles'] as const;
const GRANT_KEYS = ['schema', 'tables', 'execute', 'lockTables', 'temporaryTables', 'guard'] as const;
const ROLE_KEYS = ['name', 'description', 'prefix', 'accounts', 'preset', ...GRANT_KEYS] as const;
const RULE_KEYS = ['tables', 'views', 'select', 'insert', 'update', 'delete'] as const;
/** A shorter prefix would take half of all users. */
const SHORTEST_PREFIX = 3;

type Grants = Pick<PolicyRole, (typeof GRANT_KEYS)[number]>;

export function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    for (const part of Object.values(value)) deepFreeze(part);
  }
  return value;
}

function account(place: Place): Account[] {
  const text = place.text('an account, user@host');
  if (text === undefined) return [];
  // Without its host a name would stand for user@% alone, which is seldom what was meant.
  if (!text.includes('@')) {
    place.fault(`an account is written user@host; "${text}" has no host`);
    return [];
  }
  try {
    return [parseAccount(text)];
  } catch (error) {
    place.fault(error instanceof ChartgateError ? error.message : 'not an account');
    return [];
  }
}

function accounts(place: Place | undefined): Account[] {
  const found: Account[] = [];
  for (const item of place?.list() ?? []) {
    for (const one of account(item)) {
      if (found.some((other) => sameAccount(other, one))) item.fault('this account stands here twice');
      else found.push(one);
    }
  }
  return found;
}

function globs(place: Place): Globs {
  const patterns = place.texts('a pattern such as "prescription*"');
  const fault = place.isList && patterns.length === 0 ? 'the list is empty' : globFault(patterns);
  if (place.isList && fault !== undefined) place.fault(fault);
  return { patterns };
}

/** true, false, or patterns of columns. */
function columns(place: Place): ColumnChoice | undefined {
  if (place.isList) return globs(place);
  const value = place.scalar();
  if (value === true) return 'all';
  if (value !== false) place.fault('must be true, false, or a list of patterns of columns');
  return undefined;
}

function tableRule(place: Place): TableRule | undefined {
  const parts = place.map(RULE_KEYS);
  if (parts === undefined) return undefined;
  if (parts.tables === undefined && parts.views === undefined) {
    place.fault('must name "tables" or "views"');
  }
  const chosen: Partial<Record<'SELECT' | 'INSERT' | 'UPDATE', ColumnChoice>> = {};
  for (const [privilege, part] of [
    ['SELECT', parts.select],
    ['INSERT', parts.insert],
    ['UPDATE', parts.update],
  ] as const) {
    const choice = part && columns(part);
    if (choice !== undefined) chosen[privilege] = choice;
  }
  const remove = parts.delete?.boolean() === true;
  if (Object.keys(chosen).length === 0 && !remove) {
    place.fault('grants nothing; set select, insert, update or delete');
  }
  return {
    tables: parts.tables && globs(parts.tables),
    views: parts.views && globs(parts.views),
    columns: chosen,
    delete: remove,
  };
}

function onOff(place: Place | undefined): Switch {
  if (place === undefined) return 'no';
  const value = place.scalar();
  if (value === 'keep') return 'keep';
  if (typeof value !== 'boolean') place.fault('must be true, false or keep');
  return value === true ? 'yes' : 'no';
}

function execute(place: Place | undefined): PolicyRole['execute'] {
  if (place === undefined) return 'none';
  if (place.isList) return globs(place);
  const value = place.scalar();
  if (value === 'all' || value === 'keep' || value === 'none') return value;
  place.fault('must be all, keep, none, or a list of patterns of routines');
  return 'none';
}

function schemaPrivileges(place: Place | undefined): RowPrivilege[] {
  const found = new Set<RowPrivilege>();
  for (const item of place?.list() ?? []) {
    const word = item.text('one of select, insert, update, delete');
    const privilege = ROW_PRIVILEGES.find((p) => p.toLowerCase() === word?.toLowerCase());
    if (privilege !== undefined) found.add(privilege);
    else if (word !== undefined) item.fault('must be one of select, insert, update, delete');
  }
  return ROW_PRIVILEGES.filter((p) => found.has(p));
}

function grants(parts: Partial<Record<(typeof ROLE_KEYS)[number], Place>>): Grants {
  return {
    schema: schemaPrivileges(parts.schema),
    tables: (parts.tables?.list() ?? []).flatMap((item) => tableRule(item) ?? []),
    execute: execute(parts.execute),
    lockTables: onOff(parts.lockTables),
    temporaryTables: onOff(parts.temporaryTables),
    guard: parts.guard?.boolean() === true,
  };
}

function prefixes(place: Place | undefined): string[] {
  if (place === undefined) return [];
  const places = place.isList ? place.list() : [place];
  return places.flatMap((item) => {
    const prefix = item.text('the beginning of a user name, such as "pharmacist_"');
    if (prefix !== undefined && [...prefix].length < SHORTEST_PREFIX) {
      item.fault(
        `a prefix has at least ${SHORTEST_PREFIX} characters; "${prefix}" would take too many users`,
      );
    }
    return prefix ?? [];
  });
}

function role(place: Place, presets: ReadonlyMap<string, PolicyRole> | undefined): PolicyRole | undefined {
  const parts = place.map(ROLE_KEYS, ['name']);
  if (parts === undefined) return undefined;
  const name = parts.name?.text('the name of the role') ?? '';
  const begins = prefixes(parts.prefix);
  const named = accounts(parts.accounts);
  if (presets !== undefined && parts.prefix === undefined && named.length === 0) {
    place.fault('nobody can have this role; give it a "prefix" or "accounts"');
  }
  let granted = grants(parts);
  let description = parts.description?.text() ?? '';
  if (parts.preset !== undefined) {
    const wanted = parts.preset.text('the name of a preset');
    const preset = wanted === undefined ? undefined : presets?.get(wanted);
    if (preset !== undefined) {
      granted = { ...preset };
      description ||= preset.description;
    } else if (wanted !== undefined) {
      parts.preset.fault(`unknown preset; there are ${[...(presets?.keys() ?? [])].join(', ')}`);
    }
    for (const key of GRANT_KEYS) {
      parts[key]?.fault(`"${key}" cannot stand beside "preset": a preset says all that is granted`);
    }
  } else if (GRANT_KEYS.every((key) => parts[key] === undefined)) {
    place.fault(`grants nothing; set one of preset, ${GRANT_KEYS.join(', ')}`);
  }
  return {
    name,
    description,
    prefixes: begins,
    accounts: named,
    schema: granted.schema,
    tables: granted.tables,
    execute: granted.execute,
    lockTables: granted.lockTables,
    temporaryTables: granted.temporaryTables,
    guard: granted.guard,
  };
}

/** One user could have two of the roles, or an account stands in two lists. */
function refuseAmbiguity(roles: readonly (readonly [PolicyRole, Place])[], parts: Named): void {
  const seen: { readonly role: PolicyRole; readonly line: number }[] = [];
  for (const [one, place] of roles) {
    for (const { role: other, line } of seen) {
      if (other.name === one.name) place.fault(`the role "${one.name}" is defined on line ${line} already`);
      for (const prefix of one.prefixes) {
        const clash = other.prefixes.find((p) => p.startsWith(prefix) || prefix.startsWith(p));
        if (clash === undefined) continue;
        place.fault(
          `users could match the prefix "${prefix}" and also "${clash}" of the role "${other.name}" on line ${line}`,
        );
      }
      for (const named of one.accounts) {
        if (other.accounts.some((a) => sameAccount(a, named))) {
          place.fault(
            `the account ${named.user}@${named.host} has the role "${other.name}" on line ${line} already`,
          );
        }
      }
    }
    seen.push({ role: one, line: place.line });
    for (const [key, list] of Object.entries(parts)) {
      for (const named of one.accounts) {
        if (list.some((a) => sameAccount(a, named))) {
          place.fault(`the account ${named.user}@${named.host} stands under "${key}" too`);
        }
      }
    }
  }
}

type Named = Readonly<Record<'administrators' | 'accepted', readonly Account[]>>;

function parse(
  content: Uint8Array,
  source: string,
  presets: ReadonlyMap<string, PolicyRole> | undefined,
): PrivilegePolicy {
  const faults = new Faults(source);
  const root = readDocument(content, faults);
  faults.refuse();
  const parts = root?.map(TOP_KEYS, ['version', 'roles']);
  if (parts?.version !== undefined && parts.version.scalar() !== 1) {
    parts.version.fault('must be 1, the only version there is');
  }
  const named: Named = {
    administrators: accounts(parts?.administrators),
    accepted: accounts(parts?.accepted),
  };
  for (const both of named.accepted) {
    if (named.administrators.some((a) => sameAccount(a, both))) {
      parts?.accepted?.fault(`the account ${both.user}@${both.host} stands under "administrators" too`);
    }
  }
  const roles = (parts?.roles?.list() ?? []).flatMap((place): [PolicyRole, Place][] => {
    const one = role(place, presets);
    return one === undefined ? [] : [[one, place]];
  });
  if (parts?.roles?.isList === true && parts.roles.list().length === 0)
    parts.roles.fault('the list is empty');
  refuseAmbiguity(roles, named);
  const otherSchemas = parts?.otherSchemas?.texts('the name of a schema') ?? [];
  faults.refuse();
  return deepFreeze({ source, ...named, otherSchemas, roles: roles.map(([one]) => one) });
}

/** The built-in policy. */
export const defaultPolicy: PrivilegePolicy = parse(Buffer.from(DEFAULT_POLICY), 'built-in', undefined);

/** The roles of the built-in policy, by name. */
export const PRESETS: ReadonlyMap<string, PolicyRole> = new Map(defaultPolicy.roles.map((r) => [r.name, r]));

/**
 * A policy file's bytes, YAML or JSON.
 * @param source the file as the user named it, for messages
 * @throws ConfigurationError with every fault, each with file, line and field
 */
export function parsePolicy(content: Uint8Array, source: string): PrivilegePolicy {
  return parse(content, source, PRESETS);
}
