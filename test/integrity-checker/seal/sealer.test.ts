import { createHash } from 'node:crypto';
import {
  appendFileSync,
  existsSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import type { Connection, RowDataPacket } from 'mysql2/promise';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { PrivateDatabase } from '../../../examples/support/private-database.ts';
import { openCheckpoint, splitNotes } from '../../../integrity-checker/seal/checkpoint.ts';
import {
  directRows,
  guardedRows,
  noteSigner,
  openSealSession,
  originOf,
  readVerifier,
} from '../../../integrity-checker/seal/index.ts';
import { verifySeal } from '../../../integrity-checker/seal/verify/index.ts';
import {
  CHECKER,
  CHECKER_PASSWORD,
  connectAs,
  ENGINES,
  keyPair,
  startServer,
} from '../../audit-sql/support.ts';
import { pause, until } from '../support/wait.ts';
import { type Audited, audited, countRows, type Sealing, startSealing } from './support.ts';
import { disarm, undo } from './tampers.ts';

/** The canonical form as its description says it, in another language than the server's. */
function rowHash(row: RowDataPacket): string {
  const short = ['at', 'login', 'ran_as', 'connection', 'os_user', 'emr_table', 'operation', 'cascade_id'];
  const long = ['row_key', 'old_values', 'new_values', 'changes'];
  let text = 'chartgate-row/1';
  for (const name of short) {
    if (row[name] !== null) text += `${name}${Buffer.byteLength(row[name])}:${row[name]}`;
  }
  for (const name of long) {
    if (row[name] !== null) text += `${name}#${createHash('sha256').update(row[name]).digest('hex')}`;
  }
  return createHash('sha256').update(text).digest('hex');
}

describe.each(ENGINES)('sealing on %s', (engine) => {
  let server: PrivateDatabase;
  const all: Audited[] = [];
  const running: Sealing[] = [];
  const sessions: Connection[] = [];

  beforeAll(async () => {
    server = await startServer('seal-sealer', engine);
  }, 60_000);
  afterEach(async () => {
    await Promise.all(running.splice(0).map(({ sealer }) => sealer.close()));
    // A transaction that a failed test left open would hold up the next one's.
    for (const connection of sessions.splice(0)) connection.destroy();
  });
  afterAll(async () => {
    await Promise.all(all.map(({ admin }) => admin.end().catch(() => {})));
    await server.stop();
  });

  async function clinicOf(schema: string): Promise<Audited> {
    const made = await audited(server, schema);
    rmSync(made.directory, { recursive: true, force: true });
    all.push(made);
    return made;
  }
  function seal(of: Audited): Sealing {
    const sealing = startSealing(of);
    running.push(sealing);
    return sealing;
  }
  /** The leaves come first, the checkpoint over them a moment later. */
  const sealedAll = (of: Audited, { sealer }: Sealing): Promise<void> =>
    until(async () => {
      const rows = await countRows(of);
      return sealer.size === rows && checkpoints(of).at(-1)?.size === rows;
    }, 10_000);
  const checkpoints = (of: Audited) => {
    // A store that was taken up again after a crash goes on in a file of its own.
    const names = readdirSync(of.directory).filter((name) => name.startsWith('checkpoints-'));
    const file = join(of.directory, names.sort().at(-1) ?? 'checkpoints-00000001.txt');
    const verifier = readVerifier(of.keys.publicPem.toString(), originOf(of.database.id));
    const { notes } = splitNotes(existsSync(file) ? readFileSync(file, 'utf8') : '');
    return notes.map((note) => openCheckpoint(note, verifier));
  };
  async function verify(of: Audited) {
    const verifier = readVerifier(of.keys.publicPem.toString(), originOf(of.database.id));
    const reader = directRows(of.admin, of.names.auditSchema);
    const fine = await verifySeal({ path: of.directory, verifier, reader });
    const path = join(of.directory, 'checkpoints-00000001.txt');
    const coarse = await verifySeal({ path, verifier, reader });
    expect(coarse.findings).toEqual([]);
    return fine;
  }
  const session = async (): Promise<Connection> => {
    const connection = await server.connect({ charset: 'utf8mb4', multipleStatements: true });
    sessions.push(connection);
    return connection;
  };

  it('hashes rows in the form that its description says, in any session', async () => {
    const of = await clinicOf('hashing');
    await of.admin.query('SET @serverOSUser = \'Dr. Ω "quoted"\'');
    await of.admin.query("INSERT INTO patient (name, note) VALUES ('Zoë', 'line\\n2'), ('', NULL)");
    await of.admin.query(
      "UPDATE patient SET note = '' WHERE name = ''; DELETE FROM patient WHERE name = 'Zoë'",
    );
    const columns =
      'CAST(at AS CHAR) AS at, login, ran_as, CAST(connection AS CHAR) AS connection, os_user, emr_table, operation, CAST(cascade_id AS CHAR) AS cascade_id, row_key, old_values, new_values, changes';
    const [rows] = await of.admin.query<RowDataPacket[]>(
      `SELECT ${columns} FROM ${of.names.auditSchema}.audit_row ORDER BY id`,
    );
    expect(rows).toHaveLength(4);
    const checker = await connectAs(server, CHECKER.user, CHECKER_PASSWORD);
    await checker.query('SET NAMES latin1');
    await checker.query(
      "SET time_zone = '+05:30', sql_mode = 'ANSI,PAD_CHAR_TO_FULL_LENGTH', lc_time_names = 'de_DE'",
    );
    for (const reader of [
      guardedRows(checker, of.names.auditSchema),
      directRows(of.admin, of.names.auditSchema),
    ]) {
      const hashed = await reader.hashes('audit_row', 0, undefined, 100);
      expect(hashed.map(({ hash }) => hash.toString('hex'))).toEqual(rows.map(rowHash));
    }
    await checker.end();
  });

  it('takes rows that become visible after higher ids, and says that they were late', async () => {
    const of = await clinicOf('disorder');
    const sealing = seal(of);
    const [first, second] = [await session(), await session()];
    await first.query("USE disorder; BEGIN; INSERT INTO patient (name) VALUES ('1'), ('2')");
    await second.query("USE disorder; BEGIN; INSERT INTO patient (name) VALUES ('3')");
    await of.admin.query("INSERT INTO patient (name) VALUES ('4')");
    await sealedAll(of, sealing);
    expect(checkpoints(of).at(-1)?.tables.audit_row).toMatchObject({ head: 4, settled: 0 });
    await second.query('COMMIT');
    await sealedAll(of, sealing);
    expect(checkpoints(of).at(-1)?.tables.audit_row).toMatchObject({ head: 4, settled: 0, late: [[3, 3]] });
    // Longer than any grace: only the end of the transaction counts.
    await pause(4_000);
    expect(checkpoints(of).at(-1)?.tables.audit_row).toMatchObject({ head: 4, settled: 0 });
    expect(await verify(of)).toMatchObject({ ok: true });
    await first.query('COMMIT');
    await sealedAll(of, sealing);
    expect(checkpoints(of).at(-1)?.tables.audit_row).toMatchObject({ head: 4, settled: 4, late: [[1, 2]] });
    expect(await verify(of)).toMatchObject({ ok: true, figures: { unsealed: 0 } });
    expect(sealing.changes()).toBe(0);
    await Promise.all([first.end(), second.end()]);
  });

  it('gives up ids that were rolled back, although others are reading and writing', async () => {
    const of = await clinicOf('undone');
    const sealing = seal(of);
    const reading = await session();
    await reading.query('USE undone; BEGIN; SELECT COUNT(*) FROM patient');
    await of.admin.query("BEGIN; INSERT INTO patient (name) VALUES ('never'), ('never'); ROLLBACK");
    let over = false;
    const writing = (async () => {
      const connection = await session();
      await connection.query('USE undone');
      while (!over) await connection.query("INSERT INTO patient (name) VALUES ('busy')");
      await connection.end();
    })();
    await until(() => checkpoints(of).some(({ tables }) => tables.audit_row.settled > 2), 15_000);
    over = true;
    await writing;
    await sealedAll(of, sealing);
    expect(await verify(of)).toMatchObject({ ok: true });
    expect(sealing.changes()).toBe(0);
    await reading.end();
  });

  it('keeps ids open over a restart of its own', async () => {
    const of = await clinicOf('restarted');
    const first = startSealing(of);
    const slow = await session();
    await slow.query("USE restarted; BEGIN; INSERT INTO patient (name) VALUES ('1')");
    await of.admin.query("INSERT INTO patient (name) VALUES ('2'), ('3')");
    await sealedAll(of, first);
    await first.sealer.close();
    const second = seal(of);
    await pause(3_000);
    await slow.query("INSERT INTO patient (name) VALUES ('4'); COMMIT");
    await sealedAll(of, second);
    await until(() => checkpoints(of).at(-1)?.tables.audit_row.settled === 4, 10_000);
    expect(await verify(of)).toMatchObject({ ok: true, figures: { unsealed: 0 } });
    expect([...first.log, ...second.log].map(({ level }) => level)).toEqual(['info', 'info']);
    await slow.end();
  });

  it('tells a sealed row from one that was changed, without waiting for an audit, and when it is right again', async () => {
    const of = await clinicOf('watched');
    const sealing = seal(of);
    for (let i = 0; i < 20; i++) await of.admin.query("INSERT INTO patient (name) VALUES ('x')");
    await of.admin.query("BEGIN; INSERT INTO patient (name) VALUES ('never'); ROLLBACK");
    await of.admin.query("INSERT INTO patient (name) VALUES ('y')");
    await sealedAll(of, sealing);
    await until(() => checkpoints(of).at(-1)?.tables.audit_row.settled === 22, 10_000);
    const reader = (await openSealSession(of.database)).reader;
    expect(await sealing.sealer.check(reader)).toEqual([]);
    const { auditSchema } = of.names;
    await disarm(of.admin, auditSchema);
    const tampers: readonly (readonly [sql: string, finding: object])[] = [
      [
        "UPDATE $.audit_row SET login = 'x' WHERE id = 7",
        { code: 'audit-row-edited', object: 'audit_row 7' },
      ],
      ['DELETE FROM $.audit_row WHERE id = 8', { code: 'audit-row-deleted', object: 'audit_row 8' }],
      [
        "INSERT INTO $.audit_row (id, at, login, ran_as, connection, emr_table, operation) VALUES (21, NOW(6), '', '', 1, '', 'insert')",
        { code: 'audit-row-inserted', object: 'audit_row 21' },
      ],
      ["UPDATE $.audit_instatement_log SET login = 'x'", { code: 'audit-row-edited' }],
    ];
    for (const [sql, finding] of tampers) {
      const before = sealing.changes();
      await of.admin.query(sql.replaceAll('$', auditSchema));
      await until(() => sealing.changes() > before, 20_000);
      expect(await sealing.sealer.check(reader)).toMatchObject([finding]);
      await undo(of.admin, auditSchema);
      await until(async () => (await sealing.sealer.check(reader)).length === 0, 20_000);
    }
    await of.admin.query("INSERT INTO patient (name) VALUES ('z')");
    await sealedAll(of, sealing);
  });

  it('knows at once when a table was emptied, seals nothing that follows, and remembers it over a restart', async () => {
    const of = await clinicOf('emptied');
    const first = startSealing(of);
    await of.admin.query("INSERT INTO patient (name) VALUES ('1'), ('2'), ('3')");
    await sealedAll(of, first);
    const { auditSchema } = of.names;
    const reader = (await openSealSession(of.database)).reader;
    await of.admin.query(`TRUNCATE ${auditSchema}.audit_row`);
    expect(await first.sealer.check(reader)).toContainEqual(
      expect.objectContaining({ code: 'audit-row-deleted', object: 'audit_row 3' }),
    );
    await of.admin.query("INSERT INTO patient (name) VALUES ('1'), ('2'), ('3'), ('4'), ('5')");
    await until(() => first.changes() > 0, 10_000);
    await pause(700);
    expect(first.sealer.size).toBe(4);
    await first.sealer.close();
    const second = seal(of);
    expect(await second.sealer.check(reader)).toContainEqual(
      expect.objectContaining({ code: 'audit-row-edited', object: 'audit_row 3' }),
    );
    await pause(1_500);
    expect(second.sealer.size).toBe(4);
  });

  it('refuses an id that would end the numbering, instead of passing over what follows', async () => {
    const of = await clinicOf('numbering');
    const sealing = seal(of);
    await of.admin.query("INSERT INTO patient (name) VALUES ('1')");
    await sealedAll(of, sealing);
    await of.admin.query(
      `INSERT INTO ${of.names.auditSchema}.audit_row (id, at, login, ran_as, connection, emr_table, operation)
       VALUES (18446744073709551614, NOW(6), '', '', 1, '', 'insert')`,
    );
    await until(
      () => sealing.log.some(({ codes }) => codes?.includes('database-unsupported') === true),
      10_000,
    );
    expect(sealing.log.at(-1)?.sentence).toContain('2^53');
  });

  it('keeps two clinics apart', async () => {
    const [north, south] = [await clinicOf('north'), await clinicOf('south')];
    const sealings = [seal(north), seal(south)] as const;
    await north.admin.query("INSERT INTO patient (name) VALUES ('n')");
    await south.admin.query("INSERT INTO patient (name) VALUES ('s'), ('t')");
    await Promise.all([sealedAll(north, sealings[0]), sealedAll(south, sealings[1])]);
    expect(await verify(north)).toMatchObject({ ok: true, figures: { leaves: 2 } });
    expect(await verify(south)).toMatchObject({ ok: true, figures: { leaves: 3 } });
    // The one's log does not pass for the other's, even were they signed with one key.
    const verifier = readVerifier(north.keys.publicPem.toString(), originOf('south'));
    const reader = directRows(south.admin, south.names.auditSchema);
    const report = await verifySeal({ path: north.directory, verifier, reader });
    expect(report.findings.map(({ code }) => code)).toContain('checkpoint-invalid');
  });

  it('goes on where the database went away and came back', async () => {
    const of = await clinicOf('lost');
    const sealing = seal(of);
    await of.admin.query("INSERT INTO patient (name) VALUES ('1')");
    await sealedAll(of, sealing);
    await of.admin.end();
    await server.stop();
    await until(() => sealing.log.some(({ level }) => level === 'warning'), 10_000);
    await server.restart();
    const again = { ...of, admin: await session() };
    all.push(again);
    await again.admin.query("USE lost; INSERT INTO patient (name) VALUES ('2')");
    await sealedAll(again, sealing);
    expect(await verify(again)).toMatchObject({ ok: true });
    expect(sealing.changes()).toBe(0);
  });

  it('has files that only its user can read', async () => {
    const of = await clinicOf('modes');
    const sealing = seal(of);
    await sealedAll(of, sealing);
    expect(statSync(of.directory).mode & 0o777).toBe(0o700);
    for (const file of ['leaves-00000000.bin', 'checkpoints-00000001.txt', 'tiles-8.bin']) {
      expect(statSync(join(of.directory, file)).mode & 0o777).toBe(0o600);
    }
  });

  it('calls a store broken that is not what its last checkpoint signs, and takes up one that a crash left', async () => {
    const of = await clinicOf('kept');
    const first = startSealing(of);
    for (let i = 0; i < 300; i++) await of.admin.query("INSERT INTO patient (name) VALUES ('x')");
    await sealedAll(of, first);
    await first.sealer.close();
    const file = (name: string): string => join(of.directory, name);
    const leaves = readFileSync(file('leaves-00000000.bin'));
    const reader = (await openSealSession(of.database)).reader;

    // A crash after the leaves and in the middle of the checkpoint, with tiles that never reached the disk.
    appendFileSync(file('leaves-00000000.bin'), leaves.subarray(0, 100));
    appendFileSync(file('checkpoints-00000001.txt'), 'chartgate/kept\n302\nAAAA');
    writeFileSync(file('tiles-8.bin'), Buffer.alloc(32));
    const second = startSealing(of);
    await of.admin.query("INSERT INTO patient (name) VALUES ('y')");
    await sealedAll(of, second);
    await second.sealer.close();
    expect(await second.sealer.check(reader)).toEqual([]);
    expect(readFileSync(file('checkpoints-00000002.txt'), 'utf8')).toMatch(/^chartgate\/kept\n302\n/);
    const verifier = readVerifier(of.keys.publicPem.toString(), originOf('kept'));
    const direct = directRows(of.admin, of.names.auditSchema);
    expect(await verifySeal({ path: of.directory, verifier, reader: direct })).toMatchObject({ ok: true });

    leaves.writeUInt8(leaves.readUInt8(20) ^ 1, 20);
    writeFileSync(file('leaves-00000000.bin'), leaves);
    const cut = seal(of);
    expect(await cut.sealer.check(reader)).toMatchObject([{ code: 'seal-broken' }]);
    await cut.sealer.close();
    const other = startSealing(of, { signer: noteSigner(originOf('kept'), keyPair().privatePem) });
    running.push(other);
    expect(await other.sealer.check(reader)).toMatchObject([{ code: 'seal-broken' }]);
  });
});
