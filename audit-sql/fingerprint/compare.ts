import type { Finding, FindingCode } from './codes.ts';
import type { Baseline, Snapshot } from './types.ts';

/** How one kind of fact is told apart, named for a person, and what its differences are called. */
interface Kind<Fact extends object> {
  readonly noun: string;
  /** Fields that say which one it is. */
  readonly identity: readonly (keyof Fact & string)[];
  readonly missing: FindingCode;
  readonly added: FindingCode;
  /** By field; `changed` for the fields not named. */
  readonly fields: Partial<Record<keyof Fact & string, FindingCode>>;
  readonly changed: FindingCode;
}

function kind<Fact extends object>(definition: Kind<Fact>): Kind<Fact> {
  return definition;
}

const TRIGGER = kind<Snapshot['triggers'][number]>({
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
});
const TABLE = kind<Snapshot['tables'][number]>({
  noun: 'table',
  identity: ['schema', 'name'],
  missing: 'table-missing',
  added: 'table-added',
  fields: { engine: 'table-engine-changed' },
  changed: 'table-changed',
});
const COLUMN = kind<Snapshot['columns'][number]>({
  noun: 'column',
  identity: ['schema', 'table', 'name'],
  missing: 'column-missing',
  added: 'column-added',
  fields: {},
  changed: 'column-changed',
});
const VIEW = kind<Snapshot['views'][number]>({
  noun: 'view',
  identity: ['schema', 'name'],
  missing: 'view-missing',
  added: 'view-added',
  fields: {},
  changed: 'view-changed',
});
const FOREIGN_KEY = kind<Snapshot['foreignKeys'][number]>({
  noun: 'foreign key',
  identity: ['schema', 'table', 'name', 'position'],
  missing: 'foreign-key-missing',
  added: 'foreign-key-added',
  fields: {},
  changed: 'foreign-key-changed',
});
const ROUTINE = kind<Snapshot['routines'][number]>({
  noun: 'routine',
  identity: ['schema', 'name', 'type'],
  missing: 'routine-missing',
  added: 'routine-added',
  fields: {},
  changed: 'routine-changed',
});
const EVENT = kind<Snapshot['events'][number]>({
  noun: 'event',
  identity: ['schema', 'name'],
  missing: 'event-missing',
  added: 'event-added',
  fields: {},
  changed: 'event-changed',
});
const GUARD = kind<Snapshot['guards'][number]>({
  noun: 'guard procedure',
  identity: ['name'],
  missing: 'guard-missing',
  added: 'guard-changed',
  fields: {},
  changed: 'guard-changed',
});
const ACCOUNT = kind<Snapshot['accounts'][number]>({
  noun: 'account',
  identity: ['user', 'host'],
  missing: 'account-missing',
  added: 'account-changed',
  fields: { locked: 'account-unlocked' },
  changed: 'account-changed',
});
const PRIVILEGE = kind<Snapshot['privileges'][number]>({
  noun: 'privilege',
  identity: ['user', 'host', 'scope', 'object', 'privilege'],
  missing: 'privilege-missing',
  added: 'privilege-added',
  fields: {},
  changed: 'privilege-added',
});

const SETTING = kind<Snapshot['settings'][number]>({
  noun: 'server setting',
  identity: ['name'],
  missing: 'setting-changed',
  added: 'setting-changed',
  fields: {},
  changed: 'setting-changed',
});

/** Facts are flat but for `object` of a privilege; JSON tells every two different values apart. */
function keyOf<Fact extends object>(fact: Fact, definition: Kind<Fact>): string {
  return JSON.stringify(definition.identity.map((field) => fact[field]));
}

function nameOf<Fact extends object>(fact: Fact, definition: Kind<Fact>): string {
  return definition.identity
    .flatMap((field) => fact[field])
    .map(String)
    .join('.');
}

