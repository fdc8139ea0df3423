import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { CheckName, Result } from '../../cli/doctor/index.ts';
import { attemptAs } from '../separation/support/probe.ts';
import { stackFor } from '../support/stack.ts';
import { breakages, placesOf } from './issuer-breakages.ts';
import { type Given, Patient } from './support.ts';

/** Three OS users take root; as somebody else the demo has only one, and says so. */
const asRoot = process.getuid?.() === 0;
const root = join(import.meta.dirname, '../..');

let patient: Patient;

beforeAll(async () => {
  patient = new Patient(await stackFor('doctor-issuer', { people: true }));
}, 180_000);
afterEach(() => patient.mend());
afterAll(() => patient?.stack.stop());

const given = (): Given => ({ issuer: patient.file('issuer') });
const { run, state, of } = placesOf(() => patient);
const both = (of: Given): Given => ({ ...given(), ...of });

describe.runIf(asRoot)('chartgate doctor --issuer', () => {
  it('finds nothing failed in the demo, and looks at everything', () => {
    const { status, stdout, stderr } = spawnSync(
      process.execPath,
      [
        join(root, 'bin/chartgate.mjs'),
        'doctor',
        ...['--gateway', patient.file('gateway')],
        ...['--checker', patient.file('checker')],
        ...['--issuer', patient.file('issuer')],
        '--no-sql-attempts',
        '--json',
      ],
      { encoding: 'utf8' },
    );
    expect(stderr).toBe('');
    const { checks } = JSON.parse(stdout) as {
      checks: { check: string; result: Result; about: string; sentence: string }[];
    };
    expect(checks.filter(({ result }) => result === 'failed')).toEqual([]);
    expect(status).toBe(0);
    const good = checks
      .filter(({ result }) => result === 'ok')
      .map(({ check, about }) => `${check} ${about}`);
    expect(good).toEqual(
      expect.arrayContaining([
        'settings issuer',
        'processes-run issuer',
        'users-differ ',
        'file-modes issuer',
        "checker-files-closed the issuer's user",
        "gateway-files-closed the issuer's user",
        "issuer-files-closed the gateway's user",
        "issuer-files-closed the checker's user",
        'strangers-kept-out any other user',
        'code-unwritable issuer',
        'sealing-keys ',
        'state-stores issuer',
        'state-stores gateway',
        `issuer-socket ${run('i.sock')}`,
      ]),
    );
    expect(good.some((each) => each.startsWith('issuer-answers https://id.localhost'))).toBe(true);
    expect(checks.find(({ check }) => check === 'users-differ')?.sentence).toMatch(/64112/);
  });

  it('holds no secret in what it says', async () => {
    const text = JSON.stringify(await patient.examine(undefined, given()));
    for (const [side, name] of [
      ['issuer', 'gateway.secret'],
      ['issuer', 'client.secret'],
      ['issuer', 'state.key'],
      ['gateway', 'state.key'],
    ] as const)
      expect(text).not.toContain(readFileSync(patient.file(side, name), 'utf8').trim());
  });

  it('without --issuer says that it was not told of the issuer that the gateway has', async () => {
    const told = await patient.examine(['users-differ']);
    expect(told.filter(({ about }) => about === 'issuer')).toMatchObject([
      { check: 'settings', result: 'skipped', sentence: expect.stringMatching(/no --issuer was given/) },
    ]);
  });

  it('`chartgate check` says the same of two files that do not fit together', () => {
    const check = (issuer: string): { status: number | null; stdout: string } =>
      spawnSync(
        process.execPath,
        [
          join(root, 'bin/chartgate.mjs'),
          'check',
          ...['--gateway', patient.file('gateway'), '--issuer', issuer, '--json'],
        ],
        { encoding: 'utf8' },
      );
    expect(check(patient.file('issuer')).status).toBe(0);
    const { status, stdout } = check(patient.variant('issuer', (text) => text.replace('i.sock', 'k.sock')));
    expect(status).toBe(3);
    expect(JSON.parse(stdout).faults).toMatchObject([
      { path: 'issuers[1].embedded.socket', message: expect.stringMatching(/is not the issuer's socket/) },
    ]);
  });

  it('of an issuer whose settings are wrong, says that it could not look', async () => {
    const wrong = patient.variant('issuer', (text) => text.replace('issuerSocket', 'issuerSoket'));
    const told = await patient.examine(undefined, { issuer: wrong, options: { sqlAttempts: false } });
    const of = (check: CheckName): unknown[] =>
      told.filter((each) => each.check === check).map(({ result }) => result);
    expect(told.find(({ about }) => about === 'issuer')).toMatchObject({
      check: 'settings',
      result: 'failed',
    });
    expect(of('issuer-files-closed')).toEqual(['skipped', 'skipped']);
    expect(of('issuer-socket')).toEqual(['skipped']);
    expect(of('issuer-answers')).toEqual(['skipped']);
  });

  it('leaves no file of its own in the stores', async () => {
    const owners = (): string =>
      spawnSync('find', [state(), '-not', '-uid', String(of('issuer').uid)], { encoding: 'utf8' }).stdout;
    await patient.examine(['state-stores'], given());
    expect(owners()).toBe('');
  });
});

describe('the running issuer', () => {
  it('is refused by its own runtime whatever it has no use for', () => {
    const { layout, people } = patient.stack;
    const fs = (call: string): string => `(await import('node:fs')).${call}`;
    const read = (path: string): string => fs(`readFileSync(${JSON.stringify(path)})`);
    const write = (path: string): string => fs(`writeFileSync(${JSON.stringify(path)}, '')`);
    const probe = state('probe');
    expect(
      attemptAs(people?.service.pid ?? 0, {
        'read the users of the machine': read('/etc/passwd'),
        "read the gateway's settings": read(patient.file('gateway')),
        "read the checker's settings": read(patient.file('checker')),
        "list the gateway's sessions": fs(`readdirSync(${JSON.stringify(join(layout.gateway, 'state'))})`),
        'write its own settings': write(patient.file('issuer')),
        'write beside its socket': write(run('other')),
        'start a program': `(await import('node:child_process')).execSync('true')`,
        'become another program': `process.execve('/bin/true', ['true'], {})`,
        'start a thread': `new (await import('node:worker_threads')).Worker('1', { eval: true })`,
        'open the inspector': `(await import('node:inspector')).open(0)`,
        'load an addon': `process.dlopen({ exports: {} }, '/lib/x.node')`,
        'read its settings': read(patient.file('issuer')),
        'write in the folder of its state': write(probe),
        'and remove it': fs(`rmSync(${JSON.stringify(probe)})`),
      }),
    ).toEqual({
      'read the users of the machine': 'ERR_ACCESS_DENIED',
      "read the gateway's settings": 'ERR_ACCESS_DENIED',
      "read the checker's settings": 'ERR_ACCESS_DENIED',
      "list the gateway's sessions": 'ERR_ACCESS_DENIED',
      'write its own settings': 'ERR_ACCESS_DENIED',
      'write beside its socket': 'ERR_ACCESS_DENIED',
      'start a program': 'ERR_ACCESS_DENIED',
      'become another program': 'ERR_ACCESS_DENIED',
      'start a thread': 'ERR_ACCESS_DENIED',
      'open the inspector': 'ERR_ACCESS_DENIED',
      'load an addon': 'ERR_DLOPEN_DISABLED',
      'read its settings': 'ok',
      'write in the folder of its state': 'ok',
      'and remove it': 'ok',
    });
  });
});

describe.runIf(asRoot)('a broken promise about the embedded issuer', () => {
  it.each(breakages(() => patient))(
    '$what: $check says so',
    async ({ check, breakIt, result = 'failed', says }) => {
      const changed = ((await breakIt(patient)) ?? {}) as Given;
      const told = (await patient.examine([check], both(changed))).filter((each) => each.check === check);
      const sentences = told
        .filter((each) => each.result === result)
        .map(({ about, sentence }) => `${about}: ${sentence}`);
      expect(sentences.join('\n') || JSON.stringify(told)).toMatch(says);
      for (const each of told) if (each.result === 'failed') expect(each.remedy).not.toBe('');
    },
  );

  it('mended, nothing is left of it', async () => {
    const outcomes = await patient.examine(undefined, given());
    expect(outcomes.filter(({ result }) => result === 'failed')).toEqual([]);
  });
});
