import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type DatabaseId, parseDatabaseId } from '../../contracts/identifiers.ts';
import type { CheckedDatabase } from '../../contracts/settings.ts';
import { type Authority, createAuthority } from '../../examples/support/local-authority.ts';
import type { PrivateDatabase } from '../../examples/support/private-database.ts';
import { connect } from '../../integrity-checker/database/connect.ts';
import { ENGINES, startServer } from '../audit-sql/support.ts';
import { secretOf } from './support/secret.ts';

/** Another address of this machine: it is not loopback by name. */
const BEYOND_LOOPBACK = '0.0.0.0';

describe.each(ENGINES)("the checker's connection to a real %s", (engine) => {
  const folder = join(import.meta.dirname, '../../.work', `integrity-tls-files-${engine}`);
  let ours: Authority;
  let other: Authority;
  let server: PrivateDatabase;

  async function present(hosts: readonly string[], days = 1): Promise<string[]> {
    const issued = await ours.issue({ commonName: 'database', hosts, days });
    for (const [name, text] of Object.entries({
      'certificate.pem': issued.certificatePem,
      'key.pem': issued.keyPem,
      'authority.pem': ours.certificatePem,
    })) {
      writeFileSync(join(folder, name), text);
      chmodSync(join(folder, name), 0o600);
    }
    return [
      `--ssl-cert=${join(folder, 'certificate.pem')}`,
      `--ssl-key=${join(folder, 'key.pem')}`,
      `--ssl-ca=${join(folder, 'authority.pem')}`,
    ];
  }

  async function again(options: readonly string[]): Promise<void> {
    await server.stop();
    await server.restart(options);
  }

  const pem = (authority: Authority): Buffer => Buffer.from(authority.certificatePem);

  function database(change: Partial<CheckedDatabase>): CheckedDatabase {
    return {
      id: parseDatabaseId('clinic') as DatabaseId,
      host: '127.0.0.1',
      port: server.port,
      socketPath: undefined,
      authority: pem(ours),
      user: 'checker',
      password: secretOf('password-of-a-test'),
      emrSchema: 'emr',
      auditSchema: 'emr_audit',
      baseline: '',
      baselineTrust: { keys: [], required: 2 },
      fullCheckMs: 60_000,
      timeoutMs: 2_000,
      clockDifferenceMs: 5_000,
      ...change,
    };
  }

  /** The cipher of a connection that was made and used. */
  async function cipher(change: Partial<CheckedDatabase> = {}): Promise<string> {
    const link = await connect(database(change), () => {});
    try {
      // On MariaDB this authenticates again over the same connection.
      await link.forgetRoutines();
      const [rows] = await link.connection
        .promise()
        .query({ sql: "SHOW SESSION STATUS LIKE 'Ssl_cipher'", rowsAsArray: true });
      return String((rows as unknown as string[][])[0]?.[1]);
    } finally {
      link.destroy();
    }
  }

  beforeAll(async () => {
    mkdirSync(folder, { recursive: true });
    [ours, other] = await Promise.all([createAuthority('ours'), createAuthority('another')]);
    server = await startServer('integrity-tls', engine, await present(['localhost', '127.0.0.1']));
    const root = await server.connect();
    await root.query('CREATE DATABASE emr_audit');
    await root.query('CREATE TABLE emr_audit.audit_instatement_log (id INT PRIMARY KEY, action CHAR(5))');
    for (const host of ['localhost', '127.0.0.1']) {
      await root.query("CREATE USER checker@? IDENTIFIED BY 'password-of-a-test'", [host]);
      await root.query('GRANT SELECT ON emr_audit.* TO checker@?', [host]);
    }
    await root.end();
  });

  afterAll(() => server?.stop());

  it('is encrypted, whether the server is given by name or by address', async () => {
    expect(await cipher()).not.toBe('');
    expect(await cipher({ host: 'localhost' })).not.toBe('');
  });

  it.each([
    ["an authority that is not the server's", () => ({ authority: pem(other) })],
    ['what is no authority at all', () => ({ authority: Buffer.from('nothing') })],
    ['no authority, beyond loopback', () => ({ authority: undefined, host: BEYOND_LOOPBACK })],
    ['a wrong password', () => ({ password: secretOf('guessed') })],
  ])('is refused with %s', async (_, change) => {
    await expect(cipher(change())).rejects.toThrow();
  });

  it('is refused when the certificate is for another name', async () => {
    await again(await present(['database.example']));
    await expect(cipher()).rejects.toThrow();
    await expect(cipher({ host: 'localhost' })).rejects.toThrow();
  });

  // mysql2 3.24 compares the certificate of a server that is given by its address with `localhost`.
  it('is refused, for an address, with a certificate for localhost; taken with one for the address alone', async () => {
    await again(await present(['localhost']));
    await expect(cipher({ host: '127.0.0.1' })).rejects.toThrow();
    expect(await cipher({ host: 'localhost' })).not.toBe('');
    await again(await present(['127.0.0.1']));
    expect(await cipher({ host: '127.0.0.1' })).not.toBe('');
    await expect(cipher({ host: 'localhost' })).rejects.toThrow();
  });

  it('is refused when the certificate has expired', async () => {
    // It began five minutes ago and ended two minutes ago.
    await again(await present(['127.0.0.1'], -2 / 1440));
    await expect(cipher()).rejects.toThrow();
  });

  it('is refused by a server without TLS, so that nothing between can talk it out of it', async () => {
    await again(
      engine === 'mariadb' ? ['--skip-ssl', '--sync-frm=0'] : ['--tls-version=', '--innodb-doublewrite=OFF'],
    );
    await expect(cipher()).rejects.toThrow();
    // Without an authority loopback goes unencrypted: nothing between to read it.
    expect(await cipher({ authority: undefined })).toBe('');
  });
});