function compareFacts<Fact extends object>(
  definition: Kind<Fact>,
  expected: readonly Fact[],
  found: readonly Fact[],
  report: (code: FindingCode, object: string, sentence: string) => void,
): void {
  const remaining = new Map<string, Fact>();
  for (const fact of found) {
    const key = keyOf(fact, definition);
    if (remaining.has(key)) {
      report(definition.added, nameOf(fact, definition), `The ${definition.noun} is listed twice.`);
    }
    remaining.set(key, fact);
  }
  for (const fact of expected) {
    const key = keyOf(fact, definition);
    const other = remaining.get(key);
    if (other === undefined) {
      report(
        definition.missing,
        nameOf(fact, definition),
        `The ${definition.noun} of the baseline is not there.`,
      );
      continue;
    }
    remaining.delete(key);
    compareFields(definition, fact, other, report);
  }
  for (const fact of remaining.values()) {
    report(definition.added, nameOf(fact, definition), `The ${definition.noun} is not in the baseline.`);
  }
}

function compareFields<Fact extends object>(
  definition: Kind<Fact>,
  expected: Fact,
  found: Fact,
  report: (code: FindingCode, object: string, sentence: string) => void,
): void {
  const differs = (field: keyof Fact & string): boolean => {
    const a = expected[field];
    const b = found[field];
    return a !== b && JSON.stringify(a) !== JSON.stringify(b);
  };
  const fields = Object.keys(expected) as (keyof Fact & string)[];
  // A field that only one of them has is a difference too.
  const further = (Object.keys(found) as (keyof Fact & string)[]).filter(
    (field) => !Object.hasOwn(expected, field),
  );
  for (const field of further.length === 0 ? fields : [...fields, ...further]) {
    if (!differs(field)) continue;
    report(
      definition.fields[field] ?? definition.changed,
      nameOf(expected, definition),
      `The ${definition.noun}'s ${words(field)} is not the baseline's.`,
    );
  }
}

/** `sqlMode` → `SQL mode`. */
function words(field: string): string {
  return field.replace(/[A-Z]/g, (c) => ` ${c.toLowerCase()}`).replace(/^sql /, 'SQL ');
}

/**
 * Everything in which `snapshot` differs from the approved one. Pure. Empty only if all is equal; a
 * snapshot in which nothing is visible therefore yields a finding for every trigger.
 */
export function compareSnapshot(baseline: Baseline, snapshot: Snapshot): readonly Finding[] {
  const expected = baseline.snapshot;
  const findings: Finding[] = [];
  const report = (code: FindingCode, object: string, sentence: string): void => {
    findings.push({ code, object, sentence });
  };
  if (expected.emrSchema !== snapshot.emrSchema || expected.auditSchema !== snapshot.auditSchema) {
    report('schema-mismatch', snapshot.emrSchema, 'The baseline was taken of other schemas.');
  }
  if (expected.engine !== snapshot.engine) {
    report(
      'engine-changed',
      snapshot.engine,
      'The database engine is not the one the baseline was taken of.',
    );
  }
  compareInstatement(expected, snapshot, report);
  compareFacts(TRIGGER, expected.triggers, snapshot.triggers, report);
  compareFacts(TABLE, expected.tables, snapshot.tables, report);
  compareFacts(COLUMN, expected.columns, snapshot.columns, report);
  compareFacts(VIEW, expected.views, snapshot.views, report);
  compareFacts(FOREIGN_KEY, expected.foreignKeys, snapshot.foreignKeys, report);
  compareFacts(ROUTINE, expected.routines, snapshot.routines, report);
  compareFacts(EVENT, expected.events, snapshot.events, report);
  compareFacts(GUARD, expected.guards, snapshot.guards, report);
  compareFacts(ACCOUNT, expected.accounts, snapshot.accounts, report);
  compareFacts(PRIVILEGE, expected.privileges, snapshot.privileges, report);
  compareFacts(SETTING, expected.settings, snapshot.settings, report);
  return findings;
}

function compareInstatement(
  expected: Snapshot,
  snapshot: Snapshot,
  report: (code: FindingCode, object: string, sentence: string) => void,
): void {
  const object = 'audit_instatement_log';
  const last = snapshot.instatement;
  if (last?.action !== 'start') {
    report(
      'audit-not-started',
      object,
      'The last entry of the instatement log does not say that auditing was started.',
    );
  }
  if (last === undefined || last.id < (expected.instatement?.id ?? 0)) {
    report(
      'audit-log-rewound',
      object,
      'The instatement log lacks entries that it had when the baseline was taken.',
    );
  }
  if (last !== undefined && last.schemaDigest !== expected.instatement?.schemaDigest) {
    report('audit-schema-digest-changed', object, 'Auditing was last started for tables of another shape.');
  }
}
