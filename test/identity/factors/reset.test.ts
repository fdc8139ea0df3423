import { channel } from 'node:diagnostics_channel';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CHANNELS, type FactorEvent } from '../../../contracts/events.ts';
import { factorPrincipal, type ResetAuthority, type ResetPerson } from '../../../identity/factors/index.ts';
import { BROWSER, codeAt, enrol, LABELS, openRig, type Rig, SOURCE, somebody, wrongCode } from './support.ts';

const ISSUER = 'https://id.clinic.example';
const actor = (subject: string): ResetPerson => ({ subject, principal: factorPrincipal(ISSUER, subject) });

/** Who is whose, as accounts would say it. */
class Clinic implements ResetAuthority {
  readonly administrators = new Map([
    ['east', new Set(['ada', 'ben', 'cleo'])],
    ['west', new Set(['wim'])],
  ]);
  readonly members = new Map<string, string>();

  async organisationOf(subject: string): Promise<string | undefined> {
    return this.members.get(subject);
  }
  async isAdministrator(subject: string, organisation: string): Promise<boolean> {
    return this.administrators.get(organisation)?.has(subject) ?? false;
  }
}

describe('resetting somebody’s factors', () => {
  let rig: Rig;
  const clinic = new Clinic();
  beforeAll(async () => {
    rig = await openRig();
    for (const name of ['ada', 'ben', 'cleo']) clinic.members.set(name, 'east');
  });
  afterAll(() => rig.close());

  let people = 0;
  async function member(organisation = 'east') {
    people += 1;
    const member = actor(`member-${people}`);
    clinic.members.set(member.subject, organisation);
    return { ...member, ...(await enrol(rig, member.principal)) };
  }
  const ask = (by: string, member: ResetPerson) =>
    rig.factors.requestReset(clinic, {
      actor: actor(by),
      member: { subject: member.subject, principal: member.principal },
    });
  async function asked(by: string, member: ResetPerson): Promise<string> {
    const request = await ask(by, member);
    if (!request.ok) throw new Error(request.why);
    return request.id;
  }
  const approve = (by: string, id: string) => rig.factors.approveReset(clinic, { actor: actor(by), id });

  it('takes two different administrators; one alone changes nothing', async () => {
    const whose = await member();
    const { principal, key } = whose;
    const id = await asked('ada', whose);
    expect(await approve('ada', id)).toMatchObject({ ok: false, why: 'same-administrator' });
    expect(await rig.factors.state(principal)).toMatchObject({ enrolled: true, recoveryCodesLeft: 10 });
    expect(await rig.factors.listResets('east')).toMatchObject([{ id, subject: whose.subject, by: 'ada' }]);
    expect(await approve('ben', id)).toEqual({ ok: true, principal, subject: whose.subject });
    expect(await rig.factors.state(principal)).toMatchObject({
      enrolled: false,
      totp: 'none',
      recoveryCodesLeft: 0,
      passkeys: [],
    });
    const code = codeAt(key, rig.clock.wall());
    const old = await rig.factors.verify({ principal, method: 'totp', code, source: SOURCE });
    expect(old).toMatchObject({ ok: false, why: 'not-enrolled' });
    expect(await approve('cleo', id)).toMatchObject({ ok: false, why: 'request-unknown' });
    expect(await rig.factors.listResets('east')).toEqual([]);
  });

  it('is refused to whoever is no administrator of that organisation', async () => {
    const whose = await member();
    expect(await ask('wim', whose)).toMatchObject({ ok: false, why: 'not-administrator' });
    expect(await ask('nobody', whose)).toMatchObject({ ok: false, why: 'not-administrator' });
    expect(await ask('ada', { subject: 'unknown', principal: somebody() })).toMatchObject({
      ok: false,
      why: 'not-administrator',
    });
    const id = await asked('ada', whose);
    expect(await approve('wim', id)).toMatchObject({ ok: false, why: 'not-administrator' });
    expect(await rig.factors.rejectReset(clinic, { actor: actor('wim'), id })).toMatchObject({ ok: false });
    expect(await rig.factors.listResets('west')).toEqual([]);
  });

  it('is nobody’s own to ask for or to approve', async () => {
    const ada = actor('ada');
    await enrol(rig, ada.principal);
    expect(await ask('ada', ada)).toMatchObject({ ok: false, why: 'own-factors' });
    const id = await asked('ben', ada);
    expect(await approve('ada', id)).toMatchObject({ ok: false, why: 'own-factors' });
    // One person with two accounts is still one person where the principal is the same.
    const disguised = { subject: 'ada-2', principal: actor('ben').principal };
    clinic.administrators.get('east')?.add('ada-2');
    expect(await rig.factors.approveReset(clinic, { actor: disguised, id })).toMatchObject({
      why: 'same-administrator',
    });
    expect(await approve('cleo', id)).toMatchObject({ ok: true });
  });

  it('needs the one who asked to be an administrator still, and the member to be there still', async () => {
    const one = await member();
    const id = await asked('cleo', one);
    clinic.administrators.get('east')?.delete('cleo');
    expect(await approve('ben', id)).toMatchObject({ ok: false, why: 'not-administrator' });
    clinic.administrators.get('east')?.add('cleo');
    clinic.members.set(one.subject, 'west');
    expect(await approve('ben', id)).toMatchObject({ ok: false, why: 'not-administrator' });
    expect(await rig.factors.state(one.principal)).toMatchObject({ enrolled: true });
  });

  it('can be rejected, and expires', async () => {
    const whose = await member();
    const { principal } = whose;
    const rejected = await asked('ada', whose);
    const actorOf = { actor: actor('ben'), id: rejected };
    expect(await rig.factors.rejectReset(clinic, actorOf)).toEqual({ ok: true });
    expect(await approve('ben', rejected)).toMatchObject({ why: 'request-unknown' });
    const late = await asked('ada', whose);
    rig.clock.move(24 * 3_600_000 + 1000);
    expect(await approve('ben', late)).toMatchObject({ ok: false, why: 'request-unknown' });
    expect(await rig.factors.state(principal)).toMatchObject({ enrolled: true });
  });

  it('opens what a hundred failures closed, which time does not', async () => {
    const whose = await member();
    const { principal, key } = whose;
    let checked = 0;
    for (let i = 0; checked < 100; i += 1) {
      const answer = await rig.factors.verify({
        principal,
        method: 'totp',
        code: wrongCode(key, rig.clock.wall()),
        source: `2001:db8:${i.toString(16)}::1`,
      });
      if (answer.ok) throw new Error('accepted');
      if (answer.why === 'code-wrong' || answer.why === 'code-used') checked += 1;
      else rig.clock.move(901_000);
    }
    const good = () =>
      rig.factors.verify({ principal, method: 'totp', code: codeAt(key, rig.clock.wall()), source: SOURCE });
    expect(await good()).toEqual({ ok: false, reason: 'ask-administrator', why: 'closed' });
    rig.clock.move(7 * 86_400_000);
    expect(await good()).toMatchObject({ ok: false, reason: 'ask-administrator' });
    expect(await rig.factors.state(principal)).toMatchObject({ closed: true });
    const id = await asked('ada', whose);
    expect(await approve('ben', id)).toMatchObject({ ok: true });
    expect(await rig.factors.state(principal)).toMatchObject({ closed: false, enrolled: false });
    await enrol(rig, principal);
    expect(await rig.factors.state(principal)).toMatchObject({ enrolled: true });
  });

  it('voids an enrolment that was waiting', async () => {
    const whose = await member();
    const { principal } = whose;
    const factorAt = Math.floor(rig.clock.wall() / 1000);
    const begun = await rig.factors.beginTotp({ principal, binding: BROWSER, ...LABELS, factorAt });
    if (!begun.ok) throw new Error(begun.why);
    expect(await approve('ben', await asked('ada', whose))).toMatchObject({ ok: true });
    const code = codeAt(begun.key, rig.clock.wall());
    const late = await rig.factors.confirmTotp({ principal, binding: BROWSER, code, source: SOURCE });
    expect(late).toMatchObject({ ok: false, why: 'enrolment-expired' });
  });

  it('is approved once, however many approve at the same moment', async () => {
    const whose = await member();
    const id = await asked('ada', whose);
    const answers = await Promise.all(['ben', 'cleo', 'ben', 'cleo'].map((by) => approve(by, id)));
    expect(answers.filter((answer) => answer.ok)).toHaveLength(1);
  });

  it.each([
    ['', 'nothing'],
    ["x' OR 1=1", 'SQL'],
    ['../factor-reset', 'a path'],
    ['ä'.repeat(30), 'no ASCII'],
    ['A'.repeat(500), 'very long'],
    ['A'.repeat(22), 'no request'],
  ])('knows no request %#', async (id) => {
    expect(await approve('ben', id)).toMatchObject({ ok: false, why: 'request-unknown' });
    const rejected = await rig.factors.rejectReset(clinic, { actor: actor('ben'), id });
    expect(rejected).toMatchObject({ ok: false, why: 'request-unknown' });
  });

  it('is told to whoever keeps the record, and so is every other event, without a name or a code', async () => {
    const events: FactorEvent[] = [];
    const listen = (event: unknown) => events.push(event as FactorEvent);
    channel(CHANNELS.factor).subscribe(listen);
    const whose = await member();
    const { principal, key, recoveryCodes } = whose;
    for (let i = 0; i < 5; i += 1)
      await rig.factors.verify({
        principal,
        method: 'recovery-code',
        code: `ZZZZ-ZZZZ-ZZZZ-ZZZ${i}`,
        source: `2001:db8:${i}::1`,
      });
    await approve('ben', await asked('ada', whose));
    channel(CHANNELS.factor).unsubscribe(listen);
    expect(events.map((event) => event.what)).toEqual([
      'enrolled',
      'recovery-codes-made',
      'verified',
      ...Array(5).fill('refused').toSpliced(4, 0, 'locked'),
      'reset-requested',
      'reset-approved',
    ]);
    expect(events.at(-1)).toMatchObject({ principal, actor: actor('ben').principal });
    const text = JSON.stringify(events);
    for (const secret of [key.replaceAll(' ', ''), 'reception', 'ZZZZ', 'ada', ...recoveryCodes])
      expect(text).not.toContain(secret);
  });
});
