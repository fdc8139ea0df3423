import type { SealedTable } from '../../../audit-sql/fingerprint/index.ts';
import type { Checkpoint } from '../checkpoint.ts';
import { MOST_FINDINGS, type Moment, momentOf, type VerifyFinding } from './report.ts';

/** Where in the log to look for the checkpoints that a finding lies between. */
export type Place =
  | { readonly leaf: number }
  /** The first checkpoint by which an id had been given up. */
  | { readonly table: SealedTable; readonly settledId: number };

interface Placed {
  finding: VerifyFinding;
  readonly place: Place | undefined;
}

/** Collects findings; afterwards one more pass over the checkpoints says when each row had been sealed. */
export class Findings {
  readonly #placed: Placed[] = [];
  further = 0;

  add(finding: VerifyFinding, place?: Place): void {
    if (this.#placed.length >= MOST_FINDINGS) this.further += 1;
    else this.#placed.push({ finding, place });
  }

  get none(): boolean {
    return this.#placed.length === 0;
  }

  get list(): readonly VerifyFinding[] {
    return this.#placed.map(({ finding }) => finding);
  }

  /** Shows the next checkpoint; all of them, in order. */
  locate(checkpoint: Checkpoint, number: number, before: Moment | undefined): void {
    for (const placed of this.#placed) {
      const { finding, place } = placed;
      if (place === undefined || finding.sealedBy !== undefined) continue;
      const reached =
        'leaf' in place
          ? checkpoint.size > place.leaf
          : checkpoint.tables[place.table].settled >= place.settledId;
      if (reached) {
        placed.finding = { ...finding, after: before, sealedBy: momentOf(checkpoint, number) };
      }
    }
  }

  get toLocate(): boolean {
    return this.#placed.some(({ place }) => place !== undefined);
  }
}
