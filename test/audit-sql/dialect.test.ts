import mysql from 'mysql2';
import { createConnection } from 'mysql2/promise';
import { describe, expect, it } from 'vitest';
import { describeServer, parseVersion } from '../../audit-sql/catalogue/server.ts';
import { dialectOf } from '../../audit-sql/dialect.ts';
import { auditNames, type ServerDescription } from '../../audit-sql/index.ts';
import { GUARD_PROCEDURES } from '../../audit-sql/names.ts';
import { guardScript } from '../../audit-sql/writers/guard.ts';
import { freePort } from '../../examples/support/ports.ts';

/** A text column, as the protocol describes it. */
const COLUMN = {
  catalog: 'def',
  schema: '',
  table: '',
  orgTable: '',
  orgName: '',
  characterSet: 33,
  columnLength: 255,
  columnType: 253,
  flags: 0,
  decimals: 0,
};

const NAMES = auditNames({ emrSchema: 'old_emr' });

function server(version: string, comment = ''): ServerDescription {
  return { ...parseVersion({ version, comment }), partialRevokes: false };
}

const guard = (version: string): string => {
  const described = server(version);
  return guardScript(NAMES, dialectOf(described), described.major).text;
};

describe('which server that is', () => {
  it.each([
    ['10.6.0-MariaDB', '', 'mariadb', 10, 6],
    ['10.11.19-MariaDB-0+deb12u1', 'Debian 12', 'mariadb', 10, 11],
    ['5.5.5-10.11.6-MariaDB-log', '', 'mariadb', 10, 11],
    ['11.8.9-MariaDB-4', 'Debian', 'mariadb', 11, 8],
    ['10.6.17-log', 'managed MariaDB Server', 'mariadb', 10, 6],
    ['5.7.44-log', 'MySQL Community Server (GPL)', 'mysql', 5, 7],
    ['8.0.20', 'MySQL Community Server - GPL', 'mysql', 8, 0],
    ['8.0.39-cloudsql', 'Google', 'mysql', 8, 0],
    ['8.0.36-28', 'Percona Server (GPL), Release 28', 'mysql', 8, 0],
    ['8.4.3', '', 'mysql', 8, 4],
    ['9.7.4-2', '(Debian)', 'mysql', 9, 7],
    ['26.7.0', 'MySQL Community Server - GPL', 'mysql', 26, 7],
  ] as const)('%s (%s) is %s', (version, comment, engine, major, minor) => {
    expect(server(version, comment)).toMatchObject({ engine, major, minor, version });
  });

  const REFUSED: readonly (readonly [string, string, RegExp])[] = [
    ['5.6.51', 'MySQL Community Server (GPL)', /too old/],
    ['5.7.7', '', /too old/],
    ['5.5.5-10.5.9-MariaDB', '', /too old/],
    ['10.5.29-MariaDB', '', /too old/],
    ['8.0.19', '', /too old for its series/],
    ['6.0.11', '', /no such MySQL/],
    ['5.7.25-TiDB-v7.5.0', 'TiDB Server (Apache License 2.0)', /TiDB is another product/],
    ['8.0.11-TiDB-v8.5.0', 'TiDB Server', /TiDB is another product/],
    ['5.7.25-OceanBase-v4.3.0', '', /OceanBase is another product/i],
    ['5.7.32 SingleStoreDB source distribution', '', /SingleStore is another product/],
    ['8.0.30-Vitess', '', /Vitess is another product/],
    ['', '', /no version/],
    ['banana', 'fruit', /no version/],
  ];

  it.each(REFUSED)('%j (%s) is refused: %s', (version, comment, why) => {
    expect(() => server(version, comment)).toThrow(why);
    expect(() => server(version, comment)).toThrow(/MariaDB 10\.6 or later/);
  });

  it('says only printable text of what a server says', () => {
    expect(() => server(`5.1.2\u0007\n${'x'.repeat(5000)}`)).toThrow(/^[ -~]{1,600}$/);
  });

  it.each(['5.6.51', '8.0.11-TiDB-v8.5.0'])(
    'a real connection to a server that says %s is refused',
    async (version) => {
      const listener = mysql.createServer((connection) => {
        connection.on('error', () => {});
        // The driver's own server does not begin each exchange at nought, and its client complains.
        const sequence = connection as unknown as { sequenceId: number; _resetSequenceId(): void };
        connection.serverHandshake({
          protocolVersion: 10,
          serverVersion: version,
          connectionId: 1,
          statusFlags: 2,
          characterSet: 8,
          capabilityFlags: 0xffffff,
          authCallback: (_: unknown, done: (error: null) => void) => {
            done(null);
            setImmediate(() => sequence._resetSequenceId());
          },
        });
        connection.on('query', () => {
          sequence.sequenceId = 1;
          connection.writeTextResult(
            [{ version, comment: 'of a test' }],
            ['version', 'comment'].map((name) => ({ ...COLUMN, name })),
          );
        });
      });
      const port = await freePort();
      listener.listen(port);
      const connection = await createConnection({ host: '127.0.0.1', port, user: 'x', password: '' });
      connection.on('error', () => {});
      await expect(describeServer(connection)).rejects.toMatchObject({
        code: 'database-unsupported',
        message: expect.stringContaining(version),
      });
      connection.destroy();
      await new Promise<void>((resolve) => listener.close(() => resolve()));
    },
  );
});

