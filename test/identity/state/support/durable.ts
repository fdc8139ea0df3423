import { openState } from '../../../../identity/state/index.ts';

/** Inserts for as long as it lives, and names each document once its insertion was confirmed. */
const [file = ''] = process.argv.slice(2);
const store = await openState({ kind: 'sqlite', file });
for (let n = 0; ; n += 1) {
  await store.insert('used-code', `code-${n}`, { body: { n } });
  console.log(`code-${n}`);
}
