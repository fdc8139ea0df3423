import { READ_RESIDUES } from './residues.ts';
import type { AccountPlan, GrantObjects, TellingKey } from './types.ts';

/** Tables of the schema that an account may insert into and may not read at all. */
export function writeOnlyTables({ wanted }: AccountPlan, schema: string): string[] {
  const readsAll = wanted.some((grant) => grant.scope === 'schema' && grant.privilege === 'SELECT');
  if (readsAll) return [];
  const on = (privilege: string): Set<string> =>
    new Set(
      wanted
        .filter(
          ({ scope, object, privilege: held }) =>
            (scope === 'table' || scope === 'column') && object[0] === schema && held === privilege,
        )
        .map(({ object }) => object[1] ?? ''),
    );
  const read = on('SELECT');
  return [...on('INSERT')].filter((table) => !read.has(table));
}

function keyText({ table, kind, columns, references }: TellingKey): string {
  const on = `${table} (${columns.join(', ')})`;
  return kind === 'unique' ? `unique key of ${on}` : `foreign key of ${on} to ${String(references)}`;
}

/**
 * What a write-only account still learns in this schema, by name of key.
 * @returns undefined when the account is not write-only on any table
 */
export function writeOnlyText(plan: AccountPlan, objects: GrantObjects, schema: string): string | undefined {
  const tables = writeOnlyTables(plan, schema);
  if (tables.length === 0) return undefined;
  const keys = objects.keys.filter((key) => tables.includes(key.table)).map(keyText);
  const others = READ_RESIDUES.filter((one) => !['unique-key', 'foreign-key'].includes(one.code));
  return (
    `It writes ${tables.join(', ')} and reads nothing of it.` +
    (keys.length === 0 ? '' : ` Errors tell it whether a value is there already: ${keys.join('; ')}.`) +
    ` What else it learns (docs/least-privilege.md): ${others.map((one) => one.code).join(', ')}.`
  );
}
