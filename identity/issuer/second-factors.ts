/** What the issuer needs of `identity/factors`, and nothing more. Times in seconds since the epoch. */
export interface SecondFactors {
  state(principal: string): Promise<FactorState>;
  beginTotp(begin: {
    readonly principal: string;
    readonly binding: string;
    readonly accountLabel: string;
    readonly factorAt?: number | undefined;
  }): Promise<{ readonly ok: true; readonly key: string; readonly qr: string } | FactorRefused>;
  confirmTotp(confirm: {
    readonly principal: string;
    readonly binding: string;
    readonly code: string;
    readonly source: string;
    readonly factorAt?: number | undefined;
  }): Promise<(FactorProved & { readonly recoveryCodes?: readonly string[] | undefined }) | FactorRefused>;
  verify(guess: {
    readonly principal: string;
    readonly method: 'totp' | 'recovery-code';
    readonly code: string;
    readonly source: string;
  }): Promise<FactorProved | FactorRefused>;
  beginPasskeyRegistration(begin: {
    readonly principal: string;
    readonly binding: string;
    readonly site: PasskeySite;
    readonly accountLabel: string;
    readonly factorAt?: number | undefined;
  }): Promise<{ readonly ok: true; readonly options: unknown } | FactorRefused>;
  finishPasskeyRegistration(finish: {
    readonly principal: string;
    readonly binding: string;
    readonly site: PasskeySite;
    readonly response: string;
    readonly name: string;
    readonly factorAt?: number | undefined;
  }): Promise<(FactorProved & { readonly recoveryCodes?: readonly string[] | undefined }) | FactorRefused>;
  /** Without a principal: sign-in with a passkey that the browser finds by itself. */
  beginPasskey(begin: {
    readonly principal?: string | undefined;
    readonly binding: string;
    readonly site: PasskeySite;
  }): Promise<{ readonly ok: true; readonly options: unknown } | FactorRefused>;
  finishPasskey(finish: {
    readonly principal?: string | undefined;
    readonly binding: string;
    readonly site: PasskeySite;
    readonly response: string;
  }): Promise<(FactorProved & { readonly principal: string }) | FactorRefused>;
  /** Each of the following only with a proof that is not older than ten minutes, and never the last factor. */
  newRecoveryCodes(
    who: Changing,
  ): Promise<{ readonly ok: true; readonly codes: readonly string[] } | FactorRefused>;
  removeTotp(who: Changing): Promise<{ readonly ok: true } | FactorRefused>;
  removePasskey(who: Changing, id: string): Promise<{ readonly ok: true } | FactorRefused>;
}

export interface Changing {
  readonly principal: string;
  readonly factorAt: number | undefined;
}

export interface FactorState {
  /** Has one, even if it cannot be used for now: then nobody gets in without another proof. */
  readonly enrolled: boolean;
  readonly totp: 'none' | 'pending' | 'active';
  readonly passkeys: readonly {
    readonly id: string;
    readonly name: string;
    readonly createdAt: number;
    readonly lastUsedAt: number | undefined;
    readonly suspended: boolean;
  }[];
  readonly recoveryCodesLeft: number;
}

export interface FactorProved {
  readonly ok: true;
  readonly method: 'totp' | 'recovery-code' | 'passkey';
  readonly amr: readonly string[];
  readonly at: number;
}

export interface FactorRefused {
  readonly ok: false;
  readonly reason: 'refused' | 'try-later' | 'ask-administrator' | 'factor-needed';
  /** For the log only. */
  readonly why: string;
}

/** WebAuthn's relying party. */
export interface PasskeySite {
  readonly id: string;
  readonly origin: string;
  readonly name: string;
}

export const hasPasskey = (state: FactorState): boolean => state.passkeys.some(({ suspended }) => !suspended);
/** Whether there is one to ask for. */
export const hasFactor = (state: FactorState): boolean => state.totp === 'active' || hasPasskey(state);

export type Method = 'totp' | 'recovery-code' | 'passkey';

/** What may be asked for, the usual one first. */
export function methodsOf(state: FactorState): readonly Method[] {
  return [
    ...(state.totp === 'active' ? (['totp'] as const) : []),
    ...(hasPasskey(state) ? (['passkey'] as const) : []),
    ...(state.recoveryCodesLeft > 0 ? (['recovery-code'] as const) : []),
  ];
}

export function methodOf(text: string | null): Method | undefined {
  return text === 'totp' || text === 'recovery-code' || text === 'passkey' ? text : undefined;
}
