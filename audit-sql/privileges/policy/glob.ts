/**
 * Patterns over names: `*` stands for any run of characters, `?` for one, `\` takes the next character
 * as it is; a leading `!` excludes. A name is meant when one pattern takes it and none excludes it.
 */
export interface Globs {
  /** As written. */
  readonly patterns: readonly string[];
}

/** Why a list of patterns cannot be used, or undefined. */
export function globFault(patterns: readonly string[]): string | undefined {
  if (patterns.every((pattern) => pattern.startsWith('!'))) {
    return 'at least one pattern must not begin with "!": an exclusion alone takes nothing';
  }
  for (const pattern of patterns) {
    const body = pattern.startsWith('!') ? pattern.slice(1) : pattern;
    if (body === '') return 'a pattern is empty; "*" takes every name';
    if (/(^|[^\\])(\\\\)*\\$/.test(body)) return `the pattern "${pattern}" ends in a lone backslash`;
    if (body.includes('\0')) return 'a pattern holds the character NUL';
  }
  return undefined;
}

function expression(pattern: string, ignoreCase: boolean): RegExp {
  let source = '';
  const characters = [...pattern];
  for (let i = 0; i < characters.length; i++) {
    const character = characters[i] ?? '';
    if (character === '*') source += '.*';
    else if (character === '?') source += '.';
    else {
      const literal = character === '\\' ? (characters[++i] ?? '') : character;
      source += literal.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&');
    }
  }
  return new RegExp(`^${source}$`, ignoreCase ? 'siu' : 'su');
}

/** Says which names are meant. Names of tables count by case, names of columns do not, as in SQL. */
export function matcher(
  globs: Globs,
  options: { readonly ignoreCase?: boolean } = {},
): (name: string) => boolean {
  const ignoreCase = options.ignoreCase === true;
  const taken = globs.patterns.filter((p) => !p.startsWith('!')).map((p) => expression(p, ignoreCase));
  const excluded = globs.patterns
    .filter((p) => p.startsWith('!'))
    .map((p) => expression(p.slice(1), ignoreCase));
  return (name) => taken.some((e) => e.test(name)) && !excluded.some((e) => e.test(name));
}
