import type { Clock } from '../../contracts/clock.ts';
import type { StateOperation, StateStore } from '../../contracts/state.ts';
import { type AttemptLimits, createAttempts } from '../attempts.ts';
import { hashOf } from '../lengths.ts';
import { tell } from './events.ts';
import { afterReservation } from './guess.ts';
import { DEFAULT_FACTOR_LIMITS } from './limits.ts';
import { listPasskeys, type PasskeyInfo, passkeyRemoval, renamePasskey } from './passkey-store.ts';
import {
  beginAuthentication,
  beginRegistration,
  finishAuthentication,
  finishRegistration,
  type PasskeyAsk,
  type PasskeyRequest,
} from './passkeys.ts';
import { newRecoveryCodes, parseRecoveryCode, recoveryCodesLeft, useRecoveryCode } from './recovery-codes.ts';
import {
  approveReset,
  listResets,
  type ResetAuthority,
  type ResetPerson,
  rejectReset,
  requestReset,
} from './reset.ts';
import { AMR, isFresh } from './step-up.ts';
import { beginTotp, checkTotp, confirmTotp, totpRemoval, totpState } from './totp.ts';
import { parseTotpCode } from './totp-secret.ts';
import {
  type CodeMethod,
  FACTOR_PURPOSE,
  type FactorContext,
  type FactorMethod,
  type FactorRefusal,
  type FactorSealer,
  type Proved,
  type Refused,
  refused,
  secondsOf,
} from './types.ts';

/** How old the proof may be with which somebody changes the factors they have. Seconds. */
export const CHANGE_WITHIN = 600;
/** Longer than a removal takes; ends the turn of a process that died in it. Milliseconds. */
const TURN_MS = 10_000;

export interface FactorOptions {
  readonly store: StateStore;
  readonly sealer: FactorSealer;
  readonly clock: Clock;
  readonly limits?: AttemptLimits;
  /** The site's name in authenticator apps. */
  readonly issuerLabel?: string;
}

export interface FactorState {
  /** Has a second factor: none may be skipped, and none be added without proving one. */
  readonly enrolled: boolean;
  readonly totp: 'none' | 'pending' | 'active';
  readonly passkeys: readonly PasskeyInfo[];
  readonly recoveryCodesLeft: number;
  /** Seconds until codes are taken again. */
  readonly lockedFor: number | undefined;
  /** Codes are not taken until administrators reset the factors. Passkeys are: there is nothing to guess. */
  readonly closed: boolean;
}

/** Somebody who has proved their first factor, and in this session perhaps the second. */
interface Changing {
  readonly principal: string;
  /** Seconds since the epoch at which this session proved a second factor. */
  readonly factorAt?: number | undefined;
}

/**
 * Second factors, by values. Nobody's name, code or secret is in a refusal or an event; `why` is for the log.
 * Rejects with `state-unavailable`, and with `state-invalid` when what is sealed does not open: in both cases
 * nothing was proved.
 */
export type Factors = ReturnType<typeof createFactors>;

