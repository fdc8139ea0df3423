import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { verifyActivityLog } from '../../activity-log/index.ts';
import { Authenticator } from '../../examples/demo/people/authenticator.ts';
import { ask } from '../../examples/support/https-client.ts';
import { redisProgram } from '../../examples/support/private-redis.ts';
import { runToEnd } from '../../measure/processes.ts';
import {
  limitsShared,
  loseOne,
  reloadAll,
  restart,
  tryLimit,
  underLoad,
} from '../../measure/router/fleet/cases.ts';
import { haproxyProgram, SAMPLE } from '../../measure/router/fleet/haproxy.ts';
import { type Fleet, GATEWAYS, type PreparedFleet, prepareFleet } from '../../measure/router/fleet/stack.ts';
import { showFigures } from '../support/process.ts';
import { Browser, inputs } from '../support/sign-in/browser.ts';
import { type SignInStack, signInStackFor } from '../support/sign-in/stack.ts';

const textOf = (page: string): string => page.replace(/<[^>]*>/g, ' ').replace(/\s+/g, ' ');

/** Three gateways, one Redis, one MariaDB, and HAProxy with the sample's configuration in front of them. */

const LIMIT = 100;
const WINDOW_MS = 2000;
const SENT = 220;
const CLIENTS = 6;
const SESSION = '__Host-chartgate';
const here = haproxyProgram() !== undefined && redisProgram() !== undefined;
if (!here) console.warn('HAProxy or Redis is not installed: several gateways were not tried together.');

