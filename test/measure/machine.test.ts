import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { afterEach, expect, test } from 'vitest';
import {
  coreSeconds,
  family,
  parseCores,
  processorSeconds,
  residentBytes,
  separateCores,
} from '../../measure/machine.ts';

const running: { kill(): void }[] = [];
afterEach(() => {
  for (const child of running.splice(0)) child.kill();
});

test.each([
  ['0-1', [0, 1]],
  ['3', [3]],
  ['0,2-4,7\n', [0, 2, 3, 4, 7]],
  ['', []],
])('the list of cores %j is %j', (list, expected) => {
  expect(parseCores(list)).toEqual(expected);
});

test('a process counts with everything it started', async () => {
  const child = spawn('sh', ['-c', 'sleep 30 & echo started; wait'], { stdio: ['ignore', 'pipe', 'ignore'] });
  running.push({ kill: () => family(child.pid ?? 0).forEach((pid) => void process.kill(pid)) });
  await once(child.stdout, 'data');
  expect(family(child.pid ?? 0).length).toBeGreaterThanOrEqual(2);
});

test('memory and processor time of this process are seen, and of one that is gone there is none', () => {
  expect(residentBytes([process.pid])).toBeGreaterThan(1e6);
  expect(processorSeconds([process.pid])).toBeGreaterThan(0);
  expect(residentBytes([2 ** 30])).toBe(0);
  expect(processorSeconds([2 ** 30])).toBe(0);
});

test('two cores are kept apart where there are two, and the process may move freely afterwards', () => {
  const cores = separateCores();
  if (cores === undefined) return;
  expect(cores.proxy).not.toBe(cores.load);
  expect(coreSeconds(cores.proxy).busy).toBeGreaterThan(0);
  cores.restore();
  const again = separateCores();
  expect(again).toMatchObject({ proxy: cores.proxy, load: cores.load });
  again?.restore();
});
