import { spawnSync } from 'node:child_process';
import { chmodSync, chownSync, cpSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { Result } from '../../cli/doctor/index.ts';
import { reportText } from '../../cli/doctor/report.ts';
import { freePort } from '../../examples/support/ports.ts';
import { stackFor } from '../support/stack.ts';
import { BREAKAGES, gateway } from './breakages.ts';
import { type Given, Patient } from './support.ts';

/** Only root can be two users: as somebody else the demo itself has only one, and says so. */
const asRoot = process.getuid?.() === 0;
const root = join(import.meta.dirname, '../..');

let patient: Patient;

beforeAll(async () => {
  patient = new Patient(await stackFor('doctor'));
});
afterEach(() => patient.mend());
afterAll(() => patient?.stack.stop());

function doctor(...args: string[]): { status: number | null; stdout: string; stderr: string } {
  return spawnSync(process.execPath, [join(root, 'bin/chartgate.mjs'), 'doctor', ...args], {
    encoding: 'utf8',
  });
}

describe('chartgate doctor', () => {
  it.runIf(asRoot)('finds nothing failed in the demo, and looks at everything', () => {
    const { status, stdout, stderr } = doctor(
      '--gateway',
      patient.file('gateway'),
      '--checker',
      patient.file('checker'),
      '--json',
    );
    expect(stderr).toBe('');
    const report = JSON.parse(stdout) as {
      ok: boolean;
      checks: { check: string; result: Result; about: string }[];
    };
    expect(report.checks.filter(({ result }) => result === 'failed')).toEqual([]);
    expect({ ok: report.ok, status }).toEqual({ ok: true, status: 0 });
    const skipped = report.checks.filter(({ result }) => result === 'skipped');
    expect(skipped.map(({ check, about }) => `${check} ${about}`)).toEqual([
      'database-tls north',
      'database-tls south',
      'emr-around from outside',
    ]);
  });

  it('tells a person every check by name, and ends with a sum', async () => {
    const outcomes = await patient.examine(undefined);
    const text = reportText(outcomes, false);
    for (const name of new Set(outcomes.map(({ check }) => check))) expect(text).toContain(name);
    expect(text).toMatch(/: \d+ ok, \d+ failed, \d+ warn, \d+ skipped\.$/);
    expect(text).not.toContain('\u001b');
  });

  it('holds no secret in what it says', async () => {
    const text = JSON.stringify(await patient.examine(undefined));
    for (const [side, name] of [
      ['gateway', 'attestation.secret'],
      ['gateway', 'introspection.secret'],
      ['checker', 'north.password'],
    ] as const)
      expect(text).not.toContain(readFileSync(patient.file(side, name), 'utf8').trim());
  });

  it('with neither settings nor an address ends with 2, and with a check that does not exist', () => {
    expect(doctor().status).toBe(2);
    const { status, stderr } = doctor('--gateway', 'x', '--only', 'nothing');
    expect({ status, told: stderr.includes('there is no check nothing') }).toEqual({ status: 2, told: true });
  });

  it('on a machine of the clients, where there are no settings, tries the address alone', async () => {
    const port = await patient.listen('127.0.0.1');
    const { status, stdout } = doctor('--emr-address', `127.0.0.1:${port}`, '--only', 'emr-around');
    expect(status).toBe(1);
    expect(stdout).toMatch(/it answers from this machine/);
    expect(doctor('--emr-address', `127.0.0.1:${await freePort()}`, '--only', 'emr-around').status).toBe(0);
  });

  it.runIf(asRoot)('run by somebody else, says what it could not look at instead of calling it right', () => {
    const command = [
      process.execPath,
      join(root, 'bin/chartgate.mjs'),
      'doctor',
      '--json',
      '--gateway',
      patient.file('gateway'),
      '--checker',
      patient.file('checker'),
    ];
    const { stdout } = spawnSync(command[0] ?? '', command.slice(1), {
      encoding: 'utf8',
      uid: 65_534,
      gid: 65_534,
    });
    const { checks } = JSON.parse(stdout) as { checks: { check: string; result: Result }[] };
    expect(checks.filter(({ result }) => result === 'ok').map(({ check }) => check)).toEqual([]);
    expect(checks.some(({ check, result }) => check === 'checker-files-closed' && result === 'skipped')).toBe(
      true,
    );
  });
});

describe.runIf(asRoot)('a broken promise', () => {
  it.each(BREAKAGES)('$what: $check says so', async ({ check, breakIt, result = 'failed', says }) => {
    const given = ((await breakIt(patient)) ?? {}) as Given;
    const told = (await patient.examine([check], given)).filter((each) => each.check === check);
    const sentences = told
      .filter((each) => each.result === result)
      .map(({ about, sentence }) => `${about}: ${sentence}`);
    expect(sentences.join('\n') || JSON.stringify(told)).toMatch(says);
    for (const each of told) if (each.result === 'failed') expect(each.remedy).not.toBe('');
  });

  it('mended, nothing is left of it', async () => {
    const outcomes = await patient.examine(undefined);
    expect(outcomes.filter(({ result }) => result === 'failed')).toEqual([]);
  });

  it("a program that the gateway's user can change: code-unwritable says so", () => {
    const copy = join(patient.stack.directory, 'copy');
    patient.later(() => rmSync(copy, { recursive: true, force: true }));
    for (const part of [
      'activity-log',
      'audit-sql',
      'bin',
      'cli',
      'config',
      'console',
      'contracts',
      'gateway',
      'identity',
      'inspection',
      'integrity-checker',
      'policies',
      'telemetry',
      'tenant-router',
      'package.json',
    ])
      cpSync(join(root, part), join(copy, part), { recursive: true });
    symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'));
    const run = (): string =>
      spawnSync(
        process.execPath,
        [
          join(copy, 'bin/chartgate.mjs'),
          'doctor',
          '--gateway',
          patient.file('gateway'),
          '--checker',
          patient.file('checker'),
          '--only',
          'code-unwritable',
        ],
        { encoding: 'utf8' },
      ).stdout;
    expect(run()).toMatch(/✓ gateway: .* can change nothing/);
    chmodSync(join(copy, 'gateway'), 0o777);
    chownSync(join(copy, 'cli'), gateway(patient).uid, gateway(patient).gid);
    expect(run()).toMatch(/✗ gateway: .* can change .*copy\/cli.*copy\/gateway/);
  });
});
