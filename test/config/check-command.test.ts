import { Command } from 'commander';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { register } from '../../cli/commands/check.ts';
import { EXIT } from '../../cli/output.ts';
import { CHECKER, type Folder, GATEWAY, makeFolder, POLICY } from './support/folder.ts';

let folder: Folder;
beforeAll(async () => {
  folder = await makeFolder('config-check');
  folder.write('gateway.yaml', GATEWAY);
  folder.write('checker.yaml', CHECKER);
});
afterAll(() => folder.remove());
afterEach(() => {
  process.exitCode = undefined;
});

interface Result {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** Runs `chartgate check` in this process. @param files arguments; those without dashes are files of the folder */
async function check(...files: string[]): Promise<Result> {
  const out: string[] = [];
  const err: string[] = [];
  const log = vi.spyOn(console, 'log').mockImplementation((line) => out.push(String(line)));
  const error = vi.spyOn(console, 'error').mockImplementation((line) => err.push(String(line)));
  try {
    const program = new Command().exitOverride();
    register(program);
    const args = files.map((file) => (file.startsWith('-') ? file : `${folder.path}/${file}`));
    await program.parseAsync(['check', ...args], { from: 'user' });
  } finally {
    log.mockRestore();
    error.mockRestore();
  }
  const without = (lines: string[]) => lines.join('\n').replaceAll(`${folder.path}/`, '');
  return { code: Number(process.exitCode ?? 0), out: without(out), err: without(err) };
}

describe('chartgate check', () => {
  test('says what a sound file holds, and warns of what will soon be wrong', async () => {
    const { code, out, err } = await check('gateway.yaml');
    expect(err).toBe('');
    expect(out).toMatch(
      /^gateway\.yaml: sound gateway settings: 2 tenants, 1 issuer, 1 policy with 2 routes\.\nwarning: listen\.certificate: expires on [-\d]+ \(certificate-expires-soon\)$/,
    );
    expect(code).toBe(EXIT.ok);
  });

  test('sees by itself which kind a file is', async () => {
    expect((await check('checker.yaml')).out).toBe('checker.yaml: sound checker settings: 2 databases.');
    expect((await check('policy.yaml')).out).toBe('policy.yaml: sound policy settings: 2 routes.');
  });

  test('prints every fault to standard error and exits 3', async () => {
    folder.write('bad.yaml', GATEWAY.replace('8443', '0').replace('workers: 2', 'workers: 0'));
    const { code, out, err } = await check('bad.yaml');
    expect(err).toBe(
      'bad.yaml:3:9: listen.port: must be a whole number from 1 to 65535\n' +
        'bad.yaml:10:10: workers: must be "auto" or a whole number from 1 to 64\n' +
        '2 faults.',
    );
    expect(out).toBe('');
    expect(code).toBe(EXIT.configuration);
  });

  test('finds what only the compiler of policies knows', async () => {
    folder.write('bad-policy.yaml', POLICY.replace('    scopes: [openid]\n', ''));
    const { code, err } = await check('--policy', 'bad-policy.yaml');
    expect(err).toMatch(/^bad-policy\.yaml:10:5: routes\[1\]: /);
    expect(code).toBe(EXIT.configuration);
  });

  test('finds where gateway and checker do not fit together', async () => {
    expect((await check('--gateway', 'gateway.yaml', '--checker', 'checker.yaml')).code).toBe(EXIT.ok);
    folder.write('other.secret', 'another secret of enough bytes', 0o600);
    folder.write(
      'stranger.yaml',
      CHECKER.replace('checker.sock', 'other.sock')
        .replace('shared', 'other')
        .replace('id: north-emr', 'id: elsewhere'),
    );
    const { code, err } = await check('gateway.yaml', '--checker', 'stranger.yaml');
    expect(err.split('\n')).toEqual([
      "gateway.yaml:14:11: integrity.socket: is not the checker's socket, which is /run/chartgate/other.sock",
      "gateway.yaml:15:19: integrity.secret.file: holds another secret than the checker's; they must be the same",
      'gateway.yaml:35:15: tenants[0].database: is not a database of the checker, which knows elsewhere, south-emr; did you mean "south-emr"?',
      '3 faults.',
    ]);
    expect(code).toBe(EXIT.configuration);
  });

  test('--json gives faults and warnings to scripts', async () => {
    folder.write('bad.yaml', GATEWAY.replace('8443', '0'));
    const { code, out, err } = await check('bad.yaml', '--json');
    expect(JSON.parse(out)).toEqual({
      ok: false,
      checked: [{ kind: 'gateway', file: 'bad.yaml', summary: '' }],
      faults: [
        {
          file: 'bad.yaml',
          line: 3,
          column: 9,
          path: 'listen.port',
          message: 'must be a whole number from 1 to 65535',
        },
      ],
      warnings: [],
    });
    expect(err).toBe('');
    expect(code).toBe(EXIT.configuration);
    expect(JSON.parse((await check('gateway.yaml', '--json')).out)).toMatchObject({ ok: true, faults: [] });
  });

  test('a file named by its kind need not look like it', async () => {
    folder.write('empty.yaml', '');
    const { code, err } = await check('--gateway', 'empty.yaml', '--policy', 'not-there.yaml');
    expect(err).toBe(
      'empty.yaml: the file is empty or holds only comments\nnot-there.yaml: the file does not exist\n2 faults.',
    );
    expect(code).toBe(EXIT.configuration);
  });

  test('wrong usage is told apart from faults', async () => {
    folder.write('unclear.yaml', 'hello: world\n');
    await expect(check()).rejects.toMatchObject({ code: 'usage' });
    await expect(check('unclear.yaml')).rejects.toMatchObject({ code: 'usage' });
    await expect(check('gateway.yaml', '--gateway', 'gateway.yaml')).rejects.toMatchObject({ code: 'usage' });
  });
});
