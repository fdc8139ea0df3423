import { randomBytes } from 'node:crypto';
import { channel } from 'node:diagnostics_channel';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { CHANNELS, type FactorEvent } from '../../../contracts/events.ts';
import type { Secret } from '../../../contracts/secret.ts';
import {
  createFactors,
  type PasskeySite,
  passkeySiteFault,
  resealFactors,
} from '../../../identity/factors/index.ts';
import { createSealer } from '../../../identity/state/index.ts';
import { type AuthenticatorPage, openAuthenticatorPage } from './browser.ts';
import { BROWSER, codeAt, enrol, openRig, type Rig, SOURCE, secretOf, somebody } from './support.ts';

describe('passkeys, with Chromium’s own authenticator', () => {
  let rig: Rig;
  let page: AuthenticatorPage;
  let site: PasskeySite;

  beforeAll(async () => {
    rig = await openRig();
    page = await openAuthenticatorPage();
    site = { id: 'localhost', origin: page.origin, name: 'Example Clinic' };
  });
  afterAll(async () => {
    await page?.close();
    await rig?.close();
  });
  beforeEach(() => page.plug());

  const now = () => Math.floor(rig.clock.wall() / 1000);

  async function register(principal: string, more: { factorAt?: number; name?: string } = {}) {
    const request = { principal, binding: BROWSER, site, ...more };
    const begun = await rig.factors.beginPasskeyRegistration({ ...request, accountLabel: 'reception' });
    if (!begun.ok) return begun;
    const response = await page.create(begun.options);
    return rig.factors.finishPasskeyRegistration({ name: 'Work key', ...request, response });
  }

  async function begin(principal: string | undefined, at: PasskeySite = site, binding = BROWSER) {
    const begun = await rig.factors.beginPasskey({ principal, binding, site: at });
    if (!begun.ok) throw new Error(begun.why);
    return begun.options;
  }
  const finish = (
    principal: string | undefined,
    response: string,
    at: PasskeySite = site,
    binding = BROWSER,
  ) => rig.factors.finishPasskey({ principal, binding, site: at, response });

  it('cannot be asked for before there is one', async () => {
    const begun = await rig.factors.beginPasskey({ principal: somebody(), binding: BROWSER, site });
    expect(begun).toMatchObject({ ok: false, why: 'not-enrolled' });
  });

  it('are registered, listed, and prove both factors', async () => {
    const principal = somebody();
    const made = await register(principal);
    expect(made).toMatchObject({ ok: true, method: 'passkey', amr: ['hwk', 'user', 'mfa'] });
    expect(made.ok && made.recoveryCodes).toHaveLength(10);
    expect(await rig.factors.state(principal)).toMatchObject({
      enrolled: true,
      totp: 'none',
      passkeys: [{ name: 'Work key', suspended: false, synced: false, lastUsedAt: undefined }],
    });
    const options = await begin(principal);
    expect(options).toMatchObject({ userVerification: 'required', rpId: 'localhost' });
    expect(await finish(principal, await page.get(options))).toMatchObject({
      ok: true,
      principal,
      method: 'passkey',
      amr: ['hwk', 'user', 'mfa'],
    });
    const { passkeys } = await rig.factors.state(principal);
    expect(passkeys[0]?.lastUsedAt).toBeGreaterThan(0);
    // Nothing that names anybody, and no name in clear.
    expect(JSON.stringify(await rig.store.list('passkey'))).not.toMatch(/Work key|reception|Example Clinic/);
  });

  it('sign somebody in who has not said who they are', async () => {
    const principal = somebody();
    expect(await register(principal)).toMatchObject({ ok: true });
    const answer = await finish(undefined, await page.get(await begin(undefined)));
    expect(answer).toMatchObject({ ok: true, principal });
  });

  it('that a service copies between devices say so', async () => {
    await page.plug({ synced: true });
    const principal = somebody();
    expect(await register(principal)).toMatchObject({ ok: true, amr: ['swk', 'user', 'mfa'] });
    expect(await rig.factors.state(principal)).toMatchObject({ passkeys: [{ synced: true }] });
  });

  it('are refused without the user’s PIN or finger', async () => {
    const principal = somebody();
    await page.plug({ verifies: false });
    await expect(register(principal)).rejects.toThrow(/NotAllowedError|timed out|not allowed/);
    expect(await rig.factors.state(principal)).toMatchObject({ enrolled: false });
  });

  it('are refused where the page asked for less than a verified user', async () => {
    const principal = somebody();
    expect(await register(principal)).toMatchObject({ ok: true });
    // A page that somebody changed asks for presence alone, and the authenticator signs that.
    await page.setVerifies(false);
    const options = { ...(await begin(principal)), userVerification: 'discouraged' };
    const response = await page.get(options);
    const { authenticatorData } = (JSON.parse(response) as { response: { authenticatorData: string } })
      .response;
    expect((Buffer.from(authenticatorData, 'base64url')[32] ?? 0) & 0x05).toBe(0x01);
    expect(await finish(principal, response)).toMatchObject({ ok: false, why: 'response-invalid' });
  });

  it('answer a challenge once', async () => {
    const principal = somebody();
    expect(await register(principal)).toMatchObject({ ok: true });
    const response = await page.get(await begin(principal));
    const answers = await Promise.all(Array.from({ length: 20 }, () => finish(principal, response)));
    expect(answers.filter((answer) => answer.ok)).toHaveLength(1);
    expect(await finish(principal, response)).toMatchObject({ ok: false, why: 'challenge-unknown' });
  });

  it('answer no challenge that is too old, of another browser, of another use or of our own making up', async () => {
    const principal = somebody();
    expect(await register(principal)).toMatchObject({ ok: true });
    const late = await page.get(await begin(principal));
    rig.clock.move(5 * 60_000 + 1000);
    expect(await finish(principal, late)).toMatchObject({ ok: false, why: 'challenge-unknown' });

    const elsewhere = await page.get(await begin(principal));
    expect(await finish(principal, elsewhere, site, 'another browser')).toMatchObject({
      ok: false,
      why: 'another-browser',
    });
    expect(await finish(principal, elsewhere)).toMatchObject({ ok: false, why: 'challenge-unknown' });

    const anybody = await page.get(await begin(undefined));
    expect(await finish(principal, anybody)).toMatchObject({ ok: false, why: 'another-browser' });

    const options = { ...(await begin(principal)), challenge: Buffer.alloc(32, 7).toString('base64url') };
    expect(await finish(principal, await page.get(options))).toMatchObject({
      ok: false,
      why: 'challenge-unknown',
    });
  });

  it('of one person do not sign in another', async () => {
    const [one, two] = [somebody(), somebody()];
    expect(await register(one)).toMatchObject({ ok: true });
    const options = await begin(one);
    // The other's challenge, answered with the first one's key.
    expect(await register(two)).toMatchObject({ ok: true });
    const theirs = { ...options, challenge: (await begin(two)).challenge };
    expect(await finish(two, await page.get(theirs))).toMatchObject({ ok: false, why: 'another-principal' });
  });

  it('do not cross origins or sites', async () => {
    const principal = somebody();
    expect(await register(principal)).toMatchObject({ ok: true });
    const other: PasskeySite = { ...site, origin: 'https://localhost:1' };
    const options = await begin(principal, other);
    expect(await finish(principal, await page.get(options), other)).toMatchObject({
      ok: false,
      why: 'response-invalid',
    });
    const otherSite: PasskeySite = {
      id: 'clinic.example',
      origin: 'https://emr.clinic.example',
      name: 'Other',
    };
    const begun = await rig.factors.beginPasskey({ principal, binding: BROWSER, site: otherSite });
    expect(begun).toMatchObject({ ok: false, why: 'not-enrolled' });
  });

  it('whose counter goes back are refused, reported, and refused from then on', async () => {
    const principal = somebody();
    expect(await register(principal)).toMatchObject({ ok: true });
    await page.setCounter(50);
    expect(await finish(principal, await page.get(await begin(principal)))).toMatchObject({ ok: true });
    const events: FactorEvent[] = [];
    const listen = (event: unknown) => events.push(event as FactorEvent);
    channel(CHANNELS.factor).subscribe(listen);
    await page.setCounter(10);
    const copy = await finish(principal, await page.get(await begin(principal)));
    channel(CHANNELS.factor).unsubscribe(listen);
    expect(copy).toMatchObject({ ok: false, reason: 'refused', why: 'counter-regressed' });
    expect(events.map((event) => event.what)).toEqual(['refused', 'passkey-suspended']);
    expect(events[1]).toMatchObject({ principal, method: 'passkey' });
    expect(await rig.factors.state(principal)).toMatchObject({
      enrolled: true,
      passkeys: [{ suspended: true }],
    });
    await page.setCounter(1000);
    const asked = await rig.factors.beginPasskey({ principal, binding: BROWSER, site });
    expect(asked).toMatchObject({ ok: false, why: 'not-enrolled' });
    const found = await finish(undefined, await page.get(await begin(undefined)));
    expect(found).toMatchObject({ ok: false, why: 'passkey-suspended' });
  });

  it('are nobody’s to put in who only writes the database', async () => {
    const [mine, theirs] = [somebody(), somebody()];
    expect(await register(mine)).toMatchObject({ ok: true });
    const [document] = await rig.store.find('passkey', 'principal', mine);
    if (document === undefined) throw new Error('no document');
    // My key, said to be theirs.
    const body = { ...document.body, principal: theirs };
    const { id, version } = document;
    await rig.store.replace('passkey', id, version, { body, indexes: { principal: theirs } });
    // The authenticator says whose it is; a page may leave that out.
    const answer = JSON.parse(await page.get(await begin(theirs))) as { response: { userHandle?: string } };
    delete answer.response.userHandle;
    expect(await finish(theirs, JSON.stringify(answer))).toMatchObject({ ok: false, why: 'passkey-unknown' });
  });

  it('go on after the sealing key was changed', async () => {
    const [old, fresh] = [secretOf(randomBytes(32)), secretOf(randomBytes(32))];
    const folder = await openRig();
    const { store, clock } = folder;
    const withKeys = (...keys: Secret[]) => createFactors({ store, clock, sealer: createSealer(keys) });
    const kept = rig;
    try {
      rig = { ...folder, factors: withKeys(old) };
      const { principal, key, recoveryCodes } = await enrol(rig);
      expect(await register(principal, { factorAt: now() })).toMatchObject({ ok: true });
      const waiting = somebody();
      await rig.factors.beginTotp({ principal: waiting, binding: BROWSER, accountLabel: 'reception' });

      rig = { ...folder, factors: withKeys(fresh) };
      await expect(rig.factors.state(principal)).rejects.toMatchObject({ code: 'state-invalid' });
      await expect(resealFactors({ store, sealer: createSealer(fresh) })).rejects.toMatchObject({
        code: 'state-invalid',
      });
      expect(await resealFactors({ store, sealer: createSealer([fresh, old]) })).toBe(4);
      expect(await resealFactors({ store, sealer: createSealer([fresh, old]) })).toBe(0);
      const code = codeAt(key, clock.wall());
      const { factors } = rig;
      expect(await factors.verify({ principal, method: 'totp', code, source: SOURCE })).toMatchObject({
        ok: true,
      });
      const recovery = { principal, method: 'recovery-code' as const, code: recoveryCodes[3] ?? '' };
      expect(await factors.verify({ ...recovery, source: SOURCE })).toMatchObject({ ok: true });
      expect(await finish(principal, await page.get(await begin(principal)))).toMatchObject({ ok: true });
      expect((await factors.state(principal)).passkeys).toMatchObject([{ name: 'Work key' }]);
    } finally {
      rig = kept;
      await folder.close();
    }
  });

  it('are several for one person, with names; the last is not removed', async () => {
    const principal = somebody();
    const first = await register(principal);
    if (!first.ok) throw new Error(first.why);
    await page.plug();
    expect(await register(principal)).toMatchObject({ ok: false, reason: 'factor-needed' });
    const second = await register(principal, { factorAt: now(), name: ' Phone\u202e\u0000 of mine ' });
    if (!second.ok) throw new Error(second.why);
    expect(second.recoveryCodes).toBeUndefined();
    const { passkeys } = await rig.factors.state(principal);
    expect(passkeys.map((key) => key.name).sort()).toEqual(['Phone of mine', 'Work key']);
    expect(await rig.factors.renamePasskey(principal, first.id, 'Desk')).toEqual({ ok: true });
    expect(await rig.factors.renamePasskey(somebody(), first.id, 'Mine now')).toMatchObject({ ok: false });
    expect(await rig.factors.removePasskey({ principal }, first.id)).toMatchObject({
      reason: 'factor-needed',
    });
    const stranger = { principal: somebody(), factorAt: now() };
    expect(await rig.factors.removePasskey(stranger, first.id)).toMatchObject({ why: 'passkey-unknown' });
    const both = await Promise.all(
      [first.id, second.id].map((id) => rig.factors.removePasskey({ principal, factorAt: now() }, id)),
    );
    expect(both.filter((removed) => removed.ok).length).toBeLessThanOrEqual(1);
    expect(await rig.factors.state(principal)).toMatchObject({ enrolled: true });
    for (const { id } of (await rig.factors.state(principal)).passkeys.slice(1))
      expect(await rig.factors.removePasskey({ principal, factorAt: now() }, id)).toEqual({ ok: true });
    const [last] = (await rig.factors.state(principal)).passkeys;
    expect(await rig.factors.removePasskey({ principal, factorAt: now() }, last?.id ?? '')).toMatchObject({
      ok: false,
      why: 'last-factor',
    });
  });

  it('go beside a code, and go on when codes are locked', async () => {
    const { principal, key } = await enrol(rig);
    expect(await register(principal, { factorAt: now() })).toMatchObject({ ok: true });
    for (let i = 0; i < 6; i += 1)
      await rig.factors.verify({
        principal,
        method: 'recovery-code',
        code: `ZZZZ-ZZZZ-ZZZZ-ZZZ${i}`,
        source: `2001:db8:${i}::1`,
      });
    const good = { principal, method: 'totp' as const, code: codeAt(key, rig.clock.wall()), source: SOURCE };
    expect(await rig.factors.verify(good)).toMatchObject({ ok: false, reason: 'try-later' });
    expect(await finish(principal, await page.get(await begin(principal)))).toMatchObject({ ok: true });
    expect(await rig.factors.removeTotp({ principal, factorAt: now() })).toEqual({ ok: true });
  });

  it.each([
    ['nothing', ''],
    ['no JSON', '{'],
    ['null', 'null'],
    ['another key’s id', 'id'],
    ['a signature that was changed', 'signature'],
    ['client data that was changed', 'clientDataJSON'],
    ['authenticator data that was changed', 'authenticatorData'],
    ['authenticator data cut short', 'short'],
  ])('refuse %s and never throw', async (_why, what) => {
    const principal = somebody();
    expect(await register(principal)).toMatchObject({ ok: true });
    const good = JSON.parse(await page.get(await begin(principal))) as {
      id: string;
      rawId: string;
      response: Record<string, string>;
    };
    const changed = (text: string) => `${text.slice(0, 20)}${text[20] === 'A' ? 'B' : 'A'}${text.slice(21)}`;
    if (what === 'id') good.id = good.rawId = changed(good.id);
    else if (what === 'short')
      good.response.authenticatorData = (good.response.authenticatorData ?? '').slice(0, 8);
    else if (what in good.response) good.response[what] = changed(good.response[what] ?? '');
    const text = what === '' || what === '{' || what === 'null' ? what : JSON.stringify(good);
    expect(await finish(principal, text)).toMatchObject({ ok: false, reason: 'refused' });
  });
});

describe('a passkey site', () => {
  it.each([
    ['id.clinic.example', 'https://id.clinic.example', undefined],
    ['clinic.example', 'https://id.clinic.example', undefined],
    ['localhost', 'https://localhost:8443', undefined],
    ['clinic.example', 'http://clinic.example', /https/],
    ['clinic.example', 'https://clinic.example/', /alone/],
    ['clinic.example', 'https://clinic.example.evil.example', /parent/],
    ['inic.example', 'https://clinic.example', /parent/],
    ['example', 'https://clinic.example', /top-level/],
    ['192.0.2.1', 'https://192.0.2.1', /domain/],
    ['Clinic.example', 'https://clinic.example', /lower case/],
    ['clinic.example', 'clinic.example', /URL/],
  ] as const)('%s at %s', (id, origin, fault) => {
    const found = passkeySiteFault({ id, origin, name: 'x' });
    if (fault === undefined) expect(found).toBeUndefined();
    else expect(found).toMatch(fault);
  });
});
