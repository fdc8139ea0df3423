import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { databaseTls } from '../../cli/doctor/checks/database.ts';
import type { Outcome, Subject } from '../../cli/doctor/types.ts';
import { type DatabaseId, parseDatabaseId } from '../../contracts/identifiers.ts';
import type { CheckedDatabase, Secret } from '../../contracts/settings.ts';
import { createAuthority } from '../../examples/support/local-authority.ts';
import type { PrivateDatabase } from '../../examples/support/private-database.ts';
import { ENGINES, startServer } from '../audit-sql/support.ts';

/** The check of TLS to the database, against servers with a certificate of an authority of ours. */

describe.each(ENGINES)('TLS to %s', (engine) => {
  let folder: string;
  let server: PrivateDatabase;
  let authority: Buffer;
  let other: Buffer;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'cg-tls-'));
    const ours = await createAuthority('Doctor test authority');
    authority = Buffer.from(ours.certificatePem);
    other = Buffer.from((await createAuthority('Another authority')).certificatePem);
    const pair = await ours.issue({ commonName: 'localhost', hosts: ['localhost'] });
    const file = (name: string, text: string): string => {
      const path = join(folder, name);
      writeFileSync(path, text);
      return path;
    };
    server = await startServer('doctor-tls', engine, [
      `--ssl-ca=${file('authority.pem', ours.certificatePem)}`,
      `--ssl-cert=${file('chain.pem', pair.certificatePem)}`,
      `--ssl-key=${file('key.pem', pair.keyPem)}`,
    ]);
    const connection = await server.connect();
    for (const host of ['127.0.0.1', 'localhost'])
      await connection.query(`CREATE USER 'probe'@'${host}' IDENTIFIED BY 'a-password-of-a-test'`);
    await connection.end();
  });
  afterAll(async () => {
    await server?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  async function look(more: Partial<CheckedDatabase>): Promise<readonly Outcome[]> {
    const password = { reveal: () => Buffer.from('a-password-of-a-test') } as Secret;
    const database = {
      id: parseDatabaseId('clinic') as DatabaseId,
      host: 'localhost',
      port: server.port,
      socketPath: undefined,
      authority: undefined,
      user: 'probe',
      password,
      emrSchema: 'emr',
      auditSchema: 'emr_audit',
      timeoutMs: 5000,
      ...more,
    } as CheckedDatabase;
    return databaseTls({ checker: { settings: { databases: [database] } } } as unknown as Subject);
  }

  it('is ok when name and certificate belong to the configured authority', async () => {
    expect(await look({ authority })).toMatchObject([
      { result: 'ok', sentence: expect.stringMatching(/verified/) },
    ]);
  });

  it('fails when the certificate is of another authority', async () => {
    expect(await look({ authority: other })).toMatchObject([{ result: 'failed' }]);
  });

  it('fails when the certificate is for another name', async () => {
    expect(await look({ authority, host: '127.0.0.1' })).toMatchObject([{ result: 'failed' }]);
  });

  it('beyond loopback without an authority is refused before a password is sent', async () => {
    expect(await look({ host: '192.0.2.1' })).toMatchObject([{ result: 'failed' }]);
  });

  it('is not asked for on loopback or a Unix socket, and says so', async () => {
    expect(await look(engine === 'mariadb' ? {} : { socketPath: server.socket })).toMatchObject([
      { result: 'skipped' },
    ]);
  });
});
