import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { codeAt, enrol, openRig, type Rig, SOURCE } from './support.ts';

describe('recovery codes', () => {
  let rig: Rig;
  beforeAll(async () => {
    rig = await openRig();
  });
  afterAll(() => rig.close());

  const use = (principal: string, code: string) =>
    rig.factors.verify({ principal, method: 'recovery-code', code, source: SOURCE });
  const now = () => Math.floor(rig.clock.wall() / 1000);

  it('are ten, of 80 bits each, shown with the first factor', async () => {
    const { principal, recoveryCodes } = await enrol(rig);
    expect(recoveryCodes).toHaveLength(10);
    expect(new Set(recoveryCodes).size).toBe(10);
    for (const code of recoveryCodes)
      expect(code).toMatch(/^(?:[0-9A-HJKMNP-TV-Z]{4}-){3}[0-9A-HJKMNP-TV-Z]{4}$/);
    expect(await rig.factors.state(principal)).toMatchObject({ recoveryCodesLeft: 10 });
  });

  it('work once each, as people type them', async () => {
    const { principal, recoveryCodes } = await enrol(rig);
    const [first = '', second = ''] = recoveryCodes;
    expect(await use(principal, first)).toMatchObject({
      ok: true,
      method: 'recovery-code',
      amr: ['otp', 'mfa'],
    });
    expect(await use(principal, first)).toMatchObject({ ok: false, why: 'code-wrong' });
    const typed = ` ${second.toLowerCase().replaceAll('-', ' ').replaceAll('0', 'o').replaceAll('1', 'l')} `;
    expect(await use(principal, typed)).toMatchObject({ ok: true });
    expect(await rig.factors.state(principal)).toMatchObject({ recoveryCodesLeft: 8 });
  });

  it('are nobody else’s', async () => {
    const one = await enrol(rig);
    const two = await enrol(rig);
    expect(await use(two.principal, one.recoveryCodes[0] ?? '')).toMatchObject({
      ok: false,
      why: 'code-wrong',
    });
    expect(await use(one.principal, one.recoveryCodes[0] ?? '')).toMatchObject({ ok: true });
  });

  it('lose their force when a new set is made, which takes a fresh factor', async () => {
    const { principal, recoveryCodes } = await enrol(rig);
    expect(await rig.factors.newRecoveryCodes({ principal })).toMatchObject({
      ok: false,
      reason: 'factor-needed',
    });
    const stale = await rig.factors.newRecoveryCodes({ principal, factorAt: now() - 601 });
    expect(stale).toMatchObject({ ok: false });
    const made = await rig.factors.newRecoveryCodes({ principal, factorAt: now() });
    if (!made.ok) throw new Error(made.why);
    expect(made.codes).toHaveLength(10);
    expect(await use(principal, recoveryCodes[0] ?? '')).toMatchObject({ ok: false, why: 'code-wrong' });
    expect(await use(principal, made.codes[9] ?? '')).toMatchObject({ ok: true });
  });

  it('are not in the store in any readable form', async () => {
    const { recoveryCodes } = await enrol(rig);
    const kept = JSON.stringify(await rig.store.list('recovery-code'));
    for (const code of recoveryCodes) {
      expect(kept).not.toContain(code);
      expect(kept).not.toContain(code.replaceAll('-', ''));
    }
  });

  it('are nobody’s to put in who only writes the database', async () => {
    const one = await enrol(rig);
    const two = await enrol(rig);
    const mine = await rig.store.get('recovery-code', one.principal);
    const theirs = await rig.store.get('recovery-code', two.principal);
    if (mine === undefined || theirs === undefined) throw new Error('no document');
    await rig.store.replace('recovery-code', two.principal, theirs.version, {
      body: mine.body,
      indexes: theirs.indexes,
    });
    await expect(use(two.principal, one.recoveryCodes[0] ?? '')).rejects.toMatchObject({
      code: 'state-invalid',
    });
  });

  it('share their count of failures with the other codes: a second way is no second chance', async () => {
    const { principal, key } = await enrol(rig);
    for (let i = 0; i < 5; i += 1)
      expect(await use(principal, `ZZZZ-ZZZZ-ZZZZ-ZZZ${i}`)).toMatchObject({ ok: false, why: 'code-wrong' });
    const good = {
      principal,
      method: 'totp' as const,
      code: codeAt(key, rig.clock.wall()),
      source: '203.0.113.7',
    };
    expect(await rig.factors.verify(good)).toMatchObject({
      ok: false,
      reason: 'try-later',
      why: 'locked-account',
    });
    expect(await rig.factors.state(principal)).toMatchObject({ lockedFor: expect.any(Number) });
    rig.clock.move(15 * 60_000 + 1000);
    const code = codeAt(key, rig.clock.wall());
    expect(await rig.factors.verify({ ...good, code })).toMatchObject({ ok: true });
    expect(await rig.factors.state(principal)).toMatchObject({ lockedFor: undefined, closed: false });
  });

  it.each([
    ['nothing', ''],
    ['too short', 'ABCD-EFGH-JKMN'],
    ['too long', 'ABCD-EFGH-JKMN-PQRS-TVWX'],
    ['a letter that is not in the alphabet', 'ABCD-EFGH-JKMN-PQRU'],
    ['SQL', "' OR 1=1 -- 12345"],
    ['very long', 'A'.repeat(10_000)],
  ])('refuse %s without counting it', async (_why, code) => {
    const { principal } = await enrol(rig);
    for (let i = 0; i < 6; i += 1)
      expect(await use(principal, code)).toMatchObject({ ok: false, why: 'code-malformed' });
    expect(await rig.factors.state(principal)).toMatchObject({ lockedFor: undefined });
  });
});
