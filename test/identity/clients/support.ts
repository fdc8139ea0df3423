import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Clock } from '../../../contracts/clock.ts';
import type { StateStore } from '../../../contracts/state.ts';
import { Clients } from '../../../identity/clients/index.ts';
import { openState } from '../../../identity/state/index.ts';

export interface Kept {
  readonly store: StateStore;
  readonly clients: Clients;
  /** Every byte that is on the disk. */
  dump(): Buffer;
  end(): Promise<void>;
}

/** A store of its own, and the clients in it. Chosen secrets must only be long. */
export async function keptClients(clock: Clock): Promise<Kept> {
  const folder = mkdtempSync(join(tmpdir(), 'chartgate-clients-'));
  const file = join(folder, 'state.sqlite');
  const store = await openState({ kind: 'sqlite', file }, clock);
  const clients = new Clients(store, clock, async (secret) => (secret.length < 12 ? ['too-short'] : []));
  const parts = ['', '-wal'];
  return {
    store,
    clients,
    dump: () =>
      Buffer.concat(
        parts.map((part) => {
          try {
            return readFileSync(file + part);
          } catch {
            return Buffer.alloc(0);
          }
        }),
      ),
    async end() {
      await store.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

export const LAB = {
  tenant: 'clinic-a',
  name: 'Laboratory system',
  scopes: ['system/Observation.c', 'system/Patient.r'],
} as const;
