import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BROWSER, codeAt, enrol, LABELS, openRig, type Rig, SOURCE, somebody, wrongCode } from './support.ts';

describe('time-based codes', () => {
  let rig: Rig;
  beforeAll(async () => {
    rig = await openRig();
  });
  afterAll(() => rig.close());

  const verify = (principal: string, code: string, source = SOURCE) =>
    rig.factors.verify({ principal, method: 'totp', code, source });

  it('refuses everybody who has not enrolled, and who has only begun to', async () => {
    const principal = somebody();
    expect(await verify(principal, '123456')).toMatchObject({
      ok: false,
      reason: 'refused',
      why: 'not-enrolled',
    });
    const begun = await rig.factors.beginTotp({ principal, binding: BROWSER, ...LABELS });
    if (!begun.ok) throw new Error(begun.why);
    expect(await rig.factors.state(principal)).toMatchObject({ enrolled: false, totp: 'pending' });
    expect(await verify(principal, codeAt(begun.key, rig.clock.wall()))).toMatchObject({
      why: 'not-enrolled',
    });
  });

  it('shows a QR code and the same key in groups of four, of 160 bits', async () => {
    const begun = await rig.factors.beginTotp({
      principal: somebody(),
      binding: BROWSER,
      issuerLabel: 'Clinic: East & "West"',
      accountLabel: 'a:b\u202e@x',
    });
    if (!begun.ok) throw new Error(begun.why);
    expect(begun.key).toMatch(/^(?:[A-Z2-7]{4} ){7}[A-Z2-7]{4}$/);
    const uri = new URL(begun.uri);
    expect(uri.protocol).toBe('otpauth:');
    expect(uri.searchParams.get('secret')).toBe(begun.key.replaceAll(' ', ''));
    expect(uri.searchParams.get('issuer')).toBe('Clinic East & "West"');
    expect(decodeURIComponent(uri.pathname)).toContain('a b@x');
    expect(begun.qr).toMatch(/^data:image\/svg\+xml;base64,/);
    const svg = Buffer.from(begun.qr.split(',')[1] ?? '', 'base64').toString();
    expect(svg).toMatch(/^<svg [^>]*viewBox/);
    expect(svg).not.toMatch(/style=|<script|href/);
  });

  it('gives the same browser the same key while it waits, and another browser another key', async () => {
    const principal = somebody();
    const ask = (binding: string) => rig.factors.beginTotp({ principal, binding, ...LABELS });
    const [first, again, other] = [await ask('one'), await ask('one'), await ask('two')];
    if (!first.ok || !again.ok || !other.ok) throw new Error('refused');
    expect(again.key).toBe(first.key);
    expect(other.key).not.toBe(first.key);
    const confirm = (binding: string, key: string) =>
      rig.factors.confirmTotp({ principal, binding, code: codeAt(key, rig.clock.wall()), source: SOURCE });
    // The first browser's key is void now, and it cannot confirm the other's.
    expect(await confirm('one', first.key)).toMatchObject({ ok: false, why: 'another-browser' });
    expect(await confirm('one', other.key)).toMatchObject({ ok: false, why: 'another-browser' });
    expect(await confirm('two', other.key)).toMatchObject({ ok: true });
  });

  it('forgets an enrolment that nobody confirmed in time', async () => {
    const principal = somebody();
    const begun = await rig.factors.beginTotp({ principal, binding: BROWSER, ...LABELS });
    if (!begun.ok) throw new Error(begun.why);
    rig.clock.move(15 * 60_000 + 1000);
    const code = codeAt(begun.key, rig.clock.wall());
    expect(
      await rig.factors.confirmTotp({ principal, binding: BROWSER, code, source: SOURCE }),
    ).toMatchObject({
      ok: false,
      why: 'enrolment-expired',
    });
    expect(await rig.factors.state(principal)).toMatchObject({ totp: 'none' });
  });

  it('takes the code that confirmed the enrolment for nothing else', async () => {
    const principal = somebody();
    const begun = await rig.factors.beginTotp({ principal, binding: BROWSER, ...LABELS });
    if (!begun.ok) throw new Error(begun.why);
    const code = codeAt(begun.key, rig.clock.wall());
    expect(
      await rig.factors.confirmTotp({ principal, binding: BROWSER, code, source: SOURCE }),
    ).toMatchObject({
      ok: true,
      method: 'totp',
      amr: ['otp', 'mfa'],
    });
    expect(await verify(principal, code)).toMatchObject({ ok: false, why: 'code-used' });
  });

  it('accepts the present step and its two neighbours, each once, and no step before an accepted one', async () => {
    const { principal, key } = await enrol(rig);
    const now = rig.clock.wall();
    expect(await verify(principal, codeAt(key, now - 60_000))).toMatchObject({
      ok: false,
      why: 'code-wrong',
    });
    expect(await verify(principal, codeAt(key, now + 60_000))).toMatchObject({
      ok: false,
      why: 'code-wrong',
    });
    const before = codeAt(key, now - 30_000);
    expect(await verify(principal, before)).toMatchObject({ ok: true, at: Math.floor(now / 1000) });
    expect(await verify(principal, before)).toMatchObject({ ok: false, why: 'code-used' });
    const after = codeAt(key, rig.clock.wall() + 30_000);
    expect(await verify(principal, after)).toMatchObject({ ok: true });
    expect(await verify(principal, codeAt(key, rig.clock.wall()))).toMatchObject({
      ok: false,
      why: 'code-used',
    });
  });

  it('accepts no used code again although the clock was set back and the claims were purged', async () => {
    const { principal, key } = await enrol(rig);
    const used = rig.clock.wall();
    const code = codeAt(key, used);
    expect(await verify(principal, code)).toMatchObject({ ok: true });
    rig.clock.move(26 * 3_600_000);
    await rig.store.purge();
    rig.clock.move(-26 * 3_600_000);
    expect(await verify(principal, code)).toMatchObject({ ok: false, why: 'code-used' });
  });

  it('takes a code as people type it', async () => {
    const { principal, key } = await enrol(rig);
    const code = codeAt(key, rig.clock.wall());
    expect(await verify(principal, ` ${code.slice(0, 3)} ${code.slice(3)}\n`)).toMatchObject({ ok: true });
  });

  it.each([
    ['nothing', ''],
    ['too short', '12345'],
    ['too long', '1234567'],
    ['a letter', '12345a'],
    ['digits of another script', '１２３４５６'],
    ['a sign', '-12345'],
    ['a number with an exponent', '1e3456'],
    ['a control', '123456\u0000'],
    ['very long', '1'.repeat(100_000)],
  ])('refuses %s without counting it as a guess', async (_why, code) => {
    const { principal } = await enrol(rig);
    for (let i = 0; i < 6; i += 1)
      expect(await verify(principal, code)).toMatchObject({
        ok: false,
        reason: 'refused',
        why: 'code-malformed',
      });
    expect(await rig.factors.state(principal)).toMatchObject({ lockedFor: undefined });
  });

  it('asks for a factor before another takes its place', async () => {
    const { principal, key } = await enrol(rig);
    const ask = (factorAt?: number) =>
      rig.factors.beginTotp({ principal, binding: BROWSER, ...LABELS, factorAt });
    expect(await ask()).toMatchObject({ ok: false, reason: 'factor-needed' });
    const now = Math.floor(rig.clock.wall() / 1000);
    expect(await ask(now - 601)).toMatchObject({ ok: false });
    expect(await ask(now + 60)).toMatchObject({ ok: false });
    expect(await ask(Number.NaN)).toMatchObject({ ok: false });
    const begun = await ask(now - 10);
    if (!begun.ok) throw new Error(begun.why);
    const code = codeAt(begun.key, rig.clock.wall());
    const request = { principal, binding: BROWSER, code, source: SOURCE };
    expect(await rig.factors.confirmTotp(request)).toMatchObject({ ok: false, reason: 'factor-needed' });
    // The old one counts until the new one is confirmed.
    expect(await verify(principal, codeAt(key, rig.clock.wall() - 30_000))).toMatchObject({ ok: true });
    const confirmed = await rig.factors.confirmTotp({ ...request, factorAt: now });
    expect(confirmed).toMatchObject({ ok: true, recoveryCodes: undefined });
    rig.clock.move(61_000);
    expect(await verify(principal, codeAt(key, rig.clock.wall()))).toMatchObject({ ok: false });
    expect(await verify(principal, codeAt(begun.key, rig.clock.wall()))).toMatchObject({ ok: true });
  });

  it('refuses to remove the last factor', async () => {
    const { principal } = await enrol(rig);
    const factorAt = Math.floor(rig.clock.wall() / 1000);
    expect(await rig.factors.removeTotp({ principal })).toMatchObject({ ok: false, why: 'factor-needed' });
    expect(await rig.factors.removeTotp({ principal, factorAt })).toMatchObject({
      ok: false,
      why: 'last-factor',
    });
    expect(await rig.factors.state(principal)).toMatchObject({ enrolled: true });
  });

  it('keeps the secret sealed to its place: not in another row, not in another field, not in a dump', async () => {
    const one = await enrol(rig);
    const two = await enrol(rig);
    const mine = await rig.store.get('totp', one.principal);
    const theirs = await rig.store.get('totp', two.principal);
    if (mine === undefined || theirs === undefined) throw new Error('no document');
    const text = JSON.stringify(mine);
    expect(text).not.toContain(one.key.replaceAll(' ', ''));
    // Whoever can write the database puts a secret of their own into somebody's row.
    await rig.store.replace('totp', two.principal, theirs.version, {
      body: mine.body,
      indexes: theirs.indexes,
    });
    await expect(verify(two.principal, codeAt(one.key, rig.clock.wall()))).rejects.toMatchObject({
      code: 'state-invalid',
    });
    // Or makes a waiting secret, which somebody has seen, the active one.
    const three = somebody();
    const begun = await rig.factors.beginTotp({ principal: three, binding: BROWSER, ...LABELS });
    if (!begun.ok) throw new Error(begun.why);
    const waiting = await rig.store.get('totp', three);
    if (waiting === undefined) throw new Error('no document');
    const pending = waiting.body.pending as { secret: string };
    await rig.store.replace('totp', three, waiting.version, {
      body: { active: { secret: pending.secret, since: 1, lastStep: 0 }, pending: null },
      indexes: waiting.indexes,
    });
    await expect(verify(three, codeAt(begun.key, rig.clock.wall()))).rejects.toMatchObject({
      code: 'state-invalid',
    });
  });

  it('refuses a wrong code', async () => {
    const { principal, key } = await enrol(rig);
    expect(await verify(principal, wrongCode(key, rig.clock.wall()))).toMatchObject({
      ok: false,
      reason: 'refused',
      why: 'code-wrong',
    });
  });
});
