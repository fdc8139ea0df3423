import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { StateStore } from '../../../contracts/state.ts';
import { fresh } from './contract.ts';
import { type Contender, startContenders } from './support/processes.ts';
import type { Subject } from './support/subject.ts';

const AT_ONCE = 50;

function atOnce<T>(attempt: (n: number) => Promise<T>): Promise<T[]> {
  return Promise.all(Array.from({ length: AT_ONCE }, (_, n) => attempt(n)));
}

const successes = (results: readonly boolean[]): number => results.filter(Boolean).length;

/** Of many at once exactly one: contracts/state.ts, of `insert`, `replace`, `take` and unique values. */
export function contendedContract(subject: () => Subject): void {
  describe('of 50 callers at once', () => {
    let store: StateStore;
    beforeAll(async () => {
      store = await subject().open();
      return () => store.close();
    });

    it('exactly one inserts an id, also one whose document has expired', async () => {
      for (const expiresAt of [undefined, Date.now() - 1]) {
        const id = fresh();
        if (expiresAt !== undefined)
          expect(await store.insert('used-code', id, { body: {}, expiresAt })).toBe(true);
        expect(successes(await atOnce((n) => store.insert('used-code', id, { body: { n } })))).toBe(1);
      }
    });

    it('exactly one gets a unique value, also one whose document has expired', async () => {
      for (const expired of [false, true]) {
        const login = fresh();
        if (expired) {
          await store.insert('account', fresh(), { body: {}, indexes: { login }, expiresAt: Date.now() - 1 });
        }
        const results = await atOnce((n) =>
          store.insert('account', `${login}-${n}`, { body: {}, indexes: { login } }),
        );
        expect(successes(results)).toBe(1);
        expect(await store.find('account', 'login', login)).toHaveLength(1);
      }
    });

    it('exactly one replaces a version', async () => {
      const id = fresh();
      await store.insert('session', id, { body: {} });
      const { version } = (await store.get('session', id)) ?? { version: 0 };
      const results = await atOnce((n) =>
        store.replace('session', id, version, { body: { n }, indexes: { tenant: `${id}-${n}` } }),
      );
      expect(successes(results)).toBe(1);
      const winner = results.indexOf(true);
      expect((await store.get('session', id))?.body).toEqual({ n: winner });
      expect(await store.find('session', 'tenant', `${id}-${winner}`)).toHaveLength(1);
    });

    it('exactly one takes, and exactly one removes', async () => {
      const [a, b] = [fresh(), fresh()];
      await store.insert('challenge', a, { body: {}, indexes: { principal: a } });
      await store.insert('challenge', b, { body: {}, indexes: { principal: b } });
      expect(
        (await atOnce(() => store.take('challenge', a))).filter((taken) => taken !== undefined),
      ).toHaveLength(1);
      expect(successes(await atOnce(() => store.remove('challenge', b)))).toBe(1);
    });

    it('none is lost that changes two documents, in whichever order they are named', async () => {
      const [a, b] = [fresh(), fresh()];
      await store.insert('attempts', a, { body: { count: 0 } });
      await store.insert('attempts', b, { body: { count: 0 } });
      const move = async (n: number): Promise<void> => {
        for (;;) {
          const [one, two] = await Promise.all([store.get('attempts', a), store.get('attempts', b)]);
          if (one === undefined || two === undefined) throw new Error('gone');
          const operations = [one, two].map((document, at) => ({
            do: 'replace' as const,
            kind: 'attempts' as const,
            id: document.id,
            version: document.version,
            document: { body: { count: Number(document.body.count) + (at === 0 ? 1 : -1) } },
          }));
          if (await store.commit(n % 2 === 0 ? operations : operations.reverse())) return;
        }
      };
      await Promise.all(Array.from({ length: 20 }, (_, n) => move(n)));
      expect((await store.get('attempts', a))?.body).toEqual({ count: 20 });
      expect((await store.get('attempts', b))?.body).toEqual({ count: -20 });
    });

    it('every one is served that works on a document of its own', async () => {
      const tenant = fresh();
      const results = await atOnce(async (n) => {
        const id = `${tenant}-${n}`;
        const inserted = await store.insert('session', id, {
          body: { n },
          indexes: { tenant, principal: id },
        });
        return inserted && (await store.get('session', id))?.body.n === n;
      });
      expect(successes(results)).toBe(AT_ONCE);
      expect(await store.find('session', 'tenant', tenant)).toHaveLength(AT_ONCE);
      expect(await store.removeAll('session', 'tenant', tenant)).toBe(AT_ONCE);
    });
  });

  describe('of two processes with 50 callers each', () => {
    let store: StateStore;
    let contenders: readonly Contender[];
    beforeAll(async () => {
      [contenders, store] = await Promise.all([startContenders(subject().settings, 2), subject().open()]);
    });
    afterAll(async () => {
      await Promise.all(contenders?.map((one) => one.stop()) ?? []);
      await store?.close();
    });

    const all = async (name: string, id: string): Promise<number> =>
      (await Promise.all(contenders.map((one) => one.attempt(name, id)))).reduce(
        (sum, count) => sum + count,
        0,
      );

    it('exactly one inserts', async () => {
      for (let round = 0; round < 3; round += 1) expect(await all('insert', fresh())).toBe(1);
    });

    it('exactly one takes', async () => {
      const id = fresh();
      await store.insert('challenge', id, { body: {}, indexes: { principal: id } });
      expect(await all('take', id)).toBe(1);
    });

    it('exactly one gets a unique value', async () => {
      expect(await all('unique', fresh())).toBe(1);
    });

    it('exactly one replaces a version', async () => {
      const id = fresh();
      await store.insert('session', id, { body: {} });
      const document = await store.get('session', id);
      expect(await all('replace', `${id}@${document?.version}`)).toBe(1);
    });

    it('all count, and no count is lost', async () => {
      const id = fresh();
      await store.insert('attempts', id, { body: { count: 0 } });
      expect(await all('count', id)).toBe(100);
      expect((await store.get('attempts', id))?.body).toEqual({ count: 100 });
    });
  });
}
