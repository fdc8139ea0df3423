import type { StateOperation, StoredDocument } from '../../contracts/state.ts';
import { hashOf } from '../lengths.ts';
import { afterReservation } from './guess.ts';
import {
  newTotpSecret,
  parseTotpCode,
  qrImage,
  STEP_SECONDS,
  STEPS_AROUND,
  stepOfCode,
  totpUri,
  typedKey,
} from './totp-secret.ts';
import { type FactorContext, type Refused, refused, type SealedPlace, secondsOf } from './types.ts';

/** How long somebody may take to set up an app. */
const PENDING_MS = 15 * 60_000;
/** A used code is remembered well past the time it would be accepted, should a clock be set back a little. */
const REMEMBERED_MS = 60 * 60_000;
const TRIES = 5;

interface Active {
  readonly secret: string;
  /** Seconds since the epoch. */
  readonly since: number;
  /** The latest step of which a code was accepted. */
  readonly lastStep: number;
}

interface Pending {
  readonly secret: string;
  /** Hash of the browser's session or interaction that began it. */
  readonly binding: string;
  /** Wall-clock milliseconds. */
  readonly until: number;
}

export interface TotpBody {
  readonly active: Active | null;
  readonly pending: Pending | null;
}

export interface TotpEnrolment {
  readonly ok: true;
  /** Holds the secret, as the QR code and the key do. */
  readonly uri: string;
  /** `data:image/svg+xml;base64,…` */
  readonly qr: string;
  /** Base 32 in groups of four. */
  readonly key: string;
  /** Seconds since the epoch until which a code must confirm it. */
  readonly expiresAt: number;
}

const place = (principal: string, field: 'active' | 'pending'): SealedPlace => ({
  kind: 'totp',
  id: principal,
  field,
});
const bindingHash = (binding: string): string => hashOf('totp-binding', binding);

/** The store gives back what this file wrote. */
const bodyOf = (document: StoredDocument | undefined): TotpBody =>
  (document?.body as unknown as TotpBody | undefined) ?? { active: null, pending: null };

/** A pending secret past its time is none. */
function livePending(body: TotpBody, now: number): Pending | undefined {
  return body.pending !== null && body.pending.until > now ? body.pending : undefined;
}

export async function totpState(
  context: FactorContext,
  principal: string,
): Promise<'none' | 'pending' | 'active'> {
  const body = bodyOf(await context.store.get('totp', principal));
  if (body.active !== null) return 'active';
  return livePending(body, context.clock.wall()) === undefined ? 'none' : 'pending';
}

function write(
  context: FactorContext,
  principal: string,
  found: StoredDocument | undefined,
  body: TotpBody,
): StateOperation {
  const document = {
    body: { ...body } as never,
    indexes: { principal },
    // An enrolment that nobody confirms leaves nothing behind.
    expiresAt: body.active === null ? (body.pending?.until ?? context.clock.wall()) : undefined,
  };
  return found === undefined
    ? { do: 'insert', kind: 'totp', id: principal, document }
    : { do: 'replace', kind: 'totp', id: principal, version: found.version, document };
}

/**
 * A secret that waits for its first code; what is active stays so until then. The same browser gets the same
 * secret again while it waits, so that a page that is loaded anew shows the code that was scanned; another
 * browser gets a new one, and the one before is void: nobody confirms a secret that somebody else has seen.
 */
export async function beginTotp(
  context: FactorContext,
  request: {
    readonly principal: string;
    readonly binding: string;
    readonly issuerLabel: string;
    readonly accountLabel: string;
  },
): Promise<TotpEnrolment | Refused> {
  const { principal } = request;
  for (let tries = 0; tries < TRIES; tries += 1) {
    const found = await context.store.get('totp', principal);
    const body = bodyOf(found);
    const now = context.clock.wall();
    const waiting = livePending(body, now);
    let secret: Buffer;
    let until: number;
    if (waiting !== undefined && waiting.binding === bindingHash(request.binding)) {
      secret = context.sealer.open(waiting.secret, place(principal, 'pending'));
      until = waiting.until;
    } else {
      secret = newTotpSecret();
      until = now + PENDING_MS;
      const sealed = context.sealer.seal(secret, place(principal, 'pending'));
      const pending = { secret: sealed, binding: bindingHash(request.binding), until };
      if (!(await context.store.commit([write(context, principal, found, { ...body, pending })]))) continue;
    }
    const uri = totpUri(secret, request.issuerLabel, request.accountLabel);
    return {
      ok: true,
      uri,
      qr: await qrImage(uri),
      key: typedKey(secret),
      expiresAt: Math.floor(until / 1000),
    };
  }
  return refused('changed-meanwhile');
}

