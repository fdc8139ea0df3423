import type { ServerDescription } from '../dialect.ts';
import type { Script } from '../writers/script.ts';
import type { Target } from './held.ts';

/** A privilege that a script takes. */
export interface Need {
  /** One of these is enough; the first is the one to ask for. */
  readonly anyOf: readonly string[];
  readonly target: Target;
  /** It is granted on to another account, or taken from one. */
  readonly grantable: boolean;
}

const QUOTED = '`((?:[^`]|``)*)`';
const PLAIN_OR_QUOTED = `(?:\`((?:[^\`]|\`\`)*)\`|(\\w+))`;

const name = (text: string | undefined): string => (text ?? '').replaceAll('``', '`');
/** The schema part of GRANT, where a backslash makes `_` and `%` plain. */
const plain = (pattern: string): string => pattern.replace(/\\([_%])/g, '$1');

/** May make things that run as another account. */
function definerOf(server: ServerDescription): readonly string[] {
  if (server.engine === 'mariadb') {
    // From 11.0 on SUPER no longer includes it.
    return server.major >= 11 ? ['SET USER'] : ['SET USER', 'SUPER'];
  }
  if (server.major < 8) return ['SUPER'];
  const old = server.major === 8 && server.minor < 2;
  return [old ? 'SET_USER_ID' : 'SET_ANY_DEFINER', 'SUPER'];
}

type Rule = readonly [pattern: RegExp, needs: (found: RegExpExecArray, server: ServerDescription) => Need[]];

const on = (schema: string | undefined, ...privileges: string[]): Need[] =>
  privileges.map((privilege) => ({
    anyOf: [privilege],
    target: schema === undefined ? {} : { schema },
    grantable: false,
  }));
const asDefiner = (server: ServerDescription): Need => ({
  anyOf: definerOf(server),
  target: {},
  grantable: false,
});

/**
 * MySQL refuses CREATE USER, IF NOT EXISTS or not, for an account that something names as its definer, even
 * when the account is there (ER_CANNOT_USER_REFERENCED_AS_DEFINER): that is so from the second start on.
 */
function asNamesake(server: ServerDescription): Need[] {
  if (server.engine === 'mariadb' || server.major < 8) return [];
  const old = server.major === 8 && server.minor < 2;
  return [
    { anyOf: [old ? 'SET_USER_ID' : 'ALLOW_NONEXISTENT_DEFINER', 'SUPER'], target: {}, grantable: false },
  ];
}

/** By how the writers of this part begin their statements; session settings and the like need nothing. */
const RULES: readonly Rule[] = [
  [new RegExp(`^CREATE DATABASE (?:IF NOT EXISTS )?${QUOTED}`), (found) => on(name(found[1]), 'CREATE')],
  [new RegExp(`^CREATE TABLE (?:IF NOT EXISTS )?${QUOTED}\\.`), (found) => on(name(found[1]), 'CREATE')],
  [new RegExp(`^ALTER TABLE ${QUOTED}\\.`), (found) => on(name(found[1]), 'ALTER')],
  [/^CREATE USER /, (_, server) => [...on(undefined, 'CREATE USER'), ...asNamesake(server)]],
  [/^(ALTER|DROP) USER |^SET DEFAULT ROLE /, () => on(undefined, 'CREATE USER')],
  [
    new RegExp(
      `^CREATE (?:OR REPLACE )?[^\`]*?DEFINER = \\S+\\s+(?:SQL SECURITY \\w+\\s+)?VIEW ${QUOTED}\\.`,
    ),
    (found, server) => [...on(name(found[1]), 'CREATE VIEW', 'DROP', 'SELECT'), asDefiner(server)],
  ],
  [
    new RegExp(`^CREATE (?:OR REPLACE )?DEFINER = \\S+\\s+TRIGGER ${QUOTED}\\.`),
    (found, server) => [...on(name(found[1]), 'TRIGGER'), asDefiner(server)],
  ],
  [new RegExp(`^DROP TRIGGER (?:IF EXISTS )?${QUOTED}\\.`), (found) => on(name(found[1]), 'TRIGGER')],
  [
    new RegExp(`^CREATE (?:OR REPLACE )?DEFINER = \\S+\\s+PROCEDURE ${QUOTED}\\.`),
    (found, server) => [...on(name(found[1]), 'CREATE ROUTINE', 'ALTER ROUTINE'), asDefiner(server)],
  ],
  [new RegExp(`^DROP PROCEDURE (?:IF EXISTS )?${QUOTED}\\.`), (found) => on(name(found[1]), 'ALTER ROUTINE')],
  [
    new RegExp(`^LOCK TABLES ${QUOTED}\\.${QUOTED} WRITE`),
    (found) => on(name(found[1]), 'LOCK TABLES', 'SELECT'),
  ],
  [new RegExp(`^INSERT INTO ${QUOTED}\\.`), (found) => on(name(found[1]), 'INSERT')],
];

const GRANT = new RegExp(
  `^(?:GRANT|REVOKE) (.+?) ON (?:(?:TABLE|PROCEDURE|FUNCTION) )?(?:(\\*\\.\\*)|${PLAIN_OR_QUOTED}\\.(?:(\\*)|${PLAIN_OR_QUOTED})) (?:TO|FROM) `,
  's',
);
const COLUMNS = /\((?:[^()`]|`(?:[^`]|``)*`)*\)/g;

function ofGrant(sql: string): Need[] {
  const found = GRANT.exec(sql.replace(COLUMNS, ''));
  // REVOKE ALL PRIVILEGES, GRANT OPTION FROM … and roles: for whoever may make and drop accounts.
  if (found === null) return /^(GRANT|REVOKE) /.test(sql) ? on(undefined, 'CREATE USER') : [];
  const [, list = '', everywhere, quotedSchema, plainSchema, everything, quotedObject, plainObject] = found;
  const schema = plain(name(quotedSchema ?? plainSchema));
  const object = everything === undefined ? name(quotedObject ?? plainObject) : undefined;
  const target: Target =
    everywhere !== undefined ? {} : object === undefined ? { schema } : { schema, object };
  return list
    .split(',')
    .map((privilege) => privilege.trim().toUpperCase())
    .filter((privilege) => privilege !== 'GRANT OPTION' && !privilege.startsWith('ALL'))
    .map((privilege) => ({ anyOf: [privilege], target, grantable: true }));
}

/** Everything a script takes, each once, in the order in which it comes up. Pure. */
export function needsOf(script: Script, server: ServerDescription): readonly Need[] {
  const needs = new Map<string, Need>();
  for (const { sql } of script.statements) {
    const rule = RULES.map(([pattern, make]) => ({ found: pattern.exec(sql), make })).find(
      ({ found }) => found !== null,
    );
    const found = rule?.found ?? null;
    for (const need of found !== null && rule !== undefined ? rule.make(found, server) : ofGrant(sql)) {
      needs.set(JSON.stringify(need), need);
    }
  }
  return [...needs.values()];
}

/** Whether a script makes triggers: with a binary log, servers ask for more then. */
export function makesTriggers(script: Script): boolean {
  return script.statements.some(({ sql }) => /^CREATE [^(]*?\bTRIGGER `/.test(sql));
}
