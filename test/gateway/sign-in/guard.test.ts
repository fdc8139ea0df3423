import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Browser, inputs } from '../../support/sign-in/browser.ts';
import { type SignInStack, signInStackFor } from '../../support/sign-in/stack.ts';

const MAIN = join(import.meta.dirname, '..', '..', '..', 'cli', 'main.ts');
const TWO = { acr: 'urn:test:two', amr: ['pwd', 'otp', 'mfa'] };
const FAR = { slow: 1000, stepUp: 1000, lock: 1000 };
const pause = (ms: number): Promise<void> => new Promise((done) => setTimeout(done, ms));

let s: SignInStack;
let browser: Browser;
beforeAll(async () => {
  s = await signInStackFor('sign-in-guard', {
    guard: {
      mode: 'enforce',
      person: { misses: { slow: 4, stepUp: 4, lock: 8 }, patients: FAR },
      slowBy: '50ms',
    },
  });
  s.issuer.person = { sub: 'staff-1', ...TWO };
  browser = new Browser(s.stack.authority);
  await browser.open(`${s.north}/patients`);
}, 120_000);
afterAll(() => s?.stack.stop());

const miss = async (times: number) => {
  const statuses: number[] = [];
  for (let n = 0; n < times; n += 1) statuses.push((await browser.get(`${s.north}/nowhere/${n}`)).status);
  // What the workers saw comes round in a moment.
  await pause(100);
  return statuses;
};

it('leads somebody at a browser who goes through addresses to a fresh second factor, and lets them go on with it', async () => {
  expect((await browser.open(`${s.north}/patients`)).reply.status).toBe(200);
  expect(await miss(4)).toEqual([404, 404, 404, 404]);
  // A factor of the same second is not one that was given afterwards.
  await pause(1100);
  const led = await browser.open(`${s.north}/patients`);
  expect(led.url).toBe(`${s.north}/.chartgate/step-up?return=%2Fpatients`);
  await pause(1100);
  const begun = await browser.post(`${s.north}/.chartgate/step-up`, inputs(led.reply.text));
  const back = await browser.follow(`${s.north}/.chartgate/step-up`, begun);
  expect(s.issuer.errors).toEqual([]);
  expect(`${back.reply.status} ${back.url}`).toBe(`200 ${s.north}/patients`);
  // Signed in still, at every worker.
  for (let n = 0; n < 4; n += 1) expect((await browser.get(`${s.north}/patients`)).status).toBe(200);
}, 60_000);

it('locks whoever goes on all the same', async () => {
  await miss(4);
  for (let n = 0; n < 4; n += 1) {
    const reply = await browser.get(`${s.north}/patients`);
    expect(reply.status).toBe(429);
    expect(Number(reply.headers['retry-after'])).toBeGreaterThan(800);
  }
  // Signing out and in again does not help.
  const other = new Browser(s.stack.authority);
  const page = await other.open(`${s.north}/patients`);
  expect(page.reply.status).toBe(429);
}, 60_000);

it('lets them in again when an administrator unlocks them', async () => {
  const config = join(s.stack.layout.gateway, 'gateway.yaml');
  const run = (...args: string[]) =>
    spawnSync(process.execPath, [MAIN, 'guard', ...args, '--config', config], {
      encoding: 'utf8',
      // The state is its own, and nobody else's.
      ...s.stack.isolation.gateway,
    });
  const listed = run('list', '--json');
  const [lock] = JSON.parse(listed.stdout) as Record<string, unknown>[];
  expect(lock).toMatchObject({ tenant: 'north', issuer: s.issuer.url, subject: 'staff-1' });
  const whom = ['--tenant', 'north', '--issuer', s.issuer.url, '--subject'];
  expect(run('unlock', ...whom, 'somebody-else').status).toBe(1);
  const unlocked = run('unlock', ...whom, 'staff-1');
  expect(`${unlocked.status} ${unlocked.stdout}`).toBe('0 unlocked\n');
  await pause(1500);
  for (let n = 0; n < 4; n += 1) expect((await browser.get(`${s.north}/patients`)).status).toBe(200);
  expect(run('list').stdout).toBe('nobody\n');
}, 60_000);
