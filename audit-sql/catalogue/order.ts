/** Binary order: the same on every machine, whatever its locale. */
export function byCodeUnit(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Rows by table, in their order. */
export function group<Row extends { readonly tableName: string }>(
  rows: readonly Row[],
): ReadonlyMap<string, readonly Row[]> {
  const groups = new Map<string, Row[]>();
  for (const row of rows) {
    const list = groups.get(row.tableName);
    if (list === undefined) groups.set(row.tableName, [row]);
    else list.push(row);
  }
  return groups;
}
