import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { secretOf } from '../../../config/secret.ts';
import type { StateStore } from '../../../contracts/state.ts';
import { createSealer, openState } from '../../../identity/state/index.ts';
import { resealAll } from '../../../identity/state/reseal.ts';

const key = (): ReturnType<typeof secretOf> => secretOf(Buffer.from(randomBytes(32).toString('base64')));

let folder: string;
let store: StateStore;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'cg-state-reseal-'));
  store = await openState({ kind: 'sqlite', file: join(folder, 'state.db') });
});
afterEach(async () => {
  await store.close();
  rmSync(folder, { recursive: true, force: true });
});

it('everything is sealed anew with the first key, wherever it stands in a document, and then nothing', async () => {
  const [older, newer] = [key(), key()];
  const before = createSealer(older);
  const totp = { kind: 'totp', id: 'p', field: 'active' } as const;
  const model = { kind: 'issuer-model', id: 'm', field: 'content' } as const;
  const expiresAt = Date.now() + 60_000;
  const text = '1.is.not-sealed';
  await store.insert('totp', 'p', {
    body: { active: { secret: before.seal('one', totp), steps: [1, 2] }, pending: null, text },
    indexes: { principal: 'p' },
    expiresAt,
  });
  await store.insert('issuer-model', 'm', { body: { sealed: before.seal('two', model) } });
  await store.insert('session', 's', { body: { text } });
  const both = createSealer([newer, older]);
  expect(await resealAll(store, both)).toEqual({ documents: 2, unopened: 0 });
  expect(await resealAll(store, both)).toEqual({ documents: 0, unopened: 0 });
  const after = createSealer(newer);
  const found = await store.get('totp', 'p');
  const active = found?.body.active as { secret: string; steps: readonly number[] };
  expect(after.open(active.secret, totp).toString()).toBe('one');
  expect(found).toMatchObject({
    body: { active: { steps: [1, 2] }, pending: null, text },
    indexes: { principal: 'p' },
    expiresAt,
  });
  expect(after.open(String((await store.get('issuer-model', 'm'))?.body.sealed), model).toString()).toBe(
    'two',
  );
});

it('what no key opens, or stands where it was not sealed for, is counted and left as it is', async () => {
  const [unknown, older, newer] = [key(), key(), key()];
  const lost = createSealer(unknown).seal('x', { kind: 'passkey', id: 'a', field: 'name' });
  const moved = createSealer(older).seal('x', { kind: 'passkey', id: 'another', field: 'name' });
  await store.insert('passkey', 'a', { body: { name: lost, key: moved } });
  expect(await resealAll(store, createSealer([newer, older]))).toEqual({ documents: 0, unopened: 2 });
  expect((await store.get('passkey', 'a'))?.body).toEqual({ name: lost, key: moved });
});