/** The insert that only one can make: one accepted code of a principal's step, wherever and whenever. */
function claim(principal: string, step: number): StateOperation {
  return {
    do: 'insert',
    kind: 'used-code',
    id: hashOf('totp', principal, String(step)),
    document: {
      body: {},
      expiresAt: (step + 1 + STEPS_AROUND) * STEP_SECONDS * 1000 + REMEMBERED_MS,
    },
  };
}

/** The code that makes the waiting secret the active one. Counted like any guess. */
export async function confirmTotp(
  context: FactorContext,
  request: {
    readonly principal: string;
    readonly binding: string;
    readonly code: string;
    readonly source: string;
  },
): Promise<{ readonly ok: true; readonly replaced: boolean } | Refused> {
  const { principal } = request;
  const code = parseTotpCode(request.code);
  if (code === undefined) return refused('code-malformed');
  return afterReservation(context, request, async () => {
    const found = await context.store.get('totp', principal);
    const body = bodyOf(found);
    const waiting = livePending(body, context.clock.wall());
    if (waiting === undefined) return refused('enrolment-expired');
    if (waiting.binding !== bindingHash(request.binding)) return refused('another-browser');
    const secret = context.sealer.open(waiting.secret, place(principal, 'pending'));
    const step = stepOfCode(secret, code, secondsOf(context.clock));
    if (step === undefined) return refused('code-wrong');
    // Sealed anew for its new place: in a changed database a waiting secret cannot pass for an active one.
    const active = {
      secret: context.sealer.seal(secret, place(principal, 'active')),
      since: secondsOf(context.clock),
      lastStep: step,
    };
    const done = await context.store.commit([
      claim(principal, step),
      write(context, principal, found, { active, pending: null }),
    ]);
    return done ? { ok: true as const, replaced: body.active !== null } : refused('code-used');
  });
}

/** Whether this is a code of now that was not used; then it is used. The caller has reserved the guess. */
export async function checkTotp(
  context: FactorContext,
  principal: string,
  code: string,
): Promise<{ readonly ok: true } | Refused> {
  const found = await context.store.get('totp', principal);
  const body = bodyOf(found);
  if (found === undefined || body.active === null) return refused('not-enrolled');
  const secret = context.sealer.open(body.active.secret, place(principal, 'active'));
  const step = stepOfCode(secret, code, secondsOf(context.clock));
  if (step === undefined) return refused('code-wrong');
  // Besides the claim, never an earlier step than the last: claims are forgotten, and clocks are set back.
  if (step <= body.active.lastStep) return refused('code-used');
  const active = { ...body.active, lastStep: step };
  const done = await context.store.commit([
    claim(principal, step),
    write(context, principal, found, { ...body, active }),
  ]);
  return done ? { ok: true } : refused('code-used');
}

/** Sealed anew with the key of today; undefined when it is already. */
export function resealedTotp(
  context: Pick<FactorContext, 'sealer'>,
  document: StoredDocument,
): TotpBody | undefined {
  const body = bodyOf(document);
  const anew = <T extends Active | Pending>(value: T | null, field: 'active' | 'pending'): T | null => {
    if (value === null || !context.sealer.isOld(value.secret)) return value;
    const at = place(document.id, field);
    return { ...value, secret: context.sealer.seal(context.sealer.open(value.secret, at), at) };
  };
  const next = { active: anew(body.active, 'active'), pending: anew(body.pending, 'pending') };
  return next.active === body.active && next.pending === body.pending ? undefined : next;
}

/** What removes it, for a change that removes more; undefined when there is none. */
export async function totpRemoval(
  context: Pick<FactorContext, 'store'>,
  principal: string,
): Promise<StateOperation | undefined> {
  const found = await context.store.get('totp', principal);
  return found && { do: 'remove', kind: 'totp', id: principal, version: found.version };
}
