import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { parseRequest } from '../../measure/arguments.ts';
import { MEASUREMENTS } from '../../measure/registry.ts';

const main = join(import.meta.dirname, '..', '..', 'measure', 'main.ts');

test.each([
  [[], 'no name'],
  [['no-such'], 'a name that is not on the list'],
  [['constructor'], 'a name that every object has'],
  [['hot-path', 'memory'], 'two at a time'],
  [['hot-path', '--fast'], 'an unknown option'],
  [['hot-path', '--only', ','], 'an empty choice'],
  [['hot-path', '--json=yes'], 'a value for a switch'],
  [['inspection', '--minutes', '0'], 'no time'],
  [['inspection', '--minutes', 'ten'], 'no number'],
])('%j is wrong usage: %s', (argv) => {
  expect(parseRequest(argv).kind).toBe('wrong');
});

test('options are taken wherever they stand', () => {
  expect(parseRequest(['--short', 'hot-path', '--json', '--only', 'undici,nginx'])).toMatchObject({
    kind: 'run',
    name: 'hot-path',
    short: true,
    json: true,
    only: new Set(['undici', 'nginx']),
  });
  expect(parseRequest(['memory'])).toMatchObject({ short: false, json: false, only: undefined });
  expect(parseRequest(['inspection', '--minutes', '0.5'])).toMatchObject({ minutes: 0.5 });
});

test('help wins over everything else', () => {
  expect(parseRequest(['no-such', '--help']).kind).toBe('help');
});

test('an unknown name ends with exit code 2 and the list of names', () => {
  const ended = spawnSync(process.execPath, [main, 'no-such'], { encoding: 'utf8' });
  expect(ended.status).toBe(2);
  expect(ended.stdout).toBe('');
  for (const name of MEASUREMENTS.keys()) expect(ended.stderr).toContain(name);
});

test('--help ends with exit code 0 and the list of names', () => {
  const ended = spawnSync(process.execPath, [main, '--help'], { encoding: 'utf8' });
  expect(ended.status).toBe(0);
  for (const name of MEASUREMENTS.keys()) expect(ended.stdout).toContain(name);
});

test('a measurement that cannot be made ends with another exit code and still says so in JSON', () => {
  const ended = spawnSync(process.execPath, [main, 'hot-path', '--json', '--only', 'no-such'], {
    encoding: 'utf8',
  });
  expect(ended.status).toBe(70);
  expect(JSON.parse(ended.stdout.trimEnd().split('\n').at(-1) ?? '')).toMatchObject({ ok: false });
});
