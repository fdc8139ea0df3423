import { describe, expect, it } from 'vitest';
import type { StateStore } from '../../../contracts/state.ts';
import { until } from '../../support/process.ts';
import { fresh } from './contract.ts';
import type { Subject } from './support/subject.ts';

const UNAVAILABLE = { name: 'ChartgateError', code: 'state-unavailable' };

const attempts = (store: StateStore, id: string): readonly (() => Promise<unknown>)[] => [
  () => store.get('session', id),
  () => store.find('session', 'tenant', id),
  () => store.list('session'),
  () => store.insert('session', fresh(), { body: {} }),
  () => store.replace('session', id, 1, { body: {} }),
  () => store.remove('session', id),
  () => store.take('session', id),
  () => store.removeAll('session', 'tenant', id),
  () => store.purge(),
];

/** A store that cannot be asked says so, and goes on when it can: nobody has to start anything again. */
export function lossContract(subject: () => Subject): void {
  describe('when it is lost', () => {
    it('every call says unavailable, and nothing else; then it recovers with what it had', async () => {
      const store = await subject().open();
      const id = fresh();
      await store.insert('session', id, { body: { secret: 'seen-by-nobody' }, indexes: { tenant: id } });
      expect(await store.healthy()).toBe(true);
      await subject().lose();
      try {
        // Reads may go on for as long as nobody looked again.
        await until('notices', async () => !(await store.healthy()), 10_000);
        for (const attempt of attempts(store, id)) {
          const error = await attempt().then(
            () => undefined,
            (reason: unknown) => reason,
          );
          expect(error).toMatchObject(UNAVAILABLE);
          expect(String(error)).not.toContain(id);
        }
      } finally {
        await subject().regain();
      }
      await until('recovers', () => store.healthy(), 20_000);
      expect((await store.get('session', id))?.body).toEqual({ secret: 'seen-by-nobody' });
      expect(await store.remove('session', id)).toBe(true);
      await store.close();
    });

    it('every call after its close says unavailable', async () => {
      const store = await subject().open();
      await store.close();
      for (const attempt of attempts(store, 'a')) await expect(attempt()).rejects.toMatchObject(UNAVAILABLE);
      expect(await store.healthy()).toBe(false);
      await store.close();
    });
  });
}
