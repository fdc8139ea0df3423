import type { FindingCode } from './codes.ts';
import type { Snapshot } from './types.ts';

/** The lists of a snapshot whose members are compared one by one. */
export type FactList = Exclude<
  { [Name in keyof Snapshot]: Snapshot[Name] extends readonly object[] ? Name : never }[keyof Snapshot],
  'history'
>;

export type FactOf<List extends FactList> = Snapshot[List][number];

/** How one kind of fact is told apart, named for a person, and what its differences are called. */
export interface Kind<Fact extends object> {
  readonly noun: string;
  /** Fields that say which one it is. */
  readonly identity: readonly (keyof Fact & string)[];
  readonly missing: FindingCode;
  readonly added: FindingCode;
  /** By field; `changed` for the fields not named. */
  readonly fields: Partial<Record<keyof Fact & string, FindingCode>>;
  readonly changed: FindingCode;
}

/** Everything that is compared, in the order in which differences are reported. */
export const KINDS: { readonly [List in FactList]: Kind<FactOf<List>> } = {
  triggers: {
    noun: 'trigger',
    identity: ['schema', 'name'],
    missing: 'trigger-missing',
    added: 'trigger-added',
    fields: {
      body: 'trigger-body-changed',
      definer: 'trigger-definer-changed',
      sqlMode: 'trigger-sql-mode-changed',
      tableSchema: 'trigger-table-changed',
      table: 'trigger-table-changed',
      order: 'trigger-order-changed',
      characterSetClient: 'trigger-character-set-changed',
      collationConnection: 'trigger-character-set-changed',
      databaseCollation: 'trigger-character-set-changed',
    },
    changed: 'trigger-timing-changed',
  },
  tables: {
    noun: 'table',
    identity: ['schema', 'name'],
    missing: 'table-missing',
    added: 'table-added',
    fields: { engine: 'table-engine-changed' },
    changed: 'table-changed',
  },
  columns: {
    noun: 'column',
    identity: ['schema', 'table', 'name'],
    missing: 'column-missing',
    added: 'column-added',
    fields: {},
    changed: 'column-changed',
  },
  views: {
    noun: 'view',
    identity: ['schema', 'name'],
    missing: 'view-missing',
    added: 'view-added',
    fields: {},
    changed: 'view-changed',
  },
  foreignKeys: {
    noun: 'foreign key',
    identity: ['schema', 'table', 'name', 'position'],
    missing: 'foreign-key-missing',
    added: 'foreign-key-added',
    fields: {},
    changed: 'foreign-key-changed',
  },
  routines: {
    noun: 'routine',
    identity: ['schema', 'name', 'type'],
    missing: 'routine-missing',
    added: 'routine-added',
    fields: {},
    changed: 'routine-changed',
  },
  events: {
    noun: 'event',
    identity: ['schema', 'name'],
    missing: 'event-missing',
    added: 'event-added',
    fields: {},
    changed: 'event-changed',
  },
  guards: {
    noun: 'guard',
    identity: ['name', 'kind'],
    missing: 'guard-missing',
    added: 'guard-changed',
    fields: {},
    changed: 'guard-changed',
  },
  accounts: {
    noun: 'account',
    identity: ['user', 'host'],
    missing: 'account-missing',
    added: 'account-changed',
    fields: { locked: 'account-unlocked' },
    changed: 'account-changed',
  },
  privileges: {
    noun: 'privilege',
    identity: ['user', 'host', 'scope', 'object', 'privilege'],
    missing: 'privilege-missing',
    added: 'privilege-added',
    fields: {},
    changed: 'privilege-added',
  },
  settings: {
    noun: 'server setting',
    identity: ['name'],
    missing: 'setting-changed',
    added: 'setting-changed',
    fields: {},
    changed: 'setting-changed',
  },
  extensions: {
    noun: 'loaded extension',
    identity: ['kind', 'name'],
    missing: 'extension-missing',
    added: 'extension-added',
    fields: {},
    changed: 'extension-changed',
  },
};

export const FACT_LISTS = Object.keys(KINDS) as readonly FactList[];

/** Facts are flat but for `object` of a privilege; JSON tells every two different values apart. */
export function keyOf<Fact extends object>(fact: Fact, kind: Kind<Fact>): string {
  return JSON.stringify(kind.identity.map((field) => fact[field]));
}

/** What a fact is called for a person. */
export function nameOf<Fact extends object>(fact: Fact, kind: Kind<Fact>): string {
  return kind.identity
    .flatMap((field) => fact[field])
    .map(String)
    .join('.');
}

/** `sqlMode` → `SQL mode`. */
export function words(field: string): string {
  return field.replace(/[A-Z]/g, (c) => ` ${c.toLowerCase()}`).replace(/^sql /, 'SQL ');
}