describe.runIf(here)('three gateways behind HAProxy', () => {
  let s: SignInStack;
  let fleet: Fleet;
  let token = '';
  let south = '';
  const figures: Record<string, unknown> = {};

  beforeAll(async () => {
    let prepared: PreparedFleet | undefined;
    s = await signInStackFor('fleet', {
      secondFactor: { by: 'gateway' },
      async further(around) {
        prepared = await prepareFleet(around, {
          southLimits: { perPrincipal: { requests: LIMIT, window: `${WINDOW_MS / 1000}s` } },
        });
        return prepared;
      },
    });
    if (prepared === undefined) throw new Error('nothing was prepared');
    fleet = await prepared.complete(s.stack);
    token = await s.stack.token({ tenant: 'north', scopes: ['system/Patient.r'] });
    south = await s.stack.token({ tenant: 'south', scopes: ['system/Patient.r'] });
  }, 120_000);
  afterAll(async () => {
    showFigures('fleet', figures);
    await fleet?.stop();
    await s?.stack.stop();
  });

  afterEach(() => fleet?.haproxy.release());

  /** Somebody who gave a first factor, and the page that asks for the second. */
  async function firstFactor(): Promise<{ browser: Browser; csrf: string }> {
    s.issuer.person = { sub: 'nurse-1', amr: ['pwd'] };
    const browser = new Browser(s.stack.authority);
    const { reply } = await browser.open(`${s.north}/patients`);
    return { browser, csrf: inputs(reply.text).csrf ?? '' };
  }
  const patients = (browser: Browser) => browser.get(`${s.north}/patients`);

  it('have a sample of HAProxy’s configuration that it takes as it is', async () => {
    await expect(
      runToEnd(haproxyProgram() ?? '', ['-c', '-f', SAMPLE], undefined, 10_000),
    ).resolves.toBeDefined();
  });

  it('go on with a session that another began, refuse a code that another has taken, and end what another ended', async () => {
    await fleet.haproxy.only(1);
    const { browser } = await firstFactor();
    // Begun at the first one; the authenticator app is set up at the second; the page is the third one's.
    await fleet.haproxy.only(2);
    const page = await browser.get(`${s.north}/.chartgate/enrol?method=totp&return=%2Fpatients`);
    const app = new Authenticator(/<code[^>]*>([A-Z2-7 ]+)<\/code>/.exec(page.text)?.[1] ?? '');
    const fields = { method: 'totp', return: '/patients' };
    const done = await browser.post(`${s.north}/.chartgate/enrol`, {
      ...fields,
      csrf: inputs(page.text).csrf ?? '',
      code: await app.next(),
    });
    expect(`${done.status} ${textOf(done.text)}`).toMatch(/^200 /);
    await fleet.haproxy.only(3);
    await browser.post(`${s.north}/.chartgate/enrol`, { ...inputs(done.text), kept: 'yes' });
    expect((await patients(browser)).text).toContain('nurse-1');

    const give = async (at: number, text: string) => {
      await fleet.haproxy.only(at);
      const { browser: other, csrf } = await firstFactor();
      const reply = await other.post(`${s.north}/.chartgate/factor`, { ...fields, csrf, code: text });
      return { status: reply.status, browser: other };
    };
    const used = await app.next();
    const taken = await give(1, used);
    expect(taken.status).toBe(303);
    for (const at of [2, 3, 1]) expect((await give(at, used)).status).toBe(403);
    const next = await give(2, await app.next());
    expect(next.status).toBe(303);

    const cookie = `${SESSION}=${browser.cookie(s.north, SESSION)}`;
    const status = async () =>
      (
        await ask({
          url: `${s.north}/patients`,
          authority: s.stack.authority,
          headers: { accept: 'application/json', cookie },
        })
      ).status;
    await fleet.haproxy.only(3);
    expect(await status()).toBe(200);
    await fleet.haproxy.only(2);
    const sessions = await browser.get(`${s.north}/.chartgate/sessions`);
    await browser.post(`${s.north}/.chartgate/sign-out`, { csrf: inputs(sessions.text).csrf ?? '' });
    expect(await status()).toBe(401);
    await fleet.haproxy.only(3);
    // What was found is believed for a second.
    await expect.poll(status, { timeout: 1500, interval: 50 }).toBe(401);
  }, 60_000);

  it('let a limit pass once, not three times; their parts while Redis is away; nobody fails; and once again', async () => {
    await limitsShared(fleet, true);
    const together = await tryLimit(fleet, south, SENT, WINDOW_MS);
    figures.limit = together.passed;
    expect(together.other).toBe(0);
    expect(together.passed).toBeLessThanOrEqual(LIMIT);
    expect(together.passed).toBeGreaterThanOrEqual(LIMIT * 0.95);
    const lost = await underLoad(fleet, token, CLIENTS, async () => {
      await fleet.redis.kill();
      await limitsShared(fleet, false);
      const parts = await tryLimit(fleet, south, SENT, WINDOW_MS);
      figures.limitWithoutRedis = parts.passed;
      expect(parts.other).toBe(0);
      // A hundred in three parts.
      expect(parts.passed).toBeLessThanOrEqual(LIMIT);
      expect(parts.passed).toBeGreaterThan(0);
      await fleet.redisAgain();
      await limitsShared(fleet, true);
    });
    expect(lost.failed).toEqual([]);
    const again = await tryLimit(fleet, south, SENT, WINDOW_MS);
    expect(again.passed).toBeLessThanOrEqual(LIMIT);
    expect(again.passed).toBeGreaterThanOrEqual(LIMIT * 0.95);
  }, 60_000);

  it('fail nobody while their configuration changes and while one of them is restarted', async () => {
    const changed = await underLoad(fleet, token, CLIENTS, () => reloadAll(fleet));
    expect(changed.failed).toEqual([]);
    const restarted = await underLoad(fleet, token, CLIENTS, () => restart(fleet, [1]));
    expect(restarted.failed).toEqual([]);
    figures.requests = { changed: changed.requests, restarted: restarted.requests };
  }, 60_000);

  it('lose no more with one that is killed than what it had in its hands', async () => {
    const { failed, beyond, clients, served } = await loseOne(fleet, token, 2, CLIENTS);
    figures.lost = failed.length;
    expect(beyond).toEqual([]);
    expect(failed.length).toBeLessThanOrEqual(clients);
    expect(served).toBeGreaterThan(0);
    for (let n = 1; n <= GATEWAYS; n += 1)
      expect((await verifyActivityLog(fleet.gateway(n).activity)).faults).toEqual([]);
  }, 30_000);

  it('open no session and take no code while the state cannot be asked; tokens go on', async () => {
    const { browser, csrf } = await firstFactor();
    const connection = await s.stack.mariadb.connect();
    try {
      await connection.query("ALTER USER 'chartgate_state'@'127.0.0.1' ACCOUNT LOCK");
      await connection.query("KILL CONNECTION USER 'chartgate_state'@'127.0.0.1'");
      const session = await ask({
        url: `${s.north}/patients`,
        authority: s.stack.authority,
        headers: { accept: 'application/json', cookie: `${SESSION}=${'A'.repeat(43)}` },
      });
      expect(session.status).toBe(503);
      const code = await browser.post(`${s.north}/.chartgate/factor`, {
        csrf,
        method: 'totp',
        return: '/patients',
        code: '123456',
      });
      expect(code.status).toBe(503);
      const reply = await ask({
        url: `${s.north}/fhir/Patient/1`,
        authority: s.stack.authority,
        token,
      });
      expect(reply.status).toBe(200);
    } finally {
      await connection.query("ALTER USER 'chartgate_state'@'127.0.0.1' ACCOUNT UNLOCK");
      await connection.end();
    }
  }, 30_000);
});
