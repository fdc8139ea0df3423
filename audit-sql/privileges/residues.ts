/** Something that a write-only account still learns, and what can be done about it. */
export interface ReadResidue {
  readonly code: string;
  /** What is learnt; never a stored value. */
  readonly learns: string;
  readonly remedy: string;
}

/**
 * What an account with INSERT alone still learns, as seen on real MariaDB and MySQL servers by
 * `test/audit-sql/write-only.test.ts`. Each lets somebody check a guess or count; none shows a stored value
 * that was not guessed first.
 */
export const READ_RESIDUES: readonly ReadResidue[] = Object.freeze([
  {
    code: 'unique-key',
    learns:
      'Whether a value is in a unique key already: inserting it again fails, and INSERT IGNORE adds no row.',
    remedy:
      'Use random values of 128 bits where uniqueness matters, and primary keys that are not sent by clients.',
  },
  {
    code: 'foreign-key',
    learns:
      'Whether a referenced row is there, such as a patient with a certain number: inserting a child succeeds.',
    remedy:
      'Use references that cannot be guessed, or leave the reference to a later step done by another account.',
  },
  {
    code: 'auto-increment',
    learns:
      'How many rows were ever inserted: the number of its own new row, and AUTO_INCREMENT of the table.',
    remedy: 'Nothing in the database; it is a count, of no row in particular.',
  },
  {
    code: 'table-statistics',
    learns: 'About how many rows a table has, how large it is, and how many different values an index has.',
    remedy: 'Nothing in the database: whoever may insert may see SHOW TABLE STATUS and SHOW INDEX.',
  },
  {
    code: 'own-sessions',
    learns:
      'The statements that other sessions of the same account are running at that moment, values included: SHOW PROCESSLIST.',
    remedy:
      'Give each clinic an account of its own. On MariaDB, prepared statements show no values; on MySQL they do.',
  },
  {
    code: 'server-counters',
    learns: 'How many statements of each kind the whole server runs: SHOW GLOBAL STATUS.',
    remedy: 'Nothing in the database; it is a count, of no table in particular.',
  },
]);
