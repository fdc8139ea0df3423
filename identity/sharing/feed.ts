import { randomBytes } from 'node:crypto';
import type { SharingEvent } from '../../contracts/activity.ts';
import type { Clock } from '../../contracts/clock.ts';
import { ChartgateError } from '../../contracts/errors.ts';
import type { TenantId } from '../../contracts/identifiers.ts';
import type { JsonBody, StateOperation, StateStore, StoredDocument } from '../../contracts/state.ts';

/** What is followed by every worker. */
export const SHARED_KINDS = ['consent', 'emergency'] as const;
export type SharedKind = (typeof SHARED_KINDS)[number];

/** What was done by command, for whichever worker takes it first to record. */
export interface SharingNote {
  readonly event: SharingEvent;
  readonly tenant: TenantId;
  readonly record: string;
}

export interface SharedChange {
  readonly kind: SharedKind;
  readonly id: string;
  readonly operations: readonly StateOperation[];
  /** Given where nobody else records it. */
  readonly note?: SharingNote | undefined;
}

/** One change as a worker reads it. */
export interface FeedEntry {
  readonly sequence: number;
  readonly mark: string;
  readonly kind: SharedKind;
  readonly id: string;
  readonly note: string | undefined;
}

export interface FeedHead {
  readonly sequence: number;
  /** Random, another with each change: a store that was put back to an older copy is noticed. */
  readonly mark: string;
}

const HEAD = 'head';
/** How long changes are kept; whoever was away for longer reads everything. */
const KEPT_MS = 60 * 60_000;
/** Notes of commands wait for a worker that is up. */
const NOTE_MS = 30 * 24 * 60 * 60_000;
const TRIES = 40;

export const NO_CHANGE: FeedHead = Object.freeze({ sequence: 0, mark: '' });

/** Zero-padded, so that the order of ids is the order of numbers. */
const changeId = (sequence: number): string => String(sequence).padStart(16, '0');

export async function readHead(store: StateStore): Promise<FeedHead> {
  return headOf(await store.get('sharing-feed', HEAD));
}

function headOf(document: StoredDocument | undefined): FeedHead {
  if (document === undefined) return NO_CHANGE;
  const { sequence, mark } = document.body;
  if (typeof sequence !== 'number' || typeof mark !== 'string')
    throw new ChartgateError('state-unavailable', 'the feed of consents cannot be read');
  return { sequence, mark };
}

/** Changes after a number, in order; fewer than there are at most. @throws `state-unavailable` */
export async function readChanges(store: StateStore, after: number): Promise<readonly FeedEntry[]> {
  const documents = await store.list('sharing-change', { limit: 1000, after: changeId(after) });
  return documents.map(({ id, body }) => {
    const { mark, kind, record, note } = body;
    const known = SHARED_KINDS.find((each) => each === kind);
    if (known === undefined || typeof mark !== 'string' || typeof record !== 'string')
      throw new ChartgateError('state-unavailable', 'the feed of consents cannot be read');
    return {
      sequence: Number(id),
      mark,
      kind: known,
      id: record,
      note: typeof note === 'string' ? note : undefined,
    };
  });
}

/**
 * Commits a change together with its number, so that whoever follows the numbers has seen every change, in order, and
 * none that was not made. No clock is in it.
 *
 * @param prepare reads what is to be changed and says how; asked again when somebody else was faster. A refusal is
 *   handed back
 * @throws ChartgateError `state-unavailable`, with nothing changed
 */
export async function commitShared<Refusal>(
  store: StateStore,
  clock: Clock,
  prepare: () => Promise<SharedChange | { readonly refused: Refusal }>,
): Promise<{ readonly refused: Refusal } | undefined> {
  for (let tries = 0; tries < TRIES; tries += 1) {
    const change = await prepare();
    if ('refused' in change) return change;
    const head = await store.get('sharing-feed', HEAD);
    const next: FeedHead = {
      sequence: headOf(head).sequence + 1,
      mark: randomBytes(12).toString('base64url'),
    };
    const now = Math.floor(clock.wall());
    const note = change.note === undefined ? undefined : `${changeId(next.sequence)}.${next.mark}`;
    const document = { body: { ...next } };
    const done = await store.commit([
      head === undefined
        ? { do: 'insert', kind: 'sharing-feed', id: HEAD, document }
        : { do: 'replace', kind: 'sharing-feed', id: HEAD, version: head.version, document },
      {
        do: 'insert',
        kind: 'sharing-change',
        id: changeId(next.sequence),
        document: {
          body: { mark: next.mark, kind: change.kind, record: change.id, note: note ?? null },
          expiresAt: now + KEPT_MS,
        },
      },
      ...(change.note === undefined || note === undefined
        ? []
        : [
            {
              do: 'insert',
              kind: 'sharing-note',
              id: note,
              document: { body: { ...change.note } satisfies JsonBody, expiresAt: now + NOTE_MS },
            } as const,
          ]),
      ...change.operations,
    ]);
    if (done) return undefined;
    await new Promise((resolve) => setTimeout(resolve, Math.random() * 5 * (tries + 1)));
  }
  throw new ChartgateError(
    'state-unavailable',
    'too many consents are changed at the same moment; try again',
  );
}
