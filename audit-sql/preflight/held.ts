/** What a privilege is wanted on. Nothing given: the whole server. */
export interface Target {
  readonly schema?: string;
  /** A table, view or routine of that schema. */
  readonly object?: string;
}

/** The privileges of one session, roles that are active in it included. */
export interface Held {
  /** True when the session has the privilege on the whole of the target. */
  has(privilege: string, target: Target): boolean;
  /** True when it may also grant it to others and take it from them. */
  mayGrant(privilege: string, target: Target): boolean;
}

interface Line {
  readonly privileges: ReadonlySet<string>;
  /** The schema's pattern; undefined for the whole server. */
  readonly schema: string | undefined;
  readonly object: string | undefined;
  readonly grantOption: boolean;
  readonly revoked: boolean;
}

const QUOTED = '(?:`(?:[^`]|``)*`|"(?:[^"]|"")*")';
const COLUMNS = new RegExp(`\\((?:[^()\`"]|${QUOTED})*\\)`, 'g');
const LINE = new RegExp(
  `^(GRANT|REVOKE) (.+?) ON (?:(?:TABLE|PROCEDURE|FUNCTION|PACKAGE BODY|PACKAGE) )?(\\*|${QUOTED})\\.(\\*|${QUOTED}) (?:TO|FROM) (.*)$`,
  's',
);

function unquote(text: string): string | undefined {
  if (text === '*') return undefined;
  const quote = text[0] ?? '';
  return text.slice(1, -1).replaceAll(quote + quote, quote);
}

/** One line of SHOW GRANTS; undefined for roles, proxies, and grants on columns alone, which cover nothing whole. */
function parseLine(text: string): Line | undefined {
  const found = LINE.exec(text.replace(COLUMNS, '()'));
  if (found === null) return undefined;
  const [, verb = '', list = '', schema = '', object = '', rest = ''] = found;
  const privileges = list
    .split(',')
    .map((part) => part.trim().toUpperCase())
    .filter((part) => !part.endsWith('()') && part !== 'PROXY' && part !== 'USAGE');
  return {
    privileges: new Set(privileges),
    schema: unquote(schema),
    object: unquote(object),
    grantOption: /\bWITH GRANT OPTION\b/.test(rest) || privileges.includes('GRANT OPTION'),
    revoked: verb === 'REVOKE',
  };
}

/** GRANT's patterns: `%` and `_` are wildcards unless a backslash is before them. */
function covers(pattern: string, schema: string, literally: boolean): boolean {
  if (literally) return pattern === schema;
  const source = pattern.replace(/\\([%_\\])|[%_]|[^%_\\]+|\\/g, (part, escaped: string | undefined) => {
    if (escaped !== undefined) return escaped === '\\' ? '\\\\' : escaped;
    if (part === '%') return '.*';
    if (part === '_') return '.';
    return part.replace(/[^0-9A-Za-z\s]/g, (c) => `\\u{${(c.codePointAt(0) ?? 0).toString(16)}}`);
  });
  return new RegExp(`^${source}$`, 'su').test(schema);
}

const ALL = new Set(['ALL', 'ALL PRIVILEGES']);

/** Privileges of MySQL 8 and later that are granted by name and each with its own grant option. */
function isDynamic(privilege: string): boolean {
  return privilege.includes('_') && privilege !== 'READ_ONLY ADMIN';
}

/**
 * Reads what SHOW GRANTS says of the session.
 * @param literally MySQL's `partial_revokes` is on: patterns are names
 */
export function parseGrants(lines: readonly string[], literally: boolean): Held {
  const parsed = lines.map(parseLine).filter((line) => line !== undefined);
  const reaches = (line: Line, target: Target): boolean => {
    if (line.schema === undefined) return true;
    if (target.schema === undefined || !covers(line.schema, target.schema, literally)) return false;
    return line.object === undefined || line.object === target.object;
  };
  const taken = (privilege: string, target: Target): boolean =>
    parsed.some(
      (line) =>
        line.revoked && line.privileges.has(privilege) && line.schema !== undefined && reaches(line, target),
    );
  const names = (line: Line, privilege: string): boolean =>
    line.privileges.has(privilege) || [...line.privileges].some((one) => ALL.has(one));
  const giving = (privilege: string, target: Target): Line[] =>
    parsed.filter(
      (line) =>
        !line.revoked &&
        names(line, privilege) &&
        reaches(line, target) &&
        !(line.schema === undefined && taken(privilege, target)),
    );
  const held: Held = {
    has: (privilege, target) => giving(privilege, target).length > 0,
    mayGrant: (privilege, target) => {
      const lines = giving(privilege, target);
      if (isDynamic(privilege)) return lines.some((line) => line.grantOption);
      // A server adds up what is held on the way to the object, GRANT OPTION like the rest.
      return (
        lines.length > 0 && parsed.some((line) => !line.revoked && line.grantOption && reaches(line, target))
      );
    },
  };
  return held;
}
