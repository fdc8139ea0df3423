import type { Account } from '../names.ts';
import type { AccountPlan, GrantObjects, HistogramColumn } from './types.ts';

/** A histogram that shows values of a column to accounts that may not read it. */
export interface TellingHistogram extends HistogramColumn {
  readonly accounts: readonly Account[];
}

/**
 * MySQL shows a histogram, and in it values of the column, to whoever has any privilege on the table: INSERT
 * is enough. So one must not stand on a column that an account may write and not read.
 */
export function tellingHistograms(
  objects: GrantObjects,
  accounts: readonly AccountPlan[],
  schema: string,
): TellingHistogram[] {
  return objects.histograms.flatMap(({ table, column }) => {
    const told = accounts.filter(({ wanted }) => {
      const on = wanted.filter(
        ({ scope, object }) =>
          scope === 'schema' ||
          ((scope === 'table' || scope === 'column') && object[0] === schema && object[1] === table),
      );
      const reads = on.some(
        ({ scope, object, privilege }) =>
          privilege === 'SELECT' && (scope !== 'column' || object[2]?.toLowerCase() === column.toLowerCase()),
      );
      return on.length > 0 && !reads;
    });
    return told.length === 0 ? [] : [{ table, column, accounts: told.map(({ account }) => account) }];
  });
}
