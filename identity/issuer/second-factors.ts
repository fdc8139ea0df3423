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
}

export interface FactorState {
  /** Has one, even if it cannot be used for now: then nobody gets in without another proof. */
  readonly enrolled: boolean;
  readonly totp: 'none' | 'pending' | 'active';
  readonly passkeys: readonly { readonly suspended: boolean }[];
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
