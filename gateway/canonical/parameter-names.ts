/** Names that no server folds into another one: nothing to cut, to replace or to lower. */
const PLAIN_NAME = /^[a-z0-9_:$@~-]*$/;

/**
 * The one name that PHP, ASP.NET and others may make of a parameter's: leading white space and whatever begins with a
 * bracket cut off, dots and spaces as underscores, in lower case.
 */
export function folded(name: string): string {
  if (PLAIN_NAME.test(name)) return name;
  const bare = name.trimStart();
  // PHP keeps a bracket at the very beginning as an underscore.
  const cut = bare.indexOf('[', 1);
  return (cut < 0 ? bare : bare.slice(0, cut)).replace(/[. [\]]/g, '_').toLowerCase();
}