describe('what is written by version', () => {
  it.each([
    ['5.7.44', 'mysql_native_password'],
    ['8.0.39', 'caching_sha2_password'],
    ['8.4.3', 'caching_sha2_password'],
    ['9.7.4', 'caching_sha2_password'],
    ['10.6.0-MariaDB', 'mysql_native_password'],
    ['11.8.9-MariaDB', 'mysql_native_password'],
  ])('%s: accounts without a password authenticate with %s', (version, plugin) => {
    expect(dialectOf(server(version)).unusableAuthentication).toContain(plugin);
  });

  it.each([
    ['5.7.44', false],
    ['8.0.20', false],
    ['8.4.3', false],
    ['9.6.0', false],
    ['9.7.0', true],
    ['26.7.0', true],
    ['11.8.9-MariaDB', false],
  ])('%s: a session can make cascades fire triggers: %s', (version, can) => {
    expect(dialectOf(server(version)).cascadesFireTriggers !== undefined).toBe(can);
  });

  it('routines are looked at with the least that the version allows', () => {
    expect(guard('5.7.44')).toContain('GRANT SELECT ON mysql.proc TO');
    expect(guard('8.0.20')).toContain('GRANT SHOW_ROUTINE ON *.* TO');
    expect(guard('9.7.4')).not.toMatch(/mysql\.proc\b/);
    expect(guard('10.6.0-MariaDB')).toContain('GRANT SELECT ON mysql.proc TO');
  });

  it('roles and dynamic privileges are read only where they are', () => {
    expect(guard('5.7.44')).not.toMatch(/global_grants|role_edges|global_priv|roles_mapping/);
    expect(guard('8.4.3')).toMatch(/mysql\.global_grants.*mysql\.role_edges/s);
    expect(guard('11.8.9-MariaDB')).toMatch(/mysql\.global_priv.*mysql\.roles_mapping/s);
  });

  it('settings are read from where each engine has them, and never by a name that a version may lack', () => {
    for (const version of ['5.7.44', '8.0.20', '9.7.4'])
      expect(guard(version)).toContain('FROM performance_schema.global_variables');
    expect(guard('10.6.0-MariaDB')).toContain('FROM information_schema.GLOBAL_VARIABLES');
    for (const version of ['5.7.44', '9.7.4', '10.6.0-MariaDB']) expect(guard(version)).not.toContain('@@');
  });

  it('whoever may call the guard keeps it where making it anew forgets it', () => {
    const described = server('9.7.4');
    const caller = { user: 'chartgate_checker', host: 'localhost' };
    const text = guardScript(NAMES, dialectOf(described), described.major, [caller, NAMES.guard]).text;
    expect(text.match(/GRANT EXECUTE ON PROCEDURE/g)).toHaveLength(2 * GUARD_PROCEDURES.length);
    const mariadb = server('10.11.1-MariaDB');
    expect(guardScript(NAMES, dialectOf(mariadb), mariadb.major, [caller]).text).not.toContain(
      'chartgate_checker',
    );
  });
});
