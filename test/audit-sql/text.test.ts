import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type AuditNames,
  auditNames,
  generate,
  parseAccount,
  type SchemaModel,
  type ServerDescription,
} from '../../audit-sql/index.ts';
import { ident, literal, printable } from '../../audit-sql/names.ts';
import { protectPlan } from '../../audit-sql/privileges/index.ts';
import { triggerName } from '../../audit-sql/writers/triggers.ts';
import { CHECKER, EMR_USER } from './support.ts';

const MYSQL9: ServerDescription = {
  engine: 'mysql',
  version: '9.7.4',
  major: 9,
  minor: 7,
  partialRevokes: false,
};
const MYSQL57: ServerDescription = {
  engine: 'mysql',
  version: '5.7.44',
  major: 5,
  minor: 7,
  partialRevokes: false,
};
const MARIADB: ServerDescription = {
  engine: 'mariadb',
  version: '10.11.1',
  major: 10,
  minor: 11,
  partialRevokes: false,
};

const column = (name: string, dataType: string, characterSet?: string) => ({
  name,
  dataType,
  columnType: dataType,
  characterSet,
  nullable: true,
  generated: false,
  generation: 'none' as const,
  invisible: false,
  versioned: true,
  touched: false,
});

const MODEL: SchemaModel = {
  schema: 'old_emr',
  tables: [
    {
      name: 'patient',
      engine: 'InnoDB',
      columns: [column('id', 'int'), column('doc', 'json'), column('name', 'varchar', 'latin1')],
      key: ['id'],
      uniqueColumns: ['id'],
      foreignKeys: [],
      systemVersioned: false,
      partitioned: false,
    },
  ],
  ownTriggers: [],
  emrTriggers: [],
  foreignChildren: [],
  unaudited: [],
};

const NAMES: AuditNames = auditNames({ emrSchema: 'old_emr' });

const make = (server: ServerDescription, model = MODEL) =>
  generate(model, {
    names: NAMES,
    server,
    protect: protectPlan(
      {
        accounts: [EMR_USER, { user: '', host: '%' }].map((account) => ({
          account,
          isRole: false,
          locked: false,
          restrictions: [],
        })),
        holdings: [
          { account: EMR_USER, scope: 'role', object: ['r', ''], privilege: 'MEMBER', passable: false },
          { account: EMR_USER, scope: 'role', object: ['r', ''], privilege: 'DEFAULT', passable: false },
          {
            account: { user: '', host: '%' },
            scope: 'schema',
            object: ['test\\_%'],
            privilege: 'DROP',
            passable: false,
          },
        ],
        mandatoryRoles: [],
        current: { user: 'root', host: 'localhost' },
        unflushed: [],
      },
      { tables: [], routines: [], definers: [], histograms: [], keys: [] },
      { server, names: NAMES, emrAccounts: [EMR_USER], checker: CHECKER },
    ),
  });

describe('what is written for MySQL', () => {
  it('has no OR REPLACE, and no gap between dropping and making a trigger', () => {
    const { start } = make(MYSQL9);
    expect(start.text).not.toMatch(/OR REPLACE DEFINER = \S+\s+(TRIGGER|PROCEDURE)/);
    const sql = start.statements.map((s) => s.sql.split('\n')[0]);
    const at = sql.indexOf(`DROP TRIGGER IF EXISTS \`old_emr\`.\`${triggerName('patient', 'update')}\``);
    expect(sql[at - 1]).toBe('LOCK TABLES `old_emr`.`patient` WRITE');
    expect(sql[at + 1]).toBe("CREATE DEFINER = 'chartgate_audit'@'localhost'");
    expect(sql[at + 2]).toBe('UNLOCK TABLES');
  });

  it('turns JSON columns into text and stores text', () => {
    const { start } = make(MYSQL9);
    expect(start.text).toContain('CAST(NEW.`doc` AS CHAR CHARACTER SET utf8mb4)');
    expect(start.text).toMatch(/row_key LONGTEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NULL/);
  });

  it('makes accounts without a usable password, by version', () => {
    expect(make(MYSQL9).start.text).toContain('IDENTIFIED WITH caching_sha2_password AS');
    expect(make(MYSQL57).start.text).toContain('IDENTIFIED WITH mysql_native_password AS');
    expect(make(MARIADB).start.text).toContain('IDENTIFIED VIA mysql_native_password USING');
  });

  it('reads roles and dynamic privileges only where they exist', () => {
    expect(make(MYSQL9).guard.text).toContain('mysql.global_grants');
    expect(make(MYSQL9).guard.text).toContain('GRANT SHOW_ROUTINE ON *.*');
    expect(make(MYSQL57).guard.text).not.toMatch(/global_grants|role_edges|SHOW_ROUTINE/);
    expect(make(MYSQL9).guard.text).not.toContain('mysql.global_priv');
  });

  it('escapes the wildcards of GRANT unless the server takes them literally', () => {
    expect(make(MYSQL9).start.text).toContain('GRANT SELECT, TRIGGER ON `old\\_emr`.* TO');
    expect(make({ ...MYSQL9, partialRevokes: true }).start.text).toContain(
      'GRANT SELECT, TRIGGER ON `old_emr`.* TO',
    );
  });

  it('revokes roles by name', () => {
    expect(make(MYSQL9).protect.text).toContain("REVOKE 'r'@'' FROM 'emr'@'localhost'");
    expect(make(MARIADB).protect.text).toContain("REVOKE `r` FROM 'emr'@'localhost'");
    expect(make(MARIADB).protect.text).toContain("SET DEFAULT ROLE NONE FOR 'emr'@'localhost'");
  });
});

