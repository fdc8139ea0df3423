import { type CostPlan, TASKS } from './cost/rounds.ts';
import type { SchemaName } from './schemas/load.ts';
import type { Engine } from './servers.ts';

/** A server as one proof wants it. */
export interface ServerKind {
  readonly engine: Engine;
  readonly title: string;
  readonly extra: readonly string[];
  /** MySQL's own layer does the cascades and fires triggers. */
  readonly cascadesAbove?: boolean;
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

/**
 * The same layer, but it fires the children's own triggers, which then record what it really did. Not in a
 * DELETE from two tables; and when sessions wait for each other it calls undone statements done, so one
 * session writes alone.
 */
export const MYSQL_TRIGGERS: ServerKind = {
  engine: 'mysql',
  title: 'MySQL, cascades fire triggers',
  extra: ['--enable-cascade-triggers=ON'],
  cascadesAbove: true,
};

/** One schema on one server, written to at random and rebuilt. */
export interface Proof {
  readonly server: ServerKind;
  readonly schema: SchemaName;
  readonly statements: number;
  /** How many connections write at the same time. */
  readonly sessions: number;
  readonly events: number;
  /** False where the server itself does not do what it says it does: then the figures are only shown. */
  readonly promised: boolean;
}

export interface Plan {
  readonly proofs: readonly Proof[];
  readonly cost: CostPlan;
}

/** What the project promises to have been tried. */
export const STATEMENTS_FLOOR = 20_000;

export function planFor(short: boolean): Plan {
  const statements = short ? 400 : STATEMENTS_FLOOR;
  const proof = (server: ServerKind, schema: SchemaName, promised = true): Proof => ({
    server,
    schema,
    statements,
    sessions: server.cascadesAbove === true ? 1 : 3,
    events: short ? 0 : 10,
    promised,
  });
  const both = [
    proof(MARIADB, 'openemr'),
    proof(MARIADB, 'demo'),
    proof(MYSQL, 'openemr'),
    proof(MYSQL_NATIVE, 'demo'),
  ];
  return {
    proofs: short
      ? both
      : [
          ...both,
          proof(MARIADB, 'awkward'),
          proof(MYSQL_NATIVE, 'awkward'),
          proof(MYSQL_TRIGGERS, 'demo'),
          proof(MYSQL_TRIGGERS, 'awkward'),
          proof(MYSQL, 'demo', false),
        ],
    cost: short
      ? { tasks: ['insert', 'update', 'bulk'], rounds: 3, inserts: 150, updates: 150, versioned: false }
      : { tasks: TASKS, rounds: 11, inserts: 400, updates: 400, versioned: true },
  };
}
