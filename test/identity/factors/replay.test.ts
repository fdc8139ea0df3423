import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { StateSettings } from '../../../contracts/state.ts';
import type { PrivateDatabase } from '../../../examples/support/private-database.ts';
import { createFactors, type Factors } from '../../../identity/factors/index.ts';
import { createSealer, openState } from '../../../identity/state/index.ts';
import { startServer } from '../../audit-sql/support.ts';
import { contest, tally } from './contest.ts';
import { BROWSER, codeAt, LABELS, movableClock, SOURCE, secretOf, settle, somebody } from './support.ts';

const PASSWORD = 'state-password-of-a-test';

describe.each(['sqlite', 'mariadb'] as const)('one code at many processes, state in %s', (engine) => {
  const folder = mkdtempSync(join(tmpdir(), 'chartgate-replay-'));
  const key = randomBytes(32);
  const clock = movableClock();
  let contests = 0;
  let server: PrivateDatabase | undefined;
  let settings: StateSettings;
  let factors: Factors;
  let close: () => Promise<void>;

  beforeAll(async () => {
    if (engine === 'mariadb') {
      server = await startServer('factors-replay');
      const root = await server.connect();
      await root.query('CREATE DATABASE chartgate_state');
      await root.query(`CREATE USER 'chartgate'@'127.0.0.1' IDENTIFIED BY '${PASSWORD}'`);
      await root.query("GRANT ALL ON chartgate_state.* TO 'chartgate'@'127.0.0.1'");
      await root.end();
      settings = {
        kind: 'mysql',
        host: '127.0.0.1',
        port: server.port,
        socketPath: undefined,
        database: 'chartgate_state',
        user: 'chartgate',
        password: secretOf(Buffer.from(PASSWORD)),
        authority: undefined,
      };
    } else {
      settings = { kind: 'sqlite', file: join(folder, 'state.sqlite') };
    }
    const store = await openState(settings, clock);
    factors = createFactors({ store, sealer: createSealer(secretOf(key)), clock });
    close = () => store.close();
  });
  afterAll(async () => {
    await close?.();
    await server?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  async function enrolled() {
    const principal = somebody();
    settle(clock);
    const begun = await factors.beginTotp({ principal, binding: BROWSER, ...LABELS });
    if (!begun.ok) throw new Error(begun.why);
    const confirmed = await factors.confirmTotp({
      principal,
      binding: BROWSER,
      code: codeAt(begun.key, clock.wall()),
      source: SOURCE,
    });
    if (!confirmed.ok) throw new Error(confirmed.why);
    clock.move(30_000);
    settle(clock);
    return { principal, key: begun.key, codes: confirmed.recoveryCodes ?? [] };
  }

  const processes = (
    failures: number,
    guesses: readonly { principal: string; method: 'totp' | 'recovery-code'; code: string }[],
  ) => {
    // Sources of its own for each contest: the failures of one are not counted for the next.
    contests += 1;
    return [0, 1].map((index) => ({
      settings: settings.kind === 'mysql' ? { ...settings, password: undefined as never } : settings,
      password: PASSWORD,
      key: key.toString('base64'),
      offset: clock.wall() - Date.now(),
      failures,
      guesses: guesses
        .filter((_, place) => place % 2 === index)
        .map((guess, place) => ({ ...guess, source: `198.51.${contests}.${(place % 250) + 1}` })),
    }));
  };

  it('accepts one of 200 simultaneous uses of one code, with the limit on failures', async () => {
    const { principal, key: typed } = await enrolled();
    const guess = { principal, method: 'totp' as const, code: codeAt(typed, clock.wall()) };
    const counts = tally(await contest(folder, processes(5, Array(200).fill(guess))));
    expect(counts.ok).toBe(1);
    expect(Object.values(counts).reduce((sum, count) => sum + count, 0)).toBe(200);
  });

  it('accepts one of 200 also when all of them are checked', async () => {
    const { principal, key: typed } = await enrolled();
    const guess = { principal, method: 'totp' as const, code: codeAt(typed, clock.wall()) };
    const counts = tally(await contest(folder, processes(100_000, Array(200).fill(guess))));
    expect(counts).toEqual({ ok: 1, 'code-used': 199 });
  });

  it('accepts one of 40 uses of one recovery code, and each of the others', async () => {
    const { principal, codes } = await enrolled();
    const one = { principal, method: 'recovery-code' as const, code: codes[0] ?? '' };
    const others = codes.slice(1, 5).map((code) => ({ ...one, code }));
    const counts = tally(await contest(folder, processes(100_000, [...Array(40).fill(one), ...others])));
    expect(counts).toEqual({ ok: 5, 'code-wrong': 39 });
    expect(await factors.state(principal)).toMatchObject({ recoveryCodesLeft: 5 });
  });

  it('checks no more than five of 200 simultaneous wrong guesses', async () => {
    const { principal } = await enrolled();
    const guesses = Array.from({ length: 200 }, (_, index) => ({
      principal,
      method: 'recovery-code' as const,
      code: `ZZZZ-ZZZZ-ZZZZ-${String(index).padStart(4, '0')}`,
    }));
    const counts = tally(await contest(folder, processes(5, guesses)));
    expect(counts).toEqual({ 'code-wrong': 5, 'locked-account': 195 });
  });
});
