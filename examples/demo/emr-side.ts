import { generateKeyPairSync, randomBytes } from 'node:crypto';
import type { Connection } from 'mysql2/promise';
import {
  apply,
  approveBaseline,
  auditNames,
  describeServer,
  generate,
  readModel,
  readProtectOptions,
  setCheckerPassword,
  takeBaseline,
} from '../../audit-sql/index.ts';
import { type InstalledEmr, installEmr } from '../legacy-emr/seed.ts';
import type { PrivateMariadb } from '../support/private-mariadb.ts';

export interface SqlUser {
  readonly user: string;
  readonly password: string;
}

/** Makes a schema and its tables; the connection is the administrator's and may send several statements at once. */
export type Installer = (connection: Connection, schema: string) => Promise<void>;

/** A tenant's database: EMR installed, audited, protected. */
export interface PreparedDatabase {
  readonly schema: string;
  readonly auditSchema: string;
  readonly emr: Pick<InstalledEmr, 'patients' | 'restricted'>;
  readonly emrUser: SqlUser;
  readonly checkerUser: SqlUser;
}

export interface ApprovedBaseline {
  /** The signed file. */
  readonly baseline: Buffer;
  /** PEM, of two administrators. */
  readonly publicKeys: readonly [string, string];
}

/** What is known of tables that somebody else made. */
const NOTHING_KNOWN: Pick<InstalledEmr, 'patients' | 'restricted'> = { patients: 0, restricted: [] };

const password = (): string => randomBytes(18).toString('base64url');

/**
 * What a database administrator does once: the legacy EMR is there with its over-privileged user; then the
 * audit SQL is generated and applied, and grants are cut down to what the EMR needs.
 */
export async function prepareDatabase(
  mariadb: PrivateMariadb,
  tenant: {
    readonly schema: string;
    readonly clinic: string;
    readonly seed: string;
    readonly patients?: number;
    readonly install?: Installer;
  },
): Promise<PreparedDatabase> {
  const connection = await mariadb.connect({ multipleStatements: false });
  try {
    if (tenant.install !== undefined) await installOther(mariadb, tenant.schema, tenant.install);
    const emr =
      tenant.install !== undefined
        ? NOTHING_KNOWN
        : await installEmr(connection, {
            database: tenant.schema,
            clinic: tenant.clinic,
            seed: tenant.seed,
            ...(tenant.patients === undefined ? {} : { patients: tenant.patients }),
          });
    const emrUser = await legacyUser(connection, tenant.schema);
    return { emr, emrUser, ...(await audit(connection, tenant.schema, emrUser)) };
  } finally {
    await connection.end();
  }
}

/** Over a connection of its own: installers of old systems leave settings behind. */
async function installOther(mariadb: PrivateMariadb, schema: string, install: Installer): Promise<void> {
  const connection = await mariadb.connect({ multipleStatements: true });
  try {
    await install(connection, schema);
  } finally {
    await connection.end();
  }
}

/** As in life: the EMR's installer gave itself everything on its schema, and the right to give it away. */
async function legacyUser(connection: Connection, schema: string): Promise<SqlUser> {
  const user = { user: schema, password: password() };
  await connection.query("CREATE USER ?@'127.0.0.1' IDENTIFIED BY ?", [user.user, user.password]);
  await connection.query("GRANT ALL PRIVILEGES ON ??.* TO ?@'127.0.0.1' WITH GRANT OPTION", [
    schema,
    user.user,
  ]);
  return user;
}

async function audit(connection: Connection, schema: string, emrUser: SqlUser) {
  const names = auditNames({ emrSchema: schema });
  const checkerUser = { user: `${schema}_check`, password: password() };
  const checker = { user: checkerUser.user, host: '127.0.0.1' };
  const server = await describeServer(connection);
  const model = await readModel(connection, schema);
  const protect = await readProtectOptions(connection, {
    server,
    names,
    emrAccounts: [{ user: emrUser.user, host: '127.0.0.1' }],
    checker,
  });
  const scripts = generate(model, { names, server, protect });
  for (const script of [scripts.start, scripts.guard, scripts.protect]) await apply(connection, script);
  await setCheckerPassword(connection, checker, Buffer.from(checkerUser.password));
  return { schema, auditSchema: names.auditSchema, checkerUser };
}

/**
 * Two administrators' approval of the present state: read through the guard procedures, signed by each with a
 * key made now.
 */
export async function approve(mariadb: PrivateMariadb, schema: string): Promise<ApprovedBaseline> {
  const pair = () =>
    generateKeyPairSync('ed25519', {
      publicKeyEncoding: { type: 'spki', format: 'pem' },
      privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
    });
  const [first, second] = [pair(), pair()];
  const connection = await mariadb.connect();
  try {
    const names = auditNames({ emrSchema: schema });
    return {
      baseline: approveBaseline(
        await takeBaseline(connection, names, Buffer.from(first.privateKey)),
        Buffer.from(second.privateKey),
      ),
      publicKeys: [first.publicKey, second.publicKey],
    };
  } finally {
    await connection.end();
  }
}
