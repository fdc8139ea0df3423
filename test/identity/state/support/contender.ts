import { createInterface } from 'node:readline';
import type { StateSettings, StateStore } from '../../../../contracts/state.ts';
import { openState } from '../../../../identity/state/index.ts';

/**
 * A process of its own with the same store: says `ready`, and for each line `attempt <name> <id>` answers how many
 * of its 50 simultaneous attempts succeeded.
 */

const AT_ONCE = 50;

const ATTEMPTS: Readonly<Record<string, (store: StateStore, id: string, n: number) => Promise<boolean>>> = {
  insert: (store, id) => store.insert('used-code', id, { body: {} }),
  take: async (store, id) => (await store.take('challenge', id)) !== undefined,
  unique: (store, id, n) =>
    store.insert('account', `${id}-${process.pid}-${n}`, { body: {}, indexes: { login: id } }),
  replace: async (store, id) => {
    const version = Number(id.split('@')[1]);
    return store.replace('session', id.split('@')[0] ?? '', version, { body: { by: process.pid } });
  },
  count: async (store, id) => {
    for (;;) {
      const found = await store.get('attempts', id);
      if (found === undefined) return false;
      const body = { count: Number(found.body.count) + 1 };
      if (await store.replace('attempts', id, found.version, { body })) return true;
    }
  },
};

const lines = createInterface({ input: process.stdin });
let store: StateStore | undefined;
for await (const line of lines) {
  const [word, ...rest] = line.split(' ');
  if (word === 'open') {
    const settings = JSON.parse(rest.join(' ')) as StateSettings & { password?: string };
    const { password } = settings;
    store = await openState(
      password === undefined
        ? settings
        : ({
            ...settings,
            password: {
              reveal: () => Buffer.from(password),
              toString: () => '[secret]',
              toJSON: () => '[secret]',
            },
          } as StateSettings),
    );
    console.log('ready');
    continue;
  }
  const [name = '', id = ''] = rest;
  const attempt = ATTEMPTS[name];
  if (store === undefined || attempt === undefined) throw new Error(`cannot ${line}`);
  const opened = store;
  const results = await Promise.all(Array.from({ length: AT_ONCE }, (_, n) => attempt(opened, id, n)));
  console.log(String(results.filter(Boolean).length));
}
await store?.close();
