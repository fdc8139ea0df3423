import { randomBytes } from 'node:crypto';
import { channel } from 'node:diagnostics_channel';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type AccountEvent, CHANNELS } from '../../../contracts/events.ts';
import { createAccounts, ENDS_SESSIONS } from '../../../identity/accounts/index.ts';
import { createFactors, factorPrincipal } from '../../../identity/factors/index.ts';
import { createSealer } from '../../../identity/state/index.ts';
import { clinic, enrolled, ISSUER, must, openWorld, QUICK, type World } from '../accounts/support/world.ts';
import { enrol, movableClock, type Rig, SOURCE, secretOf, settle } from './support.ts';

describe('the second factors of an account', () => {
  const clock = movableClock();
  let world: World;
  let rig: Rig;
  let administrators: readonly [string, string];

  beforeAll(async () => {
    settle(clock);
    world = await openWorld(QUICK, clock);
    const { store, close } = world;
    const sealer = createSealer(secretOf(randomBytes(32)));
    rig = {
      folder: '',
      file: '',
      clock,
      store,
      sealer,
      factors: createFactors({ store, sealer, clock }),
      close,
    };
    administrators = await clinic(world.accounts);
  });
  afterAll(() => world.close());

  async function member(login: string) {
    const account = await enrolled(world.accounts, administrators, 'riverside', login);
    const principal = factorPrincipal(ISSUER, account);
    await enrol(rig, principal);
    // Locked besides, as somebody who tries will be.
    for (let i = 0; i < 5; i += 1)
      await rig.factors.verify({
        principal,
        method: 'recovery-code',
        code: `ZZZZ-ZZZZ-ZZZZ-ZZZ${i}`,
        source: `2001:db8:${i}::1`,
      });
    expect(await rig.factors.state(principal)).toMatchObject({
      enrolled: true,
      lockedFor: expect.any(Number),
    });
    return { account, principal };
  }

  it('are removed when another administrator approves, and sessions end', async () => {
    const { account, principal } = await member('uma@riverside.example');
    const [anna, boris] = administrators;
    const events: AccountEvent[] = [];
    const listen = (event: unknown) => events.push(event as AccountEvent);
    channel(CHANNELS.account).subscribe(listen);
    const { request } = must(await world.accounts.asking.resetFactors(anna, account));
    expect(await world.accounts.deciding.approve(anna, request.id)).toMatchObject({ ok: false });
    expect(await rig.factors.state(principal)).toMatchObject({ enrolled: true });
    must(await world.accounts.deciding.approve(boris, request.id));
    channel(CHANNELS.account).unsubscribe(listen);
    expect(await rig.factors.state(principal)).toMatchObject({
      enrolled: false,
      recoveryCodesLeft: 0,
      lockedFor: undefined,
    });
    expect(events.map((event) => event.what)).toEqual(['factors-reset-requested', 'factors-reset']);
    expect(events.at(-1)).toMatchObject({ subject: account, actor: boris });
    expect(ENDS_SESSIONS.has('factors-reset')).toBe(true);
    expect(await world.accounts.deciding.approve(boris, request.id)).toMatchObject({ ok: false });
  });

  it('are nobody’s own to have reset, nor for users or strangers to ask for', async () => {
    const { account, principal } = await member('vera@riverside.example');
    const [anna] = administrators;
    const others = await clinic(world.accounts, 'hilltop').catch(() => undefined);
    expect(await world.accounts.asking.resetFactors(anna, anna)).toMatchObject({ ok: false });
    expect(await world.accounts.asking.resetFactors(account, account)).toMatchObject({ ok: false });
    for (const stranger of others ?? ['nobody'])
      expect(await world.accounts.asking.resetFactors(stranger, account)).toMatchObject({ ok: false });
    expect(await rig.factors.state(principal)).toMatchObject({ enrolled: true });
  });

  it('cannot be reset where they are not kept', async () => {
    const { account } = await member('wanda@riverside.example');
    const without = createAccounts({ store: world.store, settings: QUICK, clock });
    expect(await without.asking.resetFactors(administrators[0], account)).toMatchObject({
      ok: false,
      reason: 'not-permitted',
    });
    const { request } = must(await world.accounts.asking.resetFactors(administrators[0], account));
    expect(await without.deciding.approve(administrators[1], request.id)).toMatchObject({
      ok: false,
      reason: 'not-permitted',
    });
  });

  it('go all the same when somebody uses one at that moment', async () => {
    const { account, principal } = await member('xenia@riverside.example');
    const [anna, boris] = administrators;
    const { request } = must(await world.accounts.asking.resetFactors(anna, account));
    const guesses = Array.from({ length: 10 }, (_, i) =>
      rig.factors.verify({
        principal,
        method: 'recovery-code',
        code: `ZZZZ-ZZZZ-ZZZZ-ZZ0${i}`,
        source: SOURCE,
      }),
    );
    must(await world.accounts.deciding.approve(boris, request.id));
    await Promise.all(guesses);
    expect(await rig.factors.state(principal)).toMatchObject({ enrolled: false, recoveryCodesLeft: 0 });
  });
});
