import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ConsentQuestion } from '../../../contracts/consent.ts';
import type { Consent } from '../../../contracts/consent-record.ts';
import { ChartgateError } from '../../../contracts/errors.ts';
import type { StateStore } from '../../../contracts/state.ts';
import type { SharingNote } from '../../../identity/sharing/feed.ts';
import {
  DAY,
  follow,
  HOME_ISSUER,
  type Kept,
  keep,
  north,
  patientAct,
  person,
  rules,
  seconds,
  south,
  wanted,
} from './support.ts';

let kept: Kept;
beforeAll(async () => {
  kept = await keep();
});
afterAll(() => kept.close());

async function granted(change: Parameters<typeof wanted>[1] = {}): Promise<Consent> {
  const result = await kept.consents.grant(wanted(kept.clock, change), rules, patientAct);
  if (!result.ok) throw new Error(JSON.stringify(result.faults));
  return result.consent;
}

const question = (change: Partial<ConsentQuestion> = {}): ConsentQuestion => ({
  tenant: north,
  patient: 'p1',
  principal: person(),
  resourceType: 'Observation',
  categories: [],
  action: 'read',
  at: seconds(kept.clock),
  ...change,
});

describe('granting refuses, and says where,', () => {
  const now = () => seconds(kept.clock);
  const rows: readonly (readonly [why: string, change: () => Record<string, unknown>, at: string])[] = [
    ['a patient that is no FHIR id', () => ({ patient: '../p1' }), 'patient'],
    ['no patient', () => ({ patient: undefined }), 'patient'],
    ['a patient longer than an id', () => ({ patient: 'x'.repeat(65) }), 'patient'],
    ['nobody', () => ({ grantee: undefined }), 'grantee'],
    ['everybody', () => ({ grantee: { kind: 'everybody' } }), 'grantee.kind'],
    [
      'a tenant that is no partner',
      () => ({ grantee: { kind: 'organisation', tenant: 'west' } }),
      'grantee.tenant',
    ],
    [
      'a tenant that is none',
      () => ({ grantee: { kind: 'organisation', tenant: 'South' } }),
      'grantee.tenant',
    ],
    [
      'a role without a name',
      () => ({ grantee: { kind: 'role', tenant: 'south', role: '' } }),
      'grantee.role',
    ],
    [
      'a person of an unknown issuer',
      () => ({ grantee: { kind: 'person', issuer: 'https://evil.example', subject: 'x' } }),
      'grantee.issuer',
    ],
    [
      'a subject with a line break',
      () => ({ grantee: { kind: 'person', issuer: HOME_ISSUER, subject: 'a\nb' } }),
      'grantee.subject',
    ],
    ['no types', () => ({ resourceTypes: [] }), 'resourceTypes'],
    ['types that are text', () => ({ resourceTypes: 'Observation' }), 'resourceTypes'],
    ['a type that is none', () => ({ resourceTypes: ['Observation', 'observation'] }), 'resourceTypes[1]'],
    ['every type and another', () => ({ resourceTypes: ['*', 'Patient'] }), 'resourceTypes'],
    ['101 types', () => ({ resourceTypes: Array.from({ length: 101 }, () => 'Patient') }), 'resourceTypes'],
    ['a category with a space', () => ({ categories: ['vital signs'] }), 'categories[0]'],
    ['no action', () => ({ actions: [] }), 'actions'],
    ['an action that there is not', () => ({ actions: ['read', 'delete'] }), 'actions'],
    ['no end', () => ({ until: undefined }), 'until'],
    ['an end without end', () => ({ until: Number.POSITIVE_INFINITY }), 'until'],
    ['an end in the past', () => ({ until: now() - 1, from: now() - 60 }), 'until'],
    ['an end before the beginning', () => ({ from: now() + 100, until: now() + 50 }), 'until'],
    ['a beginning in the past', () => ({ from: now() - DAY }), 'from'],
    ['longer than the tenant allows', () => ({ until: now() + 400 * DAY }), 'until'],
    ['a half second', () => ({ until: now() + 100.5 }), 'until'],
  ];
  it.each(rows)('%s', async (_, change, at) => {
    const result = await kept.consents.grant(wanted(kept.clock, change()), rules, patientAct);
    expect(result.ok).toBe(false);
    expect(result.ok ? [] : result.faults.map((fault) => fault.at)).toContain(at);
    expect(JSON.stringify(result)).not.toMatch(/evil|\.\.\/p1|West/);
  });

  it('more consents of one patient than can be looked through', async () => {
    for (let i = 0; i < 200; i += 1) await granted({ patient: 'many' });
    const result = await kept.consents.grant(wanted(kept.clock, { patient: 'many' }), rules, patientAct);
    expect(result).toMatchObject({ ok: false, faults: [{ at: 'patient' }] });
  }, 60_000);
});

