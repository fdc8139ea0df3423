import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { mkdir, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Connection } from 'mysql2/promise';
import {
  type AuditNames,
  apply,
  approveBaseline,
  auditNames,
  describeServer,
  generate,
  NO_PROTECTION,
  readModel,
  readProtectOptions,
  setCheckerPassword,
  takeBaseline,
} from '../../../audit-sql/index.ts';
import { type DatabaseId, parseDatabaseId } from '../../../contracts/identifiers.ts';
import type { CheckedDatabase } from '../../../contracts/settings.ts';
import type { PrivateDatabase } from '../../../examples/support/private-database.ts';
import { secretOf } from './secret.ts';

const TABLES = [
  'CREATE TABLE patient (id INT PRIMARY KEY AUTO_INCREMENT, name VARCHAR(80), born DATE) ENGINE=InnoDB',
  `CREATE TABLE encounter (id INT PRIMARY KEY AUTO_INCREMENT, patient INT NOT NULL, reason TEXT,
     FOREIGN KEY (patient) REFERENCES patient (id)) ENGINE=InnoDB`,
  'CREATE TABLE medication (code VARCHAR(20) PRIMARY KEY, dose DECIMAL(8,3)) ENGINE=InnoDB',
  'CREATE TABLE note (written DATETIME, body BLOB) ENGINE=InnoDB',
];

export interface ProtectedDatabase {
  readonly settings: CheckedDatabase;
  readonly names: AuditNames;
  /** The name of one of its triggers. */
  readonly trigger: string;
  /** Makes that trigger again, in every field as it was. */
  restoreTrigger(connection: Connection): Promise<void>;
  /** Starts auditing for the tables as they are now: the triggers of what changed are made anew. */
  start(connection: Connection): Promise<void>;
  /** Approves what is there now: two administrators sign a new baseline, which is put in place. */
  approve(connection: Connection): Promise<void>;
  /** Signs something else as one administrator. */
  readonly keys: readonly Buffer[];
}

/** A small EMR schema with audit triggers, guard procedures, the checker's user and a signed baseline. */
export async function protectDatabase(
  server: PrivateDatabase,
  id: string,
  fullCheckMs = 300,
): Promise<ProtectedDatabase> {
  const administrator = await server.connect();
  const schema = id.replaceAll('-', '_');
  const password = randomBytes(18).toString('base64url');
  const names = auditNames({
    emrSchema: schema,
    definer: { user: `${schema}_definer`, host: 'localhost' },
    guard: { user: `${schema}_guard`, host: 'localhost' },
  });
  const checker = { user: `${schema}_checker`, host: '%' };
  const emr = { user: `${schema}_emr`, host: '%' };
  const administrators = [generateKeyPairSync('ed25519'), generateKeyPairSync('ed25519')];
  const [anna = Buffer.alloc(0), boris = Buffer.alloc(0)] = administrators.map(({ privateKey }) =>
    Buffer.from(privateKey.export({ type: 'pkcs8', format: 'pem' })),
  );
  const folder = join(server.directory, id);
  const baseline = join(folder, 'baseline.json');
  await mkdir(folder, { recursive: true });

  const approve = async (connection: Connection): Promise<void> => {
    const bytes = approveBaseline(await takeBaseline(connection, names, anna), boris);
    await writeFile(`${baseline}.new`, bytes);
    await rename(`${baseline}.new`, baseline);
  };

  const start = async (connection: Connection): Promise<void> => {
    const model = await readModel(connection, schema);
    const scripts = generate(model, {
      names,
      server: await describeServer(connection),
      protect: NO_PROTECTION,
    });
    await apply(connection, scripts.start);
  };

  try {
    await administrator.query(`CREATE DATABASE ${schema}`);
    await administrator.query(`USE ${schema}`);
    for (const table of TABLES) await administrator.query(table);
    await administrator.query('CREATE USER ?@? IDENTIFIED BY ?', [emr.user, emr.host, password]);
    await administrator.query(`GRANT SELECT, INSERT, UPDATE, DELETE ON ${schema}.* TO ?@?`, [
      emr.user,
      emr.host,
    ]);
    const description = await describeServer(administrator);
    const model = await readModel(administrator, schema);
    const scripts = generate(model, {
      names,
      server: description,
      protect: await readProtectOptions(administrator, {
        server: description,
        names,
        emrAccounts: [emr],
        checker,
      }),
    });
    for (const script of [scripts.start, scripts.guard, scripts.protect]) await apply(administrator, script);
    await setCheckerPassword(administrator, checker, Buffer.from(password));
    await approve(administrator);
    const [found] = await administrator.query(
      "SELECT TRIGGER_NAME n FROM information_schema.TRIGGERS WHERE TRIGGER_SCHEMA=? AND EVENT_OBJECT_TABLE='patient' AND EVENT_MANIPULATION='INSERT'",
      [schema],
    );
    const trigger = (found as { n: string }[])[0];
    if (trigger === undefined) throw new Error('no trigger');
    const [shown] = await administrator.query(`SHOW CREATE TRIGGER ${schema}.${trigger.n}`);
    const shape = (shown as Record<string, string>[])[0] ?? {};
    return {
      names,
      approve,
      start,
      keys: [anna, boris],
      trigger: trigger.n,
      restoreTrigger: async (connection) => {
        // A trigger keeps the mode and the character set of the session that made it.
        await connection.query('SET SESSION sql_mode = ?', [shape.sql_mode]);
        await connection.query(
          `SET NAMES ${shape.character_set_client} COLLATE ${shape.collation_connection}`,
        );
        await connection.query(shape['SQL Original Statement'] ?? '');
      },
      settings: {
        id: parseDatabaseId(id) as DatabaseId,
        host: server.host,
        port: server.port,
        socketPath: undefined,
        authority: undefined,
        user: checker.user,
        password: secretOf(password),
        emrSchema: schema,
        auditSchema: names.auditSchema,
        baseline,
        baselineTrust: {
          keys: administrators.map(({ publicKey }) =>
            Buffer.from(publicKey.export({ type: 'spki', format: 'pem' })),
          ),
          required: 2,
        },
        fullCheckMs,
        timeoutMs: 1_000,
        clockDifferenceMs: 5_000,
      },
    };
  } finally {
    await administrator.end();
  }
}
