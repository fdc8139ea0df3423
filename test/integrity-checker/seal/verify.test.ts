import { copyFileSync, cpSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { RowDataPacket } from 'mysql2/promise';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { PrivateDatabase } from '../../../examples/support/private-database.ts';
import { splitNotes } from '../../../integrity-checker/seal/checkpoint.ts';
import { directRows, guardedRows, originOf, readVerifier } from '../../../integrity-checker/seal/index.ts';
import { LEAF_BYTES } from '../../../integrity-checker/seal/leaf.ts';
import type { NoteVerifier } from '../../../integrity-checker/seal/note.ts';
import { lastCheckpoint, sealReportText, verifySeal } from '../../../integrity-checker/seal/verify/index.ts';
import {
  CHECKER,
  CHECKER_PASSWORD,
  connectAs,
  EMR_PASSWORD,
  EMR_USER,
  ENGINES,
  keyPair,
  startServer,
} from '../../audit-sql/support.ts';
import { until } from '../support/wait.ts';
import { type Audited, audited, countRows, startSealing } from './support.ts';
import { disarm, TAMPERS, undo } from './tampers.ts';

const CHECKPOINTS = 'checkpoints-00000001.txt';

describe.each(ENGINES)('an audit of sealed rows on %s', (engine) => {
  let server: PrivateDatabase;
  let clinic: Audited;
  let verifier: NoteVerifier;
  const aside = (name: string): string => join(server.directory, name);

  /** 44 rows sealed in several checkpoints, one id rolled back; three of a table without transactions. */
  beforeAll(async () => {
    server = await startServer('seal-verify', engine);
    clinic = await audited(server, 'clinic');
    verifier = readVerifier(clinic.keys.publicPem.toString(), originOf('clinic'));
    rmSync(clinic.directory, { recursive: true, force: true });
    const { admin } = clinic;
    const { sealer, log } = startSealing(clinic);
    const insert = async (count: number): Promise<void> => {
      for (let i = 0; i < count; i++) await admin.query(`INSERT INTO patient (name) VALUES ('p ${i}')`);
      const size = await countRows(clinic);
      await until(() => sealer.size === size, 10_000);
    };
    await insert(9);
    await admin.query("BEGIN; INSERT INTO patient (name) VALUES ('never'); ROLLBACK");
    await insert(10);
    copyFileSync(join(clinic.directory, CHECKPOINTS), aside('early.txt'));
    await admin.query("INSERT INTO code (label) VALUES ('a'), ('b'), ('c')");
    await insert(11);
    await insert(13);
    await until(() => {
      const { notes } = splitNotes(readFileSync(join(clinic.directory, CHECKPOINTS), 'utf8'));
      return notes.at(-1)?.includes('audit_row head=44 at=46 settled=44') === true;
    }, 15_000);
    await sealer.close();
    expect(log.filter(({ level }) => level !== 'info')).toEqual([]);
    await disarm(admin, clinic.names.auditSchema);
  }, 120_000);
  afterAll(async () => {
    await clinic.admin.end();
    await server.stop();
  });

  const verify = (path = clinic.directory, expected: readonly string[] = []) =>
    verifySeal({ path, verifier, reader: directRows(clinic.admin, clinic.names.auditSchema), expected });

  it('finds nothing where nothing was done, with the leaves and without', async () => {
    for (const path of [clinic.directory, join(clinic.directory, CHECKPOINTS)]) {
      const report = await verify(path, [aside('early.txt')]);
      expect(report).toMatchObject({
        ok: true,
        findings: [],
        notes: [],
        figures: { leaves: 47, rows: 47, unsealed: 0 },
      });
    }
  });

  it("needs no more than the checker's user, who cannot see a row", async () => {
    const checker = await connectAs(server, CHECKER.user, CHECKER_PASSWORD);
    const reader = guardedRows(checker, clinic.names.auditSchema);
    const report = await verifySeal({ path: clinic.directory, verifier, reader });
    expect(report).toMatchObject({ ok: true, precision: 'leaves', figures: { rows: 47 } });
    await expect(
      verifySeal({ path: clinic.directory, verifier, reader: directRows(checker, clinic.names.auditSchema) }),
    ).rejects.toMatchObject({ code: 'ER_TABLEACCESS_DENIED_ERROR' });
    await checker.end();
  });

  it('leaves rows that are not sealed yet for the next time', async () => {
    await clinic.admin.query("INSERT INTO patient (name) VALUES ('later')");
    const report = await verify();
    expect(report).toMatchObject({ ok: true, figures: { unsealed: 1 } });
    await undo(clinic.admin, clinic.names.auditSchema);
  });

  it.each(TAMPERS)('finds it when $what', async ({ does, finds }) => {
    await clinic.admin.query(does.replaceAll('$', clinic.names.auditSchema));
    const report = await verify();
    const found = report.findings.map(({ code, rows }) => [
      code,
      `${rows?.table} ${rows?.first}-${rows?.last}`,
    ]);
    expect(found).toEqual(finds);
    expect(report.ok).toBe(false);
    // Each says when: after a checkpoint that was signed while all was well.
    for (const { sealedBy } of report.findings) {
      expect(sealedBy?.time).toMatch(/^20\d\d-/);
      expect(sealedBy?.size).toBeLessThanOrEqual(47);
    }
    const coarse = await verify(join(clinic.directory, CHECKPOINTS));
    expect(coarse.ok).toBe(finds.every(([, place]) => place === 'audit_row_direct 7-7'));
    await undo(clinic.admin, clinic.names.auditSchema);
  });

  it('is well again afterwards', async () => {
    expect(await verify()).toMatchObject({ ok: true });
  });

  describe('of a store that was changed', () => {
    const copy = (name: string, change: (folder: string) => void): string => {
      const folder = aside(`store-${name}`);
      rmSync(folder, { recursive: true, force: true });
      cpSync(clinic.directory, folder, { recursive: true });
      change(folder);
      return folder;
    };
    const edit = (file: string, change: (bytes: Buffer) => Buffer): void =>
      writeFileSync(file, change(readFileSync(file)));

    it.each<[what: string, change: (folder: string) => void, code: string]>([
      [
        'a leaf is edited',
        (folder) =>
          edit(join(folder, 'leaves-00000000.bin'), (bytes) => {
            bytes.writeUInt8(bytes.readUInt8(20 * LEAF_BYTES + 30) ^ 1, 20 * LEAF_BYTES + 30);
            return bytes;
          }),
        'store-altered',
      ],
      [
        'two leaves change places',
        (folder) =>
          edit(join(folder, 'leaves-00000000.bin'), (bytes) =>
            Buffer.concat([
              bytes.subarray(0, LEAF_BYTES),
              bytes.subarray(2 * LEAF_BYTES, 3 * LEAF_BYTES),
              bytes.subarray(LEAF_BYTES, 2 * LEAF_BYTES),
              bytes.subarray(3 * LEAF_BYTES),
            ]),
          ),
        'store-altered',
      ],
      [
        'leaves are cut off',
        (folder) => edit(join(folder, 'leaves-00000000.bin'), (bytes) => bytes.subarray(0, 30 * LEAF_BYTES)),
        'store-cut',
      ],
      [
        'a checkpoint is edited',
        (folder) =>
          edit(join(folder, CHECKPOINTS), (bytes) =>
            Buffer.from(bytes.toString().replace('head=9', 'head=8')),
          ),
        'checkpoint-invalid',
      ],
      [
        'a checkpoint is taken out',
        (folder) =>
          edit(join(folder, CHECKPOINTS), (bytes) => {
            const { notes } = splitNotes(bytes.toString());
            return Buffer.from(
              notes
                .toSpliced(1, 1)
                .map((note) => `${note}\n`)
                .join(''),
            );
          }),
        'checkpoint-contradicts',
      ],
      [
        'checkpoints change places',
        (folder) =>
          edit(join(folder, CHECKPOINTS), (bytes) => {
            const { notes } = splitNotes(bytes.toString());
            return Buffer.from(
              notes
                .toReversed()
                .map((note) => `${note}\n`)
                .join(''),
            );
          }),
        'checkpoint-contradicts',
      ],
    ])('finds it when %s', async (what, change, code) => {
      const report = await verify(copy(what.replaceAll(' ', '-'), change));
      expect(report.ok).toBe(false);
      expect(report.findings.map((finding) => finding.code)).toContain(code);
    });

    it('finds it when the end of the log is cut off, by a checkpoint that was kept elsewhere', async () => {
      const folder = copy('behind', (store) => {
        copyFileSync(aside('early.txt'), join(store, CHECKPOINTS));
      });
      writeFileSync(aside('kept.txt'), await lastCheckpoint(clinic.directory));
      expect((await verify(folder)).findings.map(({ code }) => code)).not.toContain('store-behind');
      expect((await verify(folder, [aside('kept.txt')])).findings.map(({ code }) => code)).toContain(
        'store-behind',
      );
    });

    it('finds it when the whole was made anew after rows were changed, by a checkpoint that was kept elsewhere', async () => {
      await clinic.admin.query(`UPDATE ${clinic.names.auditSchema}.audit_row SET login = 'x' WHERE id = 2`);
      const directory = aside('forged');
      rmSync(directory, { recursive: true, force: true });
      const { sealer } = startSealing(clinic, { directory });
      await until(() => sealer.size === 47, 10_000);
      await sealer.close();
      expect(await verify(directory)).toMatchObject({ ok: true });
      const report = await verify(directory, [aside('early.txt')]);
      expect(report.findings.map(({ code }) => code)).toContain('store-forked');
      await undo(clinic.admin, clinic.names.auditSchema);
    });

    it('believes no checkpoint that another key signed', async () => {
      const stranger = readVerifier(keyPair().publicPem.toString(), originOf('clinic'));
      const reader = directRows(clinic.admin, clinic.names.auditSchema);
      const report = await verifySeal({ path: clinic.directory, verifier: stranger, reader });
      expect(report.ok).toBe(false);
      expect(new Set(report.findings.map(({ code }) => code))).toEqual(new Set(['checkpoint-invalid']));
      expect(report.figures.rows).toBe(0);
    });
  });

  it('from checkpoints alone finds what was edited or deleted while a transaction from before stays open', async () => {
    const ward = await audited(server, 'ward');
    const { admin } = ward;
    const { sealer } = startSealing(ward);
    const holder = await connectAs(server, EMR_USER.user, EMR_PASSWORD, 'ward');
    await holder.query('BEGIN');
    await holder.query("INSERT INTO patient (name) VALUES ('held')");
    for (let i = 0; i < 5; i++) await admin.query(`INSERT INTO patient (name) VALUES ('p ${i}')`);
    const size = await countRows(ward);
    await until(() => sealer.size === size, 10_000);
    await sealer.close();
    await holder.query('ROLLBACK');
    await holder.end();
    await disarm(admin, ward.names.auditSchema);
    const path = join(ward.directory, CHECKPOINTS);
    const look = () =>
      verifySeal({
        path,
        verifier: readVerifier(ward.keys.publicPem.toString(), originOf('ward')),
        reader: directRows(admin, ward.names.auditSchema),
      });
    expect(await look()).toMatchObject({ ok: true, notes: [] });
    await admin.query("UPDATE ward_audit.audit_row SET login = 'somebody else' WHERE id = 4");
    expect((await look()).findings.map(({ code }) => code)).toEqual(['batch-differs']);
    await admin.query('DELETE FROM ward_audit.audit_row WHERE id = 4');
    expect((await look()).findings.map(({ code }) => code)).toEqual(['batch-differs']);
    await undo(admin, 'ward_audit');
    // A row that the open transaction could have written: nobody can tell yet, and that is said.
    const [[first]] = await admin.query<RowDataPacket[]>('SELECT MIN(id) AS id FROM ward_audit.audit_row');
    await admin.query('UPDATE ward_audit.kept_audit_row SET id = 1 WHERE id = 4');
    await admin.query(
      'INSERT INTO ward_audit.audit_row SELECT * FROM ward_audit.kept_audit_row WHERE id = 1',
    );
    expect(Number(first?.id)).toBe(2);
    const unclear = await look();
    expect(unclear).toMatchObject({ ok: true, notes: [expect.stringMatching(/cannot be compared yet/)] });
    expect(sealReportText(unclear)).toMatch(/\nintact as far as it could be compared/);
    await admin.end();
  });

  it('says so when there is nothing to compare with', async () => {
    await expect(verify(aside('not-there'))).rejects.toMatchObject({ code: 'seal-unavailable' });
    expect(existsSync(aside('not-there'))).toBe(false);
  });
});
