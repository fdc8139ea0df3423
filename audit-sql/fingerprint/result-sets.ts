/**
 * What a call of the snapshot procedure returns: one result set each, in this order. The procedure's
 * writer and its reader both take the order from here; `GUARD_FORMAT` changes with any of it.
 */
export const RESULT_SETS = [
  'meta',
  'triggers',
  'tables',
  'columns',
  'views',
  'foreignKeys',
  'routines',
  'events',
  'accounts',
  'grants',
  'roles',
  'settings',
  'extensions',
  'instatements',
] as const;
export type ResultSet = (typeof RESULT_SETS)[number];

/**
 * Columns of the result set `triggers`. With texts that one is empty, and the same rows come one by one after
 * all result sets, each behind the word TRIGGER and in front of its text.
 */
export const TRIGGER_COLUMNS = [
  'schema',
  'name',
  'tableSchema',
  'table',
  'timing',
  'event',
  'order',
  'definer',
  'sqlMode',
  'characterSetClient',
  'collationConnection',
  'databaseCollation',
  'shown',
] as const;

export const GUARD_FORMAT = 'chartgate-guard/3';
