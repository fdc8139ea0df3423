import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { RowDataPacket } from 'mysql2/promise';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ConnectOptions, connectServer } from '../../audit-sql/connect.ts';
import { type Authority, createAuthority } from '../../examples/support/local-authority.ts';
import type { PrivateDatabase } from '../../examples/support/private-database.ts';
import { ENGINES, startServer } from './support.ts';

const PASSWORD = Buffer.from('password-of-a-test');
/** Another address of this machine: it is not loopback by name, so TLS is the default there. */
const BEYOND_LOOPBACK = '0.0.0.0';

describe.each(ENGINES)('connecting to a real %s', (engine) => {
  const folder = join(import.meta.dirname, '../../.work', `audit-sql-tls-files-${engine}`);
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
      `--tmpdir=${server?.directory ?? folder}`,
    ];
  }

  async function again(options: readonly string[]): Promise<void> {
    await server.stop();
    await server.restart(options);
  }

  const attempt = (options: Partial<ConnectOptions>): ReturnType<typeof connectServer> =>
    connectServer({ host: 'localhost', port: server.port, user: 'admin', password: PASSWORD, ...options });

  const pem = (authority: Authority): Buffer => Buffer.from(authority.certificatePem);

  async function protocol(options: Partial<ConnectOptions>): Promise<string> {
    const connection = await attempt(options);
    const [[row]] = await connection.query<RowDataPacket[]>("SHOW STATUS LIKE 'Ssl_version'");
    await connection.end();
    return String(row?.Value);
  }

  beforeAll(async () => {
    mkdirSync(folder, { recursive: true });
    [ours, other] = await Promise.all([createAuthority('ours'), createAuthority('another')]);
    server = await startServer('audit-sql-tls', engine, await present(['localhost', '127.0.0.1']));
    const root = await server.connect();
    await root.query("CREATE USER admin@localhost IDENTIFIED BY 'password-of-a-test'");
    await root.query("CREATE USER admin@'127.0.0.1' IDENTIFIED BY 'password-of-a-test'");
    await root.end();
  });

  afterAll(() => server?.stop());

  it('verifies the server and encrypts, by name and by address', async () => {
    expect(await protocol({ authority: pem(ours) })).toBe('TLSv1.3');
    expect(await protocol({ authority: pem(ours), host: '127.0.0.1' })).toBe('TLSv1.3');
  });

  it('refuses a server whose authority is not the one given, or not one of the system', async () => {
    for (const options of [{ authority: pem(other) }, { host: BEYOND_LOOPBACK }]) {
      await expect(attempt(options)).rejects.toMatchObject({
        code: 'database-unavailable',
        message: expect.stringContaining('signed by an authority that is not trusted here'),
      });
    }
  });

  it('refuses what is no certificate of an authority', async () => {
    await expect(attempt({ authority: Buffer.from('not a certificate') })).rejects.toMatchObject({
      code: 'database-unavailable',
    });
  });

  it('says of a wrong password that it is wrong, and not what it was', async () => {
    const refused = attempt({ authority: pem(ours), password: Buffer.from('guessed-it') });
    await expect(refused).rejects.toMatchObject({ code: 'privilege-missing' });
    await expect(refused).rejects.not.toThrow('guessed-it');
  });

  it('refuses a certificate for another name', async () => {
    await again(await present(['database.example']));
    await expect(attempt({ authority: pem(ours) })).rejects.toThrow(/is for another name/);
  });

  // mysql2 3.24 compares the certificate of a server that is given by its address with `localhost`.
  it('refuses, for an address, a certificate for localhost; and takes one for the address alone', async () => {
    await again(await present(['localhost']));
    await expect(attempt({ authority: pem(ours), host: '127.0.0.1' })).rejects.toThrow(/is for another name/);
    await again(await present(['127.0.0.1']));
    expect(await protocol({ authority: pem(ours), host: '127.0.0.1' })).toBe('TLSv1.3');
    await expect(attempt({ authority: pem(ours), host: BEYOND_LOOPBACK })).rejects.toThrow(/another name/);
  });

  it('refuses a certificate that has expired', async () => {
    // It began five minutes ago and ended two minutes ago.
    await again(await present(['localhost'], -2 / 1440));
    await expect(attempt({ authority: pem(ours) })).rejects.toThrow(/has expired/);
  });

  it('refuses a server without TLS, so that nothing between can talk it out of it', async () => {
    await again(
      engine === 'mariadb' ? ['--skip-ssl', '--sync-frm=0'] : ['--tls-version=', '--innodb-doublewrite=OFF'],
    );
    for (const options of [{ authority: pem(ours) }, { host: BEYOND_LOOPBACK }]) {
      await expect(attempt(options)).rejects.toMatchObject({
        code: 'database-unavailable',
        message: expect.stringContaining('does not offer TLS'),
      });
    }
    // Without an authority loopback goes unencrypted: nothing between to read it.
    expect(await protocol({})).toBe('');
  });

  it('says that nothing listens where nothing listens', async () => {
    await server.stop();
    await expect(attempt({})).rejects.toThrow(/nothing listens there/);
    await expect(attempt({ socket: join(folder, 'nowhere') })).rejects.toThrow(/no such socket/);
  });
});