describe('a consent', () => {
  it('covers nothing before it is granted, what was granted then, and nothing once it is withdrawn', async () => {
    const { follower, view } = follow(kept.store, kept.clock);
    await follower.look();
    expect(view.check(question({ patient: 'w1' }))).toBe('none');
    const consent = await granted({ patient: 'w1' });
    await follower.look();
    expect(view.check(question({ patient: 'w1' }))).toBe('in-force');
    const first = await kept.consents.withdraw(consent.id, north, patientAct);
    await follower.look();
    expect(view.check(question({ patient: 'w1' }))).toBe('none');
    expect(first).toMatchObject({ ok: true, already: false, consent: { withdrawn: { basis: 'patient' } } });
    expect(await kept.consents.withdraw(consent.id, north, patientAct)).toMatchObject({ already: true });
    expect(await kept.consents.ofPatient(north, 'w1')).toMatchObject([{ id: consent.id }]);
    follower.close();
  });

  it('is not there for another tenant, or for whoever has no say in it', async () => {
    const { id } = await granted({ patient: 'w2' });
    expect(await kept.consents.show(id, south)).toBeUndefined();
    expect(await kept.consents.withdraw(id, south, patientAct)).toEqual({ ok: false });
    expect(await kept.consents.withdraw(id, north, patientAct, () => false)).toEqual({ ok: false });
    expect(await kept.consents.withdraw('../../etc', north, patientAct)).toEqual({ ok: false });
    expect(await kept.consents.ofPatient(south, 'w2')).toEqual([]);
    expect((await kept.consents.show(id, north))?.withdrawn).toBeUndefined();
  });

  it('begins and ends to the second', async () => {
    const { follower, view } = follow(kept.store, kept.clock);
    const from = seconds(kept.clock) + 1000;
    await granted({ patient: 'w3', from, until: from + 100 });
    await follower.look();
    const at = (second: number) => view.check(question({ patient: 'w3', at: second }));
    expect([from - 1, from, from + 99, from + 100].map(at)).toEqual(['none', 'in-force', 'in-force', 'none']);
    follower.close();
  });

  it.each([
    ['the organisation', { kind: 'organisation', tenant: 'south' }, {}, true],
    [
      'the organisation, somebody of another',
      { kind: 'organisation', tenant: 'south' },
      { home: undefined },
      false,
    ],
    [
      'the organisation, a patient of it',
      { kind: 'organisation', tenant: 'south' },
      { patient: 'p9' },
      false,
    ],
    ['its own organisation', { kind: 'organisation', tenant: 'north' }, { home: undefined }, true],
    [
      'its own organisation, another patient',
      { kind: 'organisation', tenant: 'north' },
      { home: undefined, patient: 'p2' },
      false,
    ],
    ['a role', { kind: 'role', tenant: 'south', role: 'nurse' }, { roles: new Set(['nurse']) }, true],
    [
      'a role, somebody with another',
      { kind: 'role', tenant: 'south', role: 'nurse' },
      { roles: new Set(['clerk']) },
      false,
    ],
    ['a role, nobody with any', { kind: 'role', tenant: 'south', role: 'nurse' }, {}, false],
    [
      'a role, the same elsewhere',
      { kind: 'role', tenant: 'south', role: 'nurse' },
      { roles: new Set(['nurse']), home: undefined },
      false,
    ],
    ['a person', { kind: 'person', issuer: 'https://south.example', subject: 'doctor' }, {}, true],
    [
      'a person who is a patient too',
      { kind: 'person', issuer: 'https://south.example', subject: 'doctor' },
      { home: undefined, patient: 'p2' },
      true,
    ],
    [
      'another person',
      { kind: 'person', issuer: 'https://south.example', subject: 'doctor' },
      { subject: 'doctor2' },
      false,
    ],
    [
      'a namesake of another issuer',
      { kind: 'person', issuer: 'https://south.example', subject: 'doctor' },
      { issuer: HOME_ISSUER },
      false,
    ],
  ])('lets in %s: %o', async (name, grantee, change, expected) => {
    const patient = `g${name.length}${Object.keys(change).length}${grantee.kind}`;
    const { follower, view } = follow(kept.store, kept.clock);
    await granted({ patient, grantee });
    await follower.look();
    expect(view.check(question({ patient, principal: person(change) }))).toBe(expected ? 'in-force' : 'none');
    follower.close();
  });

  it.each([
    ['a type that it names', {}, { resourceType: 'Observation' }, 'in-force', 'in-force'],
    ['another type', {}, { resourceType: 'Condition' }, 'none', 'none'],
    ['the whole record', {}, { resourceType: '*' }, 'none', 'none'],
    [
      'the whole record, of a whole one',
      { resourceTypes: ['*'] },
      { resourceType: '*' },
      'in-force',
      'in-force',
    ],
    [
      'any type, of a whole one',
      { resourceTypes: ['*'] },
      { resourceType: 'Condition' },
      'in-force',
      'in-force',
    ],
    ['writing', {}, { action: 'write' }, 'none', 'none'],
    ['writing, where it says so', { actions: ['write'] }, { action: 'write' }, 'in-force', 'in-force'],
    ['reading, where it is to write', { actions: ['write'] }, {}, 'none', 'none'],
    [
      'a category that it names',
      { categories: ['laboratory'] },
      { categories: ['x', 'laboratory'] },
      'in-force',
      'in-force',
    ],
    ['another category', { categories: ['laboratory'] }, { categories: ['vital-signs'] }, 'none', 'in-force'],
    ['no category at all', { categories: ['laboratory'] }, { categories: [] }, 'none', 'in-force'],
    [
      'a category not known yet',
      { categories: ['laboratory'] },
      { categories: undefined },
      'none',
      'in-force',
    ],
    [
      'the whole record, of some categories',
      { resourceTypes: ['*'], categories: ['laboratory'] },
      { resourceType: '*' },
      'none',
      'none',
    ],
    ['another patient', {}, { patient: 'somebody' }, 'none', 'none'],
    ['another tenant', {}, { tenant: south }, 'none', 'none'],
  ])('covers %s', async (name, change, asked, check, possible) => {
    const patient = `c-${name.replace(/[^a-z]/g, '-').slice(0, 60)}`;
    const { follower, view } = follow(kept.store, kept.clock);
    await granted({ patient, ...change });
    await follower.look();
    const full = { ...question({ patient }), ...asked } as ConsentQuestion;
    expect([view.check(full), view.possible(full)]).toEqual([check, possible]);
    follower.close();
  });
});

