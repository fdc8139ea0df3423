import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { openActivityLog } from '../../activity-log/index.ts';
import { NAME, pathOf, workFolder } from './support/directory.ts';
import { intent, outcome, requestId } from './support/entries.ts';

const folder = workFolder();
const start = Date.UTC(2026, 0, 31, 12);

function chartgate(...args: string[]): { status: number | null; stdout: string; stderr: string } {
  const script = join(import.meta.dirname, 'support', 'command.ts');
  return spawnSync(process.execPath, [script, 'log', ...args], { encoding: 'utf8' });
}

beforeAll(async () => {
  let wall = start;
  const clock = { wall: () => wall, monotonic: () => performance.now() };
  const logs = await Promise.all(
    [NAME, 'worker-2'].map((name) => openActivityLog({ directory: folder.path, name, clock })),
  );
  for (let number = 0; number < 6; number += 1) {
    wall += 60_000;
    await logs[number % 2]?.append(intent(requestId(number), { client: '\u001b[2J evil\u202e' }));
  }
  wall += 60_000;
  await logs[0]?.append(outcome(requestId(0), 'scope-missing'));
  for (const log of logs) await log.close();
});
afterAll(() => folder[Symbol.dispose]());

it('verify: exit code 0 and the heads for an intact log', () => {
  const { status, stdout } = chartgate('verify', folder.path);
  expect(status).toBe(0);
  const head = /head (worker-1:5:[0-9a-f]{64}) /.exec(stdout)?.[1];
  expect(stdout).toMatch(/^intact: 9 records/m);
  expect(chartgate('verify', folder.path, '--expect-head', String(head)).status).toBe(0);
  const forged = `worker-1:5:${'0'.repeat(64)}`;
  const other = chartgate('verify', folder.path, '--expect-head', String(head), '--expect-head', forged);
  expect(other.status).toBe(1);
  expect(other.stdout).toContain('head-different');
});

it('verify: exit code 1 and the place for a broken log, also as JSON', () => {
  using copy = workFolder();
  writeFileSync(pathOf(copy.path), readFileSync(pathOf(folder.path), 'utf8').replace('user-17', 'user-18'));
  const text = chartgate('verify', copy.path);
  expect(text.status).toBe(1);
  expect(text.stdout).toContain('worker-1.00000001.jsonl:2 (record 2)  hash-mismatch');
  const json = chartgate('verify', copy.path, '--json');
  expect(json.status).toBe(1);
  expect(JSON.parse(json.stdout)).toMatchObject({
    intact: false,
    faults: [{ code: 'hash-mismatch', line: 2 }],
  });
});

it('verify: exit code 4 when the log cannot be read', () => {
  const { status, stderr } = chartgate('verify', join(folder.path, 'absent'));
  expect(status).toBe(4);
  expect(stderr).toContain('ENOENT');
});

it('show: the entries of one request from all chains, in the order of time', () => {
  const { status, stdout } = chartgate('show', folder.path, '--request', requestId(0), '--json');
  expect(status).toBe(0);
  const records = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  expect(records.map(({ chain, entry }) => [chain, entry.kind])).toEqual([
    ['worker-1', 'intent'],
    ['worker-1', 'outcome'],
  ]);
});

it('show: everything since an instant, merged', () => {
  const since = new Date(start + 3 * 60_000).toISOString();
  const { stdout } = chartgate('show', folder.path, '--since', since, '--json');
  const records = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  expect(records.map(({ entry }) => entry.request)).toEqual(
    [2, 3, 4, 5, 0].map((number) => requestId(number)),
  );
});

it('show: what a client chose cannot command the terminal', () => {
  const { stdout } = chartgate('show', folder.path);
  expect(stdout).toContain('\\u001b[2J evil\\u202e');
  expect(stdout).toContain('reasons=+route-matched(patient-read),-scope-missing');
  expect(stdout).not.toMatch(/[^\x20-\x7e\n]/);
});

it.each([
  [['show', folder.path, '--since', 'yesterday'], '--since'],
  [['show', folder.path, '--request', '../x'], '--request'],
  [['verify', folder.path, '--expect-head', 'worker-1:5:abc'], '--expect-head'],
])('refuses %j', (args, named) => {
  const { status, stderr } = chartgate(...args);
  expect(status).not.toBe(0);
  expect(stderr).toContain(named);
});
