/** Names that no server folds into another one: nothing to cut, to replace or to lower. */
const PLAIN_NAME = /^[a-z0-9_:$@~-]*$/;

/**
 * The one name that PHP, ASP.NET and others may make of a parameter's: leading white space and whatever begins with a
 * bracket cut off, dots and spaces as underscores, in lower case. A bracket that nothing closes begins no list for PHP:
 * `a[b` is `a_b`.
 */
export function folded(name: string): string {
  if (PLAIN_NAME.test(name)) return name;
  const bare = name.trimStart();
  const open = openingBracket(bare);
  return underscored(open > 0 && closes(bare, open) ? bare.slice(0, open) : bare);
}

/** Whether PHP reads an element of a list: `a[]`, `a[b]`. */
export function isListName(name: string): boolean {
  if (!name.includes('[')) return false;
  const bare = name.trimStart();
  const open = openingBracket(bare);
  return open > 0 && closes(bare, open);
}

/**
 * What others (Rack) make of a name with a bracket that nothing closes: they cut it off all the same. Undefined: every
 * other name, of which `folded` says all.
 */
export function foldedAtOpenBracket(name: string): string | undefined {
  if (!name.includes('[')) return undefined;
  const bare = name.trimStart();
  const open = openingBracket(bare);
  return open > 0 && !closes(bare, open) ? underscored(bare.slice(0, open)) : undefined;
}

/** PHP keeps a bracket at the very beginning as an underscore. */
function openingBracket(bare: string): number {
  return bare.indexOf('[', 1);
}

function closes(bare: string, open: number): boolean {
  return bare.indexOf(']', open) > 0;
}

function underscored(name: string): string {
  return name.replace(/[. [\]]/g, '_').toLowerCase();
}