export function createFactors(options: FactorOptions) {
  const { store, sealer, clock } = options;
  const attempts = createAttempts({
    store,
    clock,
    purpose: FACTOR_PURPOSE,
    limits: options.limits ?? DEFAULT_FACTOR_LIMITS,
  });
  const context: FactorContext = Object.freeze({ store, sealer, clock, attempts });

  async function state(principal: string): Promise<FactorState> {
    const [totp, passkeys, codes, tries] = await Promise.all([
      totpState(context, principal),
      listPasskeys(context, principal),
      recoveryCodesLeft(context, principal),
      attempts.status(principal),
    ]);
    return Object.freeze({
      enrolled: totp === 'active' || passkeys.length > 0,
      totp,
      passkeys: Object.freeze(passkeys),
      recoveryCodesLeft: codes,
      lockedFor: tries.closed ? undefined : tries.lockedFor,
      closed: tries.closed,
    });
  }

  /** Undefined when this session may change the principal's factors; whoever has none yet enrols the first. */
  async function changeRefused(who: Changing): Promise<Refused | undefined> {
    if (isFresh(who.factorAt, CHANGE_WITHIN, secondsOf(clock))) return undefined;
    return (await state(who.principal)).enrolled ? refused('factor-needed') : undefined;
  }

  function told<T extends { readonly ok: true } | Refused>(
    principal: string | undefined,
    method: FactorMethod,
    result: T,
  ): T {
    if (!result.ok) {
      const { why } = result;
      tell(clock, 'refused', { principal, method, why });
      if (why === 'counter-regressed') tell(clock, 'passkey-suspended', { principal, method, why });
    }
    return result;
  }

  const proved = (principal: string, method: CodeMethod): Proved => {
    tell(clock, 'verified', { principal, method });
    return Object.freeze({ ok: true, method, amr: AMR[method], at: secondsOf(clock) });
  };

  /** One guess, whatever the method; counted together, so that two methods do not give twice the guesses. */
  async function verify(request: {
    readonly principal: string;
    readonly method: CodeMethod;
    readonly code: string;
    /** The client's address: `sourceOf`. */
    readonly source: string;
  }): Promise<Proved | Refused> {
    const { principal, method } = request;
    const code = (method === 'totp' ? parseTotpCode : parseRecoveryCode)(request.code);
    // No code at all is no guess.
    if (code === undefined) return told(principal, method, refused('code-malformed'));
    const result = await afterReservation<{ ok: true }>(context, request, () =>
      method === 'totp' ? checkTotp(context, principal, code) : useRecoveryCode(context, principal, code),
    );
    return result.ok ? proved(principal, method) : told(principal, method, result);
  }

  /** For whoever has none left; undefined otherwise. */
  async function firstCodes(principal: string): Promise<readonly string[] | undefined> {
    if ((await recoveryCodesLeft(context, principal)) > 0) return undefined;
    const codes = await newRecoveryCodes(context, principal);
    if (codes !== undefined) tell(clock, 'recovery-codes-made', { principal, method: 'recovery-code' });
    return codes;
  }

  async function remove(
    who: Changing,
    find: () => Promise<StateOperation | undefined>,
    method: FactorMethod,
    missing: FactorRefusal,
  ): Promise<{ readonly ok: true } | Refused> {
    const { principal } = who;
    // Removing has no first time: there must have been a proof.
    if (!isFresh(who.factorAt, CHANGE_WITHIN, secondsOf(clock))) return refused('factor-needed');
    // One at a time for each principal: two at once would each leave the other's factor as the last.
    const turn = hashOf('factor-removal', principal);
    if (!(await store.insert('used-code', turn, { body: {}, expiresAt: clock.wall() + TURN_MS })))
      return refused('changed-meanwhile');
    try {
      const operation = await find();
      if (operation === undefined) return refused(missing);
      const present = await state(principal);
      const others =
        (present.totp === 'active' && method !== 'totp' ? 1 : 0) +
        present.passkeys.filter((key) => !key.suspended && key.id !== operation.id).length;
      // Whoever knew the password alone could then enrol in the owner's place.
      if (others === 0) return refused('last-factor');
      if (!(await store.commit([operation]))) return refused('changed-meanwhile');
      tell(clock, 'removed', { principal, method });
      return { ok: true };
    } finally {
      await store.remove('used-code', turn);
    }
  }

  return Object.freeze({
    state,
    verify,

    /** Begins enrolment; confirmed by a code within 15 minutes, in the same browser. */
    async beginTotp(
      request: Changing & {
        readonly binding: string;
        /** What an app shows above the code; that of the options unless told. */
        readonly issuerLabel?: string;
        readonly accountLabel: string;
      },
    ) {
      const issuerLabel = request.issuerLabel ?? options.issuerLabel ?? 'Chartgate';
      return (await changeRefused(request)) ?? beginTotp(context, { ...request, issuerLabel });
    },

    /** @returns also new recovery codes when there were none: show them now, they are nowhere else */
    async confirmTotp(
      request: Changing & { readonly binding: string; readonly code: string; readonly source: string },
    ): Promise<(Proved & { readonly recoveryCodes: readonly string[] | undefined }) | Refused> {
      const { principal } = request;
      const no = await changeRefused(request);
      if (no !== undefined) return no;
      const result = await confirmTotp(context, request);
      if (!result.ok) return told(principal, 'totp', result);
      tell(clock, 'enrolled', { principal, method: 'totp' });
      const codes = await firstCodes(principal);
      return Object.freeze({ ...proved(principal, 'totp'), recoveryCodes: codes });
    },

    /** Only beside another factor. */
    removeTotp: (who: Changing) =>
      remove(who, () => totpRemoval(context, who.principal), 'totp', 'not-enrolled'),

    /** A new set in place of the old one, shown this once. */
    async newRecoveryCodes(
      who: Changing,
    ): Promise<{ readonly ok: true; readonly codes: readonly string[] } | Refused> {
      const { principal } = who;
      if (!isFresh(who.factorAt, CHANGE_WITHIN, secondsOf(clock))) return refused('factor-needed');
      const codes = await newRecoveryCodes(context, principal);
      if (codes === undefined) return refused('changed-meanwhile');
      tell(clock, 'recovery-codes-made', { principal, method: 'recovery-code' });
      return { ok: true, codes };
    },

    async beginPasskeyRegistration(request: Changing & PasskeyRequest & { readonly accountLabel: string }) {
      return (await changeRefused(request)) ?? beginRegistration(context, request);
    },

    async finishPasskeyRegistration(
      request: Changing & PasskeyRequest & { readonly response: string; readonly name: string },
    ): Promise<
      (Proved & { readonly id: string; readonly recoveryCodes: readonly string[] | undefined }) | Refused
    > {
      const { principal } = request;
      const no = await changeRefused(request);
      if (no !== undefined) return no;
      const result = await finishRegistration(context, request);
      if (!result.ok) return told(principal, 'passkey', result);
      tell(clock, 'enrolled', { principal, method: 'passkey' });
      const codes = await firstCodes(principal);
      return Object.freeze({
        ok: true,
        method: 'passkey',
        id: result.id,
        // The authenticator verified its user for the registration as it does for a sign-in.
        amr: result.synced ? AMR['synced-passkey'] : AMR['device-passkey'],
        at: secondsOf(clock),
        recoveryCodes: codes,
      });
    },

    beginPasskey: (request: PasskeyAsk) => beginAuthentication(context, request),

    /** Both factors at once: with `principal` undefined it is a whole sign-in. */
    async finishPasskey(
      request: PasskeyAsk & { readonly response: string },
    ): Promise<(Proved & { readonly principal: string; readonly id: string }) | Refused> {
      const result = await finishAuthentication(context, request);
      if (!result.ok) return told(result.principal ?? request.principal, 'passkey', result);
      tell(clock, 'verified', { principal: result.principal, method: 'passkey' });
      return Object.freeze(result);
    },

    renamePasskey: (principal: string, id: string, name: string) =>
      renamePasskey(context, principal, id, name),

    /** Only beside another factor. */
    removePasskey: (who: Changing, id: string) =>
      remove(who, () => passkeyRemoval(context, who.principal, id), 'passkey', 'passkey-unknown'),

    requestReset: (
      authority: ResetAuthority,
      request: { readonly actor: ResetPerson; readonly member: ResetPerson },
    ) => requestReset(context, authority, request),
    approveReset: (
      authority: ResetAuthority,
      request: { readonly actor: ResetPerson; readonly id: string },
    ) => approveReset(context, authority, request),
    rejectReset: (authority: ResetAuthority, request: { readonly actor: ResetPerson; readonly id: string }) =>
      rejectReset(context, authority, request),
    listResets: (organisation: string) => listResets(context, organisation),
  });
}
