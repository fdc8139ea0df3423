import { spawn } from 'node:child_process';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type CommandFolder, commandFolder, MAIN } from './support/command.ts';
import { GOOD_PASSWORD, OTHER_PASSWORD } from './support/world.ts';

let folder: CommandFolder;
let run: CommandFolder['run'];

beforeAll(() => {
  folder = commandFolder('secondFactor: { passwordAloneIsEnough: true }\n');
  run = folder.run;
});
afterAll(() => folder.remove());

const as = (login: string, words: readonly string[], more?: readonly string[]) =>
  run([...words, '--as', login], `${GOOD_PASSWORD}\n`, more);

describe('from an empty store to a clinic with users, by commands only', () => {
  test('the issuer’s OS user makes an organisation with two administrators', async () => {
    const one = await run(['organisation', 'create', 'riverside', '--administrator', 'anna=Anna Adams']);
    expect(one).toMatchObject({ code: 2, json: { ok: false, reason: 'invalid' } });
    const made = await run([
      ...['organisation', 'create', 'riverside'],
      ...['--administrator', 'anna=Anna Adams', '--administrator', 'boris=Boris Brown'],
    ]);
    expect(made).toMatchObject({ code: 0, err: '', json: { ok: true, organisation: 'riverside' } });
    expect(made.json.codes.map(({ login }) => login)).toEqual(['anna', 'boris']);
    const weak = await run(['user', 'enrol'], `${made.json.codes[0]?.text}\npassword\n`);
    expect(weak).toMatchObject({ code: 1, json: { ok: false, reason: 'unacceptable' } });
    for (const { text } of made.json.codes) {
      expect(await run(['user', 'enrol'], `${text}\n${GOOD_PASSWORD}\n`)).toMatchObject({ code: 0 });
    }
    expect((await run(['organisation', 'list'])).json).toMatchObject({
      organisations: [{ id: 'riverside' }],
    });
  });

  test('one administrator asks for a user, the other approves, and each has half of the code', async () => {
    const words = ['user', 'create', 'uma', '--name', 'Uma', '--organisation', 'riverside', '--role', 'user'];
    expect(await run(words)).toMatchObject({ code: 1, json: { reason: 'not-permitted' } });
    const asked = await as('anna', words);
    expect(asked).toMatchObject({ code: 0, json: { request: { state: 'open' } } });
    expect(asked.out).not.toContain('hash');
    const { id } = asked.json.request;
    expect(await as('anna', ['user', 'approve', id])).toMatchObject({
      code: 1,
      json: { reason: 'own-request' },
    });
    const listed = await as('boris', ['approval', 'list', '--organisation', 'riverside'], []);
    expect(listed.out).toContain(`${id}  create-account  open`);
    const approved = await as('boris', ['user', 'approve', id]);
    expect(approved.code).toBe(0);
    const code = `${asked.json.codes[0]?.text}-${approved.json.codes[0]?.text}`;
    expect((await run(['user', 'enrol'], `${code}\n${OTHER_PASSWORD}\n`)).code).toBe(0);
    const shown = await as('anna', ['user', 'show', 'uma'], []);
    expect(shown.out).toMatch(/^uma {2}active {2}user {2}Uma/);
    expect(shown.out).toContain('approved by');
  });

  test('users have no say, wrong passwords no actor, and the last two administrators stay', async () => {
    const user = await run(
      ['user', 'list', '--organisation', 'riverside', '--as', 'uma'],
      `${OTHER_PASSWORD}\n`,
    );
    expect(user).toMatchObject({ code: 1, json: { reason: 'not-permitted' } });
    const wrong = await run(['user', 'list', '--organisation', 'riverside', '--as', 'anna'], 'not it\n');
    const nobody = await run(['user', 'list', '--organisation', 'riverside', '--as', 'nobody'], 'not it\n');
    expect([wrong.code, nobody.code]).toEqual([2, 2]);
    expect(wrong.out + wrong.err).toContain('could not be signed in');
    expect((wrong.out + wrong.err).replaceAll('anna', 'nobody')).toBe(nobody.out + nobody.err);
    const last = await as('anna', ['user', 'disable', 'boris']);
    expect(last).toMatchObject({ code: 1, json: { reason: 'last-administrators' } });
    expect((await as('anna', ['user', 'disable', 'uma'], [])).out).toBe('Disabled.\n');
    expect((await as('anna', ['user', 'unlock', 'uma'], [])).code).toBe(0);
    expect(await as('boris', ['user', 'enable', 'uma'])).toMatchObject({ code: 0, json: { codes: [] } });
  });

  test('roles and events', async () => {
    const words = ['role', 'set', 'nurse', '--organisation', 'riverside', '--scope', 'user/Patient.rs'];
    const asked = await as('anna', words);
    expect((await as('boris', ['approval', 'approve', asked.json.request.id])).code).toBe(0);
    expect((await as('anna', ['role', 'list', '--organisation', 'riverside'], [])).out).toBe(
      'nurse  user/Patient.rs\n',
    );
    const events = await as('boris', ['organisation', 'events', 'riverside'], []);
    expect(events.out).toMatch(/account-requested[\s\S]*account-created[\s\S]*role-set/);
    expect(events.out).not.toMatch(/Uma|quartz/);
  });

  test('at a terminal the password is asked for and not shown', async () => {
    const words = [process.execPath, MAIN, 'user', 'list', '--organisation', 'riverside', '--as', 'anna'];
    const out = await new Promise<string>((resolve, reject) => {
      const child = spawn('script', ['-qec', [...words, '--config', folder.config].join(' '), '/dev/null']);
      let text = '';
      child.stdout.on('data', (chunk) => {
        text += chunk;
        if (text.endsWith('Password of anna: ')) child.stdin.write(`${GOOD_PASSWORD}\r`);
      });
      child.on('error', reject);
      child.on('close', () => resolve(text));
    });
    expect(out).toContain('Password of anna: ');
    expect(out).toContain('Boris Brown');
    expect(out).not.toContain(GOOD_PASSWORD);
  });
});

test.each(['organisation', 'user', 'role', 'approval'])('%s --help names its commands', async (name) => {
  const help = await run([name, '--help'], '', []);
  expect(help.code).toBe(0);
  expect(help.out).toContain('Commands:');
});

test('a configuration that is not there is a fault of the configuration', async () => {
  const child = await new Promise<number | null>((resolve) => {
    spawn(process.execPath, [MAIN, 'user', 'list', '--organisation', 'x', '--config', '/nowhere.yaml']).on(
      'close',
      resolve,
    );
  });
  expect(child).toBe(3);
});
