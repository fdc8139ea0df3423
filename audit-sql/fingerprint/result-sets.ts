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

export const GUARD_FORMAT = 'chartgate-guard/3';