describe('the scripts', () => {
  it('hold nothing that changes from run to run', () => {
    for (const server of [MYSQL9, MYSQL57, MARIADB]) expect(make(server)).toEqual(make(server));
  });

  it('record the stop before they drop anything, and the start after everything', () => {
    const { start, stop } = make(MARIADB);
    expect(stop.statements.findIndex((s) => s.label === 'record the stop')).toBeLessThan(
      stop.statements.findIndex((s) => s.sql.startsWith('DROP')),
    );
    expect(start.statements.at(-1)?.label).toBe('record the start');
  });

  it('drop triggers of ours that a renamed table took along', () => {
    const stray = {
      name: 'chartgate_insert_was_0000000000',
      table: 'patient',
      timing: 'after' as const,
      event: 'insert' as const,
      order: 1,
    };
    const { start, stop } = make(MARIADB, { ...MODEL, ownTriggers: [stray] });
    for (const script of [start, stop])
      expect(script.text).toContain(`DROP TRIGGER IF EXISTS \`old_emr\`.\`${stray.name}\``);
  });
});

describe('names', () => {
  it('of triggers fit, are plain, and differ where tables differ', () => {
    fc.assert(
      fc.property(fc.string({ minLength: 1, maxLength: 64, unit: 'grapheme' }), (table) => {
        for (const operation of ['insert', 'update', 'delete'] as const) {
          expect(triggerName(table, operation)).toMatch(/^chartgate_[A-Za-z0-9_]{1,53}$/);
        }
        expect(triggerName(table, 'insert')).not.toBe(triggerName(`${table}x`, 'insert'));
      }),
    );
  });

  it('are quoted so that nothing gets out', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(ident(text).slice(1, -1).replaceAll('``', '')).not.toContain('`');
        expect(literal(text).slice(1, -1).replaceAll('\\\\', '').replaceAll("''", '')).not.toMatch(/['\\]/);
        expect(printable(text)).not.toMatch(/\p{Cc}|\u2028|\u2029/u);
      }),
    );
  });

  it.each([
    ['emr', { user: 'emr', host: '%' }],
    ['emr@10.0.0.%', { user: 'emr', host: '10.0.0.%' }],
    ["'emr'@'localhost'", { user: 'emr', host: 'localhost' }],
    ['a@b@c', { user: 'a@b', host: 'c' }],
  ])('%s is an account', (text, account) => {
    expect(parseAccount(text)).toEqual(account);
  });

  it.each(['', '@localhost', 'emr@', "''@'%'"])('%j is no account', (text) => {
    expect(() => parseAccount(text)).toThrow(expect.objectContaining({ code: 'usage' }));
  });

  it.each<[Parameters<typeof auditNames>[0], string]>([
    [{ emrSchema: '' }, 'empty'],
    [{ emrSchema: 'mysql' }, "the server's own"],
    [{ emrSchema: 'a\\b' }, 'a backslash, which GRANT would take for an escape'],
    [{ emrSchema: 'a\0b' }, 'NUL'],
    [{ emrSchema: 'x'.repeat(60) }, 'the default audit schema would be too long'],
    [{ emrSchema: 'a', auditSchema: 'A' }, 'both schemas the same'],
    [{ emrSchema: 'a', definer: { user: 'chartgate_guard', host: 'LOCALHOST' } }, 'one account for both'],
  ])('%j is refused: %s', (options) => {
    expect(() => auditNames(options)).toThrow(expect.objectContaining({ code: 'usage' }));
  });
});
