import type { Clock } from '../../contracts/clock.ts';
import type { DatabaseId } from '../../contracts/identifiers.ts';
import type { IntegrityOracle, Verdict } from '../../contracts/integrity.ts';
import type { IntegrityDemand } from '../../contracts/policy.ts';
import type { Secret } from '../../contracts/settings.ts';
import { Attestor } from './attestor.ts';

export interface OracleOptions {
  /** Path of the checker's Unix socket. */
  readonly socket: string;
  /** Shared with the checker; both prove that they have it. */
  readonly secret: Secret;
  /** A verdict that takes longer is "unverified". */
  readonly timeoutMs: number;
  readonly databases: readonly DatabaseId[];
  readonly clock: Clock;
}

/** An oracle whose databases may change while it answers. */
export interface Oracle extends IntegrityOracle {
  /** Begins to connect for those that are new. */
  add(databases: readonly DatabaseId[]): void;
  /** Closes the connections of all others. */
  keepOnly(databases: readonly DatabaseId[]): void;
}

const UNKNOWN: Verdict = Object.freeze({
  state: 'unverified',
  epoch: '',
  findings: Object.freeze(['database-unknown']),
  notBefore: Number.NEGATIVE_INFINITY,
});

/** The gateway's client of the checker. Begins to connect at once; until then every answer is "unverified". */
export function createOracle(options: OracleOptions): Oracle {
  const { socket, secret, timeoutMs, clock } = options;
  const attestors = new Map<DatabaseId, Attestor>();
  const add = (databases: readonly DatabaseId[]) => {
    for (const database of databases) {
      if (attestors.has(database)) continue;
      attestors.set(database, new Attestor({ database, socket, secret, timeoutMs, clock }));
    }
  };
  add(options.databases);

  return {
    add,
    keepOnly(databases) {
      const wanted = new Set(databases);
      for (const [database, attestor] of attestors) {
        if (wanted.has(database)) continue;
        attestors.delete(database);
        attestor.close();
      }
    },
    attest(database: DatabaseId, demand: IntegrityDemand, since: number): Verdict | Promise<Verdict> {
      const attestor = attestors.get(database);
      if (attestor === undefined) return UNKNOWN;
      switch (demand.mode) {
        case 'bounded': {
          const { last } = attestor;
          const now = clock.monotonic();
          const age = now - last.notBefore;
          if (last.state === 'intact' && age <= demand.maxAgeMs) {
            // Renewed before it is too old, so that a steady stream of reads never waits.
            if (age > demand.maxAgeMs / 2) attestor.refresh();
            return last;
          }
          // What is not intact is never answered from memory: recovery shows at once.
          return attestor.after(last.state === 'intact' ? now - demand.maxAgeMs : now);
        }
        case 'strict':
          return attestor.after(since);
        case 'off':
          return attestor.last;
      }
    },
    current: (database) => attestors.get(database)?.last ?? UNKNOWN,
    async close() {
      for (const attestor of attestors.values()) attestor.close();
    },
  };
}
