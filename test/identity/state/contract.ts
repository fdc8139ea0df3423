import { beforeAll, describe, expect, it } from 'vitest';
import type { StateKind, StateStore, StoredDocument } from '../../../contracts/state.ts';
import { type MovableClock, movableClock } from './support/clock.ts';
import {
  HOSTILE_IDS,
  HOSTILE_VALUES,
  REFUSED_BODIES,
  REFUSED_IDS,
  REFUSED_VALUES,
} from './support/hostile.ts';
import type { Subject } from './support/subject.ts';

let serial = 0;
/** An id that no other test of this store uses. */
export function fresh(): string {
  serial += 1;
  return `t${process.pid}-${serial}`;
}

const INVALID = { name: 'ChartgateError', code: 'state-invalid' };
const HOUR = 3_600_000;

function found(document: StoredDocument | undefined): StoredDocument {
  if (document === undefined) throw new Error('there is no such document');
  return document;
}

/** What every store promises by itself: contracts/state.ts, `StateStore`. */
export function stateContract(subject: () => Subject): void {
  describe('by itself', () => promises(subject));
}

function promises(subject: () => Subject): void {
  let store: StateStore;
  let clock: MovableClock;

  beforeAll(async () => {
    clock = movableClock();
    store = await subject().open(clock);
    return () => store.close();
  });

  describe('refuses, and keeps nothing of,', () => {
    it.each(REFUSED_IDS)('an id that is %s', async (_, id) => {
      for (const attempt of [
        () => store.get('session', id),
        () => store.insert('session', id, { body: {} }),
        () => store.replace('session', id, 1, { body: {} }),
        () => store.remove('session', id),
        () => store.take('session', id),
      ]) {
        await expect(attempt()).rejects.toMatchObject(INVALID);
      }
    });

    it.each(REFUSED_VALUES)('a value of an index that is %s', async (_, value) => {
      const id = fresh();
      await expect(
        store.insert('account', id, { body: {}, indexes: { login: value } }),
      ).rejects.toMatchObject(INVALID);
      await expect(store.find('account', 'login', value)).rejects.toMatchObject(INVALID);
      await expect(store.removeAll('account', 'login', value)).rejects.toMatchObject(INVALID);
      expect(await store.get('account', id)).toBeUndefined();
    });

    it.each(REFUSED_BODIES)('a body that is %s', async (_, body) => {
      const id = fresh();
      await expect(store.insert('session', id, { body: body as never })).rejects.toMatchObject(INVALID);
      expect(await store.get('session', id)).toBeUndefined();
    });

    it.each(['', 'sessions', 'toString', '__proto__', 'session '])('the kind "%s"', async (kind) => {
      await expect(store.get(kind as StateKind, 'a')).rejects.toMatchObject(INVALID);
      await expect(store.list(kind as StateKind)).rejects.toMatchObject(INVALID);
      await expect(store.insert(kind as StateKind, 'a', { body: {} })).rejects.toMatchObject(INVALID);
    });

    it.each(['', 'Tenant', 'constructor', 'login'])(
      'the index "%s" of a kind that has none of that name',
      async (index) => {
        await expect(store.find('session', index, 'x')).rejects.toMatchObject(INVALID);
        await expect(
          store.insert('session', fresh(), { body: {}, indexes: { [index]: 'x' } }),
        ).rejects.toMatchObject(INVALID);
      },
    );

    it.each([0, -1, 1.5, 1_001, Number.NaN])('a page of %s', async (limit) => {
      await expect(store.list('session', { limit })).rejects.toMatchObject(INVALID);
      await expect(store.find('session', 'tenant', 'x', { limit })).rejects.toMatchObject(INVALID);
    });

    it('a time that is none, a version that is none, and a commit of over 100 operations', async () => {
      const id = fresh();
      for (const expiresAt of [Number.NaN, Number.POSITIVE_INFINITY, 2 ** 60]) {
        await expect(store.insert('session', id, { body: {}, expiresAt })).rejects.toMatchObject(INVALID);
      }
      await expect(store.replace('session', id, 0.5, { body: {} })).rejects.toMatchObject(INVALID);
      const many = Array.from(
        { length: 101 },
        () => ({ do: 'remove', kind: 'session', id, version: 1 }) as const,
      );
      await expect(store.commit(many)).rejects.toMatchObject(INVALID);
    });
  });

  describe('keeps', () => {
    it('a document as it was given, and hands it out frozen', async () => {
      const id = fresh();
      const before = clock.wall();
      const expiresAt = Math.floor(before) + HOUR;
      const body = { text: 'a', list: [1, -0.5, 1e300, null, true, { deep: [] }], none: {} };
      expect(await store.insert('session', id, { body, indexes: { tenant: 'north' }, expiresAt })).toBe(true);
      const document = found(await store.get('session', id));
      expect(document).toMatchObject({ id, body, indexes: { tenant: 'north' }, expiresAt });
      expect(document.createdAt).toBeGreaterThanOrEqual(Math.floor(before));
      expect(document.createdAt).toBeLessThanOrEqual(clock.wall());
      expect(Number.isSafeInteger(document.version) && document.version > 0).toBe(true);
      const list = document.body.list as readonly unknown[];
      for (const part of [document, document.body, document.indexes, list, list[5]]) {
        expect(Object.isFrozen(part)).toBe(true);
      }
    });

    it('texts of every kind in a body', async () => {
      const id = fresh();
      const body = {
        ...Object.fromEntries(HOSTILE_VALUES.map(([name, value]) => [name, value])),
        ...Object.fromEntries(HOSTILE_VALUES.map(([name, value]) => [value, name])),
        alone: '\ud83d',
        ['__proto__']: { polluted: true },
      };
      await store.insert('session', id, { body });
      const document = found(await store.get('session', id));
      expect(JSON.stringify(document.body)).toBe(JSON.stringify(body));
      expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
    });

    it('a body of just 1 MiB, and not a byte more', async () => {
      const id = fresh();
      const text = 'ä'.repeat((1_048_576 - '{"text":""}'.length - 1) / 2);
      expect(await store.insert('held-form', id, { body: { text: `${text}a` } })).toBe(true);
      expect(found(await store.get('held-form', id)).body.text).toBe(`${text}a`);
      await expect(store.insert('held-form', fresh(), { body: { text: `${text}aa` } })).rejects.toMatchObject(
        INVALID,
      );
      await store.remove('held-form', id);
    });

    it('ids apart that look alike', async () => {
      for (const [n, [, id]] of HOSTILE_IDS.entries()) {
        expect(await store.insert('sign-in', id, { body: { n } })).toBe(true);
      }
      for (const [n, [, id]] of HOSTILE_IDS.entries()) {
        expect(found(await store.get('sign-in', id))).toMatchObject({ id, body: { n } });
      }
      const listed = (await store.list('sign-in')).map(({ id }) => id);
      expect(listed).toEqual(HOSTILE_IDS.map(([, id]) => id).sort());
      for (const [, id] of HOSTILE_IDS) expect(await store.remove('sign-in', id)).toBe(true);
    });

    it('values of indexes apart that look alike, unique ones too', async () => {
      for (const [n, [, value]] of HOSTILE_VALUES.entries()) {
        const document = { body: { n }, indexes: { login: value, organisation: value } };
        expect(await store.insert('account', `v${n}`, document)).toBe(true);
      }
      for (const [n, [, value]] of HOSTILE_VALUES.entries()) {
        for (const index of ['login', 'organisation']) {
          const documents = await store.find('account', index, value);
          expect(documents.map(({ id }) => id)).toEqual([`v${n}`]);
          expect(documents[0]?.indexes).toEqual({ login: value, organisation: value });
        }
      }
      for (const [, value] of HOSTILE_VALUES)
        expect(await store.removeAll('account', 'organisation', value)).toBe(1);
    });

    it('kinds apart: one id, and one value, in each of them', async () => {
      const id = fresh();
      expect(await store.insert('session', id, { body: { is: 'session' } })).toBe(true);
      expect(
        await store.insert('challenge', id, { body: { is: 'challenge' }, indexes: { principal: id } }),
      ).toBe(true);
      expect(await store.insert('totp', id, { body: { is: 'totp' }, indexes: { principal: id } })).toBe(true);
      expect(found(await store.get('session', id)).body.is).toBe('session');
      expect((await store.find('challenge', 'principal', id))[0]?.body.is).toBe('challenge');
      expect(await store.remove('challenge', id)).toBe(true);
      expect(found(await store.get('totp', id)).body.is).toBe('totp');
      await store.remove('totp', id);
    });

    it('nothing of a property without a value', async () => {
      const id = fresh();
      await store.insert('session', id, { body: { a: undefined as never, b: 1 } });
      expect(found(await store.get('session', id)).body).toEqual({ b: 1 });
    });
  });

  describe('changes', () => {
    it('an id that is taken: not', async () => {
      const id = fresh();
      await store.insert('session', id, { body: { n: 1 }, indexes: { tenant: id } });
      expect(await store.insert('session', id, { body: { n: 2 }, indexes: { tenant: `${id}-2` } })).toBe(
        false,
      );
      expect(found(await store.get('session', id)).body).toEqual({ n: 1 });
      expect(await store.find('session', 'tenant', `${id}-2`)).toEqual([]);
    });

    it('a document only in the version that was read, keeping when it was made', async () => {
      const id = fresh();
      await store.insert('session', id, { body: { n: 1 }, indexes: { tenant: `${id}-a` } });
      const first = found(await store.get('session', id));
      clock.advance(1_000);
      expect(
        await store.replace('session', id, first.version, { body: { n: 2 }, indexes: { tenant: `${id}-b` } }),
      ).toBe(true);
      expect(await store.replace('session', id, first.version, { body: { n: 3 } })).toBe(false);
      const second = found(await store.get('session', id));
      expect(second).toMatchObject({
        body: { n: 2 },
        indexes: { tenant: `${id}-b` },
        createdAt: first.createdAt,
      });
      expect(second.version).toBeGreaterThan(first.version);
      expect(await store.find('session', 'tenant', `${id}-a`)).toEqual([]);
      expect(await store.find('session', 'tenant', `${id}-b`)).toEqual([second]);
      expect(await store.replace('session', fresh(), first.version, { body: {} })).toBe(false);
    });

    it('never by a version that an earlier document of the same id had', async () => {
      const id = fresh();
      await store.insert('attempts', id, { body: { n: 1 } });
      const earlier = found(await store.get('attempts', id));
      await store.remove('attempts', id);
      await store.insert('attempts', id, { body: { n: 2 } });
      expect(await store.replace('attempts', id, earlier.version, { body: { n: 3 } })).toBe(false);
      expect(await store.commit([{ do: 'remove', kind: 'attempts', id, version: earlier.version }])).toBe(
        false,
      );
      expect(found(await store.get('attempts', id)).body).toEqual({ n: 2 });
    });

    it('nothing where a unique value is taken, by insert or by replace; and gives it free when it is given up', async () => {
      const [a, b, login] = [fresh(), fresh(), fresh()];
      expect(await store.insert('account', a, { body: {}, indexes: { login } })).toBe(true);
      expect(await store.insert('account', b, { body: {}, indexes: { login, organisation: b } })).toBe(false);
      expect(await store.get('account', b)).toBeUndefined();
      expect(await store.find('account', 'organisation', b)).toEqual([]);
      await store.insert('account', b, { body: { n: 1 }, indexes: { login: `${login}-b` } });
      const { version } = found(await store.get('account', b));
      expect(await store.replace('account', b, version, { body: { n: 2 }, indexes: { login } })).toBe(false);
      expect(found(await store.get('account', b))).toMatchObject({ version, body: { n: 1 } });
      const { version: mine } = found(await store.get('account', a));
      expect(await store.replace('account', a, mine, { body: {}, indexes: { login: `${login}-a` } })).toBe(
        true,
      );
      expect(await store.replace('account', b, version, { body: { n: 2 }, indexes: { login } })).toBe(true);
      expect((await store.find('account', 'login', login)).map(({ id }) => id)).toEqual([b]);
      expect(await store.find('account', 'login', login, { after: b })).toEqual([]);
    });

    it('takes a document once, removes once, and says whether there was one', async () => {
      const id = fresh();
      expect(await store.take('challenge', id)).toBeUndefined();
      expect(await store.remove('challenge', id)).toBe(false);
      await store.insert('challenge', id, { body: { n: 1 }, indexes: { principal: id } });
      expect(found(await store.take('challenge', id))).toMatchObject({
        id,
        body: { n: 1 },
        indexes: { principal: id },
      });
      expect(await store.take('challenge', id)).toBeUndefined();
      expect(await store.find('challenge', 'principal', id)).toEqual([]);
    });

    it('removes all with one value of an index, and no other', async () => {
      const mark = fresh();
      for (let n = 0; n < 30; n += 1) {
        await store.insert('session', fresh(), {
          body: {},
          indexes: { principal: n % 3 === 0 ? mark : `${mark}-other` },
        });
      }
      expect(await store.removeAll('session', 'principal', mark)).toBe(10);
      expect(await store.removeAll('session', 'principal', mark)).toBe(0);
      expect(await store.find('session', 'principal', `${mark}-other`)).toHaveLength(20);
    });

    it('all operations of a commit in their order, or none of them', async () => {
      const [a, b, c, login] = [fresh(), fresh(), fresh(), fresh()];
      await store.insert('account', a, { body: { n: 1 }, indexes: { login } });
      const { version } = found(await store.get('account', a));
      const swap = (last: number): Parameters<StateStore['commit']>[0] => [
        { do: 'remove', kind: 'account', id: a, version },
        { do: 'insert', kind: 'account', id: b, document: { body: { n: 2 }, indexes: { login } } },
        { do: 'insert', kind: 'password', id: c, document: { body: {}, indexes: { account: b } } },
        { do: 'replace', kind: 'session', id: c, version: last, document: { body: {} } },
      ];
      expect(await store.commit(swap(1))).toBe(false);
      expect(found(await store.get('account', a)).version).toBe(version);
      expect(await store.get('account', b)).toBeUndefined();
      expect(await store.find('password', 'account', b)).toEqual([]);
      await store.insert('session', c, { body: {} });
      expect(await store.commit(swap(found(await store.get('session', c)).version))).toBe(true);
      expect(await store.get('account', a)).toBeUndefined();
      expect((await store.find('account', 'login', login)).map(({ id }) => id)).toEqual([b]);
      expect(await store.commit([])).toBe(true);
    });

    it('a hundred operations at once', async () => {
      const ids = Array.from({ length: 100 }, () => fresh());
      expect(
        await store.commit(
          ids.map((id) => ({ do: 'insert', kind: 'revocation', id, document: { body: {} } })),
        ),
      ).toBe(true);
      expect(await store.list('revocation')).toHaveLength(100);
    });
  });

  describe('a document that has expired', () => {
    const soon = (): number => clock.wall() + HOUR;

    it('is not found in any way, before it was purged and after', async () => {
      const id = fresh();
      await store.insert('session', id, { body: {}, indexes: { tenant: id }, expiresAt: soon() });
      const { version } = found(await store.get('session', id));
      clock.advance(HOUR - 60_000);
      expect(found(await store.get('session', id)).version).toBe(version);
      clock.advance(60_000);
      expect(await store.get('session', id)).toBeUndefined();
      expect(await store.find('session', 'tenant', id)).toEqual([]);
      expect((await store.list('session')).some((document) => document.id === id)).toBe(false);
      expect(await store.take('session', id)).toBeUndefined();
      expect(await store.remove('session', id)).toBe(false);
      expect(await store.replace('session', id, version, { body: {} })).toBe(false);
      expect(await store.commit([{ do: 'remove', kind: 'session', id, version }])).toBe(false);
      expect(await store.removeAll('session', 'tenant', id)).toBe(0);
    });

    it('leaves its id and its unique values free', async () => {
      const [a, b, login] = [fresh(), fresh(), fresh()];
      await store.insert('account', a, {
        body: { n: 1 },
        indexes: { login, organisation: a },
        expiresAt: soon(),
      });
      clock.advance(HOUR);
      expect(await store.insert('account', b, { body: { n: 2 }, indexes: { login } })).toBe(true);
      expect((await store.find('account', 'login', login)).map(({ id }) => id)).toEqual([b]);
      expect(await store.insert('account', a, { body: { n: 3 } })).toBe(true);
      expect(found(await store.get('account', a))).toMatchObject({
        body: { n: 3 },
        indexes: {},
        expiresAt: undefined,
      });
      expect(await store.find('account', 'organisation', a)).toEqual([]);
    });

    it('can be given more time before, and less', async () => {
      const id = fresh();
      await store.insert('session', id, { body: {}, expiresAt: soon() });
      const first = found(await store.get('session', id));
      await store.replace('session', id, first.version, { body: {}, expiresAt: soon() + HOUR });
      clock.advance(HOUR);
      const second = found(await store.get('session', id));
      await store.replace('session', id, second.version, { body: {}, expiresAt: clock.wall() });
      expect(await store.get('session', id)).toBeUndefined();
    });

    it('is purged, a bounded number at a time, and nothing else is', async () => {
      while ((await store.purge()) > 0);
      const kept = fresh();
      await store.insert('logout-token', kept, { body: {}, expiresAt: soon() + HOUR });
      const expiresAt = soon();
      for (let page = 0; page < 6; page += 1) {
        await store.commit(
          Array.from({ length: 100 }, () => ({
            do: 'insert',
            kind: 'challenge',
            id: fresh(),
            document: { body: {}, indexes: { principal: kept }, expiresAt },
          })),
        );
      }
      clock.advance(HOUR);
      const purged = [await store.purge(), await store.purge(), await store.purge()];
      expect(purged.every((count) => count < 600)).toBe(true);
      expect(purged.reduce((sum, count) => sum + count, 0)).toBe(600);
      expect(await store.get('logout-token', kept)).toBeDefined();
    });
  });

  it('lists and finds page by page, in order of id', async () => {
    const mark = fresh();
    const ids = Array.from({ length: 25 }, (_, n) => `${mark}-${String((n * 7) % 25).padStart(2, '0')}`);
    for (const id of ids) await store.insert('client', id, { body: {}, indexes: { tenant: mark } });
    const read = async (page: (after: string) => Promise<readonly StoredDocument[]>): Promise<string[]> => {
      const all: string[] = [];
      for (;;) {
        const documents = await page(all.at(-1) ?? '');
        expect(documents.length).toBeLessThanOrEqual(10);
        if (documents.length === 0) return all;
        all.push(...documents.map(({ id }) => id));
      }
    };
    const sorted = [...ids].sort();
    expect(await read((after) => store.find('client', 'tenant', mark, { limit: 10, after }))).toEqual(sorted);
    expect(await read((after) => store.list('client', { limit: 10, after }))).toEqual(sorted);
  });
}
