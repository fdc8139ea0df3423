import type { SchemaName } from './schemas/load.ts';
import type { Engine } from './servers.ts';

/** A server as one proof wants it. */
export interface ServerKind {
  readonly engine: Engine;
  readonly title: string;
  readonly extra: readonly string[];
}

export const MARIADB: ServerKind = { engine: 'mariadb', title: 'MariaDB', extra: [] };
export const MYSQL: ServerKind = { engine: 'mysql', title: 'MySQL', extra: [] };
/**
 * From 9.6 on MySQL does foreign keys above InnoDB unless told otherwise, and that layer does not always do
 * what it should, with or without an audit (`plan` itemises it). Here InnoDB does them, as everywhere else.
 */
export const MYSQL_NATIVE: ServerKind = {
  engine: 'mysql',
  title: 'MySQL, InnoDB foreign keys',
  extra: ['--innodb-native-foreign-keys=ON'],
};

/** One schema on one server, written to at random and rebuilt. */
export interface Proof {
  readonly server: ServerKind;
  readonly schema: SchemaName;
  readonly statements: number;
  /** How many connections write at the same time. */
  readonly sessions: number;
  readonly events: number;
}

export interface Plan {
  readonly proofs: readonly Proof[];
  readonly cost: { readonly rounds: number; readonly inserts: number; readonly updates: number };
}

/** What the project promises to have been tried. */
export const STATEMENTS_FLOOR = 20_000;

export function planFor(short: boolean): Plan {
  const statements = short ? 600 : STATEMENTS_FLOOR;
  const proof = (server: ServerKind, schema: SchemaName): Proof => ({
    server,
    schema,
    statements,
    sessions: 3,
    events: short ? 0 : 10,
  });
  const both = [
    proof(MARIADB, 'openemr'),
    proof(MARIADB, 'demo'),
    proof(MYSQL, 'openemr'),
    proof(MYSQL_NATIVE, 'demo'),
  ];
  return {
    proofs: short ? both : [...both, proof(MARIADB, 'awkward'), proof(MYSQL_NATIVE, 'awkward')],
    cost: short ? { rounds: 2, inserts: 80, updates: 80 } : { rounds: 9, inserts: 300, updates: 300 },
  };
}