describe('a worker that follows', () => {
  /** A store that is gone while a test says so. */
  function losable(store: StateStore) {
    const state = { lost: false };
    const lost = () => new ChartgateError('state-unavailable', 'lost');
    const proxy = new Proxy(store, {
      get(target, name) {
        const value = Reflect.get(target, name);
        if (typeof value !== 'function') return value;
        return (...given: unknown[]) => (state.lost ? Promise.reject(lost()) : value.apply(target, given));
      },
    });
    return { state, store: proxy as StateStore };
  }

  it('knows nothing before it has read everything', async () => {
    const { state, store } = losable(kept.store);
    state.lost = true;
    const { follower, view } = follow(store, kept.clock);
    await follower.look();
    expect(view.check(question())).toBe('unavailable');
    expect(view.possible(question())).toBe('unavailable');
    follower.close();
  });

  it('says so within a second when the store cannot be asked, and goes on when it can', async () => {
    const { state, store } = losable(kept.store);
    const { follower, view } = follow(store, kept.clock);
    await granted({ patient: 'l1' });
    await follower.look();
    expect(view.check(question({ patient: 'l1' }))).toBe('in-force');
    state.lost = true;
    const begun = performance.now();
    await expect
      .poll(() => view.check(question({ patient: 'l1' })), { interval: 20, timeout: 3000 })
      .toBe('unavailable');
    expect(performance.now() - begun).toBeLessThan(1000);
    state.lost = false;
    await expect
      .poll(() => view.check(question({ patient: 'l1' })), { interval: 20, timeout: 3000 })
      .toBe('in-force');
    follower.close();
  });

  it('sees a change of another worker without being told', async () => {
    const { follower, view } = follow(kept.store, kept.clock);
    await follower.look();
    const { id } = await granted({ patient: 'o1' });
    await expect.poll(() => view.check(question({ patient: 'o1' })), { interval: 20 }).toBe('in-force');
    const begun = performance.now();
    await kept.consents.withdraw(id, north, patientAct);
    await expect.poll(() => view.check(question({ patient: 'o1' })), { interval: 5 }).toBe('none');
    expect(performance.now() - begun).toBeLessThan(1000);
    follower.close();
  });

  it('misses none of many that are changed at the same time', async () => {
    const { follower, view } = follow(kept.store, kept.clock);
    const made = await Promise.all(Array.from({ length: 40 }, (_, i) => granted({ patient: `m${i}` })));
    await follower.look();
    expect(made.map((_, i) => view.check(question({ patient: `m${i}` })))).toEqual(
      made.map(() => 'in-force'),
    );
    await Promise.all(made.map(({ id }) => kept.consents.withdraw(id, north, patientAct)));
    await follower.look();
    expect(made.map((_, i) => view.check(question({ patient: `m${i}` })))).toEqual(made.map(() => 'none'));
    follower.close();
  }, 30_000);

  it('reads everything anew when the changes that it missed are gone, or the store is an older copy', async () => {
    const { follower, view } = follow(kept.store, kept.clock);
    const { id } = await granted({ patient: 'r1' });
    await follower.look();
    expect(view.check(question({ patient: 'r1' }))).toBe('in-force');
    await kept.consents.withdraw(id, north, patientAct);
    for (const change of await kept.store.list('sharing-change'))
      await kept.store.remove('sharing-change', change.id);
    await follower.look();
    expect(view.check(question({ patient: 'r1' }))).toBe('none');
    const head = await kept.store.get('sharing-feed', 'head');
    await kept.store.replace('sharing-feed', 'head', head?.version ?? 0, {
      body: { sequence: 1, mark: 'older' },
    });
    await granted({ patient: 'r2' });
    await follower.look();
    expect(view.check(question({ patient: 'r2' }))).toBe('in-force');
    follower.close();
  });

  it('takes a document that it cannot read for none', async () => {
    const { id } = await granted({ patient: 'b1' });
    const document = await kept.store.get('consent', id);
    await kept.store.replace('consent', id, document?.version ?? 0, {
      body: { ...document?.body, parts: { resourceTypes: ['*'] } },
    });
    const { follower, view } = follow(kept.store, kept.clock);
    await follower.look();
    expect(view.check(question({ patient: 'b1' }))).toBe('none');
    follower.close();
  });

  it('records what was done by command exactly once, whichever worker it is', async () => {
    const notes: SharingNote[] = [];
    let refuse = true;
    const note = async (each: SharingNote) => {
      if (refuse) throw new Error('the log takes nothing');
      notes.push(each);
    };
    const workers = [1, 2, 3].map(() => follow(kept.store, kept.clock, note));
    const host = { basis: 'host', issuer: '', subject: '' } as const;
    const result = await kept.consents.grant(wanted(kept.clock, { patient: 'n1' }), rules, host);
    await Promise.all(workers.map(({ follower }) => follower.look()));
    expect(notes).toEqual([]);
    refuse = false;
    const record = result.ok ? result.consent.id : '';
    await kept.consents.withdraw(record, north, host);
    const later = follow(kept.store, kept.clock, note);
    await Promise.all([...workers, later].map(({ follower }) => follower.look()));
    await expect
      .poll(() => notes.map(({ event }) => event).toSorted())
      .toEqual(['consent-granted', 'consent-withdrawn']);
    expect(notes.every((each) => each.record === record && each.tenant === north)).toBe(true);
    for (const { follower } of [...workers, later]) follower.close();
  });
});
