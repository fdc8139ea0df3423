import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { secretOf } from '../../../config/secret.ts';
import type { BearerPrincipal } from '../../../contracts/principal.ts';
import type { EmergencySettings } from '../../../contracts/settings.ts';
import { broadened, Emergencies } from '../../../identity/emergency/index.ts';
import { originOf } from '../../../identity/principal.ts';
import { createSealer } from '../../../identity/state/index.ts';
import { follow, type Kept, keep, north, person, seconds, south } from '../consents/support.ts';

const settings: EmergencySettings = {
  roles: ['physician'],
  holders: ['chartgate/emergency'],
  scopes: ['user/*.rs'],
  durationMs: 1_800_000,
  factorMaxAge: undefined,
};
const REASON = 'Unconscious in the emergency room, allergies needed';
const REVIEWER = { issuer: 'https://north.example', subject: 'officer', name: undefined };

let kept: Kept;
let emergencies: Emergencies;
beforeAll(async () => {
  kept = await keep();
  const sealer = createSealer(secretOf(randomBytes(32)));
  emergencies = new Emergencies({ store: kept.store, sealer, clock: kept.clock });
});
afterAll(() => kept.close());

const physician = (subject: string, change: Parameters<typeof person>[0] = {}): BearerPrincipal =>
  person({
    home: undefined,
    subject,
    scopes: new Set(['openid']),
    roles: new Set(['physician']),
    ...change,
  });

describe('emergency access is refused', () => {
  it.each([
    ['to whoever has no such role', { roles: new Set(['clerk']) }, {}, REASON, 'not-entitled'],
    ['to whoever has no role', { roles: undefined }, {}, REASON, 'not-entitled'],
    ['to people of a partner', { home: south }, {}, REASON, 'not-entitled'],
    ['without a second factor where it must be fresh', {}, { factorMaxAge: 60 }, REASON, 'factor-stale'],
    [
      'with an old one',
      { authentication: { at: 1, methods: [], acr: undefined, factorAt: 1 } },
      { factorMaxAge: 60 },
      REASON,
      'factor-stale',
    ],
    ['without a reason', {}, {}, '', 'reason'],
    ['with a reason of white space', {}, {}, '            ', 'reason'],
    ['with a short one', {}, {}, 'urgent', 'reason'],
    ['with a long one', {}, {}, 'x'.repeat(501), 'reason'],
    ['with one of controls', {}, {}, `${REASON}\u001b[2J`, 'reason'],
  ] as const)('%s', async (_, change, own, reason, why) => {
    const begun = await emergencies.begin(physician('nobody', change), { ...settings, ...own }, reason);
    expect(begun).toEqual({ ok: false, why });
    expect(await emergencies.list(north)).toEqual([]);
  });
});

describe('emergency access', () => {
  it('gives its scopes to this person and credential, on every worker, until it ends', async () => {
    const [one, other] = [follow(kept.store, kept.clock), follow(kept.store, kept.clock)];
    const principal = physician('doc');
    const at = () => kept.clock.wall() / 1000;
    const begun = await emergencies.begin(principal, settings, REASON);
    if (!begun.ok) throw new Error(begun.why);
    await Promise.all([one.follower.look(), other.follower.look()]);
    for (const { follower } of [one, other]) {
      const { emergency } = follower.kept;
      expect(emergency.of(principal, at())?.id).toBe(begun.emergency.id);
      expect(emergency.of(physician('doc2'), at())).toBeUndefined();
      expect(emergency.of(physician('doc', { clientId: 'another' }), at())).toBeUndefined();
      expect(emergency.of(physician('doc', { tenant: south }), at())).toBeUndefined();
      expect(emergency.of(physician('doc', { issuer: 'https://south.example' }), at())?.id).toBe(
        begun.emergency.id,
      );
      expect(emergency.of(principal, begun.emergency.until)).toBeUndefined();
    }
    expect(await emergencies.begin(principal, settings, REASON)).toEqual({ ok: false, why: 'in-force' });
    await emergencies.end(begun.emergency.id, north, 'holder');
    await other.follower.look();
    expect(other.follower.kept.emergency.of(principal, at())).toBeUndefined();
    one.follower.close();
    other.follower.close();
  });

  it('lasts no longer than the credential, and never longer than was set', async () => {
    const expiresAt = seconds(kept.clock) + 60;
    const short = await emergencies.begin(physician('short', { expiresAt }), settings, REASON);
    expect(short.ok && short.emergency.until).toBe(expiresAt);
    const long = await emergencies.begin(physician('long'), settings, REASON);
    expect(long.ok && long.emergency.until - long.emergency.begunAt).toBe(1800);
  });

  it('makes the same principal broader, and it stays known where it came from', async () => {
    const principal = physician('broad');
    const begun = await emergencies.begin(principal, settings, REASON);
    if (!begun.ok) throw new Error(begun.why);
    const broad = broadened(principal, begun.emergency);
    expect([...broad.scopes]).toEqual(['openid', 'user/*.rs']);
    expect(broad.expiresAt).toBe(begun.emergency.until);
    expect(broadened(principal, begun.emergency)).toBe(broad);
    expect(originOf(broad)).toBe(principal);
    expect(Object.isFrozen(broad)).toBe(true);
    expect([...principal.scopes]).toEqual(['openid']);
  });

  it('keeps the reason sealed, and shows it to who reviews', async () => {
    const begun = await emergencies.begin(physician('sealed'), settings, REASON);
    if (!begun.ok) throw new Error(begun.why);
    const { id } = begun.emergency;
    const document = await kept.store.get('emergency', id);
    expect(JSON.stringify(document)).not.toContain('Unconscious');
    expect((await emergencies.show(id, north))?.reason).toBe(REASON);
    expect(await emergencies.show(id, south)).toBeUndefined();
    const others = new Emergencies({
      store: kept.store,
      sealer: createSealer(secretOf(randomBytes(32))),
      clock: kept.clock,
    });
    expect((await others.show(id, north))?.reason).toBeUndefined();
  });

  it('is reviewed by somebody else, after it has ended, with who and when', async () => {
    const begun = await emergencies.begin(physician('looked-at'), settings, REASON);
    if (!begun.ok) throw new Error(begun.why);
    const { id, issuer, subject } = begun.emergency;
    const review = (who = REVIEWER, note = '') => emergencies.review(id, north, who, 'justified', note);
    expect(await review()).toEqual({ ok: false, why: 'in-force' });
    await emergencies.end(id, north, 'reviewer');
    expect(await review({ issuer, subject, name: undefined })).toEqual({ ok: false, why: 'own' });
    expect(await review(REVIEWER, 'x'.repeat(501))).toEqual({ ok: false, why: 'note' });
    expect(await emergencies.review(id, south, REVIEWER, 'justified')).toEqual({
      ok: false,
      why: 'not-found',
    });
    expect(await review(REVIEWER, 'as it should be')).toMatchObject({ ok: true });
    expect(await emergencies.review(id, north, REVIEWER, 'unclear')).toMatchObject({ ok: true });
    const shown = await emergencies.show(id, north);
    expect(shown?.reviews.map(({ verdict, subject: by }) => [verdict, by])).toEqual([
      ['justified', 'officer'],
      ['unclear', 'officer'],
    ]);
    expect(shown?.notes).toEqual(['as it should be', '']);
    expect(JSON.stringify(await kept.store.get('emergency', id))).not.toContain('as it should be');
  });
});
