import { randomBytes } from 'node:crypto';
import type { Clock } from '../../contracts/clock.ts';
import { REVOCATION_KINDS, type Revocation, type RevocationKind } from '../../contracts/issuer-link.ts';
import type { StateOperation, StateStore, StoredDocument } from '../../contracts/state.ts';
import { hashOf } from '../lengths.ts';

const KIND = 'revocation';
const PAGE = 500;
/**
 * Processes write at the same time, and a document may become visible after one with a later id. So each look
 * begins this much before the last id that was seen; what was sent before is not sent again.
 */
const OVERLAP_MS = 10_000;

export interface NumberedRevocation extends Revocation {
  readonly id: string;
}

/** Writes one down for every process and every gateway that follows. */
export async function revoke(store: StateStore, clock: Clock, revocation: Revocation): Promise<void> {
  const { kind, id, document } = revoking(clock.wall(), revocation);
  await store.insert(kind, id, document);
}

/**
 * The same as a step of a change that happens whole or not at all.
 * @param now wall-clock milliseconds
 */
export function revoking(now: number, revocation: Revocation): StateOperation & { readonly do: 'insert' } {
  const { kind, value, issuedBefore, until } = revocation;
  return {
    do: 'insert',
    kind: KIND,
    id: `${timeOf(now)}-${randomBytes(9).toString('hex')}`,
    document: {
      body: { kind, value, issuedBefore, until },
      indexes: kind === 'subject' ? { subject: hashOf(value) } : {},
      expiresAt: until * 1000,
    },
  };
}

/**
 * Every token of the subject that was issued until now ends: the account was disabled, or its password or
 * factors changed.
 * @param seconds how long an access token lives at most
 */
export async function revokeSubject(
  store: StateStore,
  clock: Clock,
  subject: string,
  seconds: number,
): Promise<void> {
  const now = Math.floor(clock.wall() / 1000);
  await revoke(store, clock, {
    kind: 'subject',
    value: subject,
    issuedBefore: now,
    until: now + seconds + 60,
  });
}

/** Follows what is revoked, whoever writes it. */
export class RevocationReader {
  readonly #store: StateStore;
  /** Ids sent within the overlap. */
  #sent = new Set<string>();
  #last: string;

  /** @param after an id from which on to read; everything that is still kept when undefined */
  constructor(store: StateStore, after: string | undefined) {
    this.#store = store;
    this.#last = after ?? '';
  }

  /** What is new since the last look. @throws ChartgateError `state-unavailable` */
  async next(): Promise<readonly NumberedRevocation[]> {
    const found: NumberedRevocation[] = [];
    const seen = new Set<string>();
    let after = before(this.#last);
    for (;;) {
      const page = await this.#store.list(KIND, { limit: PAGE, ...(after === '' ? {} : { after }) });
      for (const document of page) {
        seen.add(document.id);
        const revocation = this.#sent.has(document.id) ? undefined : parse(document);
        if (revocation !== undefined) found.push(revocation);
      }
      after = page.at(-1)?.id ?? after;
      if (page.length < PAGE) break;
    }
    this.#sent = seen;
    if (after > this.#last) this.#last = after;
    return found;
  }
}

function parse({ id, body }: StoredDocument): NumberedRevocation | undefined {
  const { kind, value, issuedBefore, until } = body;
  if (!(REVOCATION_KINDS as readonly unknown[]).includes(kind)) return undefined;
  if (typeof value !== 'string' || typeof issuedBefore !== 'number' || typeof until !== 'number')
    return undefined;
  return { id, kind: kind as RevocationKind, value, issuedBefore, until };
}

function timeOf(milliseconds: number): string {
  return String(Math.max(0, Math.floor(milliseconds))).padStart(15, '0');
}

/** The id from which on to look again. */
function before(id: string): string {
  const time = /^(\d{15})-/.exec(id)?.[1];
  return time === undefined ? '' : timeOf(Number(time) - OVERLAP_MS);
}
