/**
 * Settings of the embedded issuer's accounts. Every duration is in milliseconds, every size in the unit its
 * name says. `config` makes them from a file; `identity/accounts` takes nothing else.
 */
export interface AccountSettings {
  readonly passwords: PasswordSettings;
  readonly argon2: Argon2Settings;
  readonly lockout: LockoutSettings;
  /** How long a request waits for a second person. */
  readonly requestLifetimeMs: number;
  /** How long an enrolment or reset code can be used after it was approved. */
  readonly codeLifetimeMs: number;
}

/** `length`: NIST SP 800-63B-4 §3.1.1.2. `eight-with-four-classes`: for sites whose rules demand it. */
export const PASSWORD_PRESETS = ['length', 'eight-with-four-classes'] as const;
export type PasswordPreset = (typeof PASSWORD_PRESETS)[number];

export interface PasswordSettings {
  readonly preset: PasswordPreset;
  /** Unicode code points after normalisation. */
  readonly minimumLength: number;
  /** Least score of the strength estimate, 0 to 4: guesses above 10^3, 10^6, 10^8, 10^10. */
  readonly minimumStrength: 0 | 1 | 2 | 3 | 4;
  /** A password older than this must be changed at sign-in; undefined: passwords do not expire. */
  readonly maximumAgeMs: number | undefined;
  /** A new password must not be one of this many last ones, the present one included. */
  readonly remembered: number;
}

/** RFC 9106. */
export interface Argon2Settings {
  readonly memoryKib: number;
  readonly passes: number;
  readonly parallelism: number;
  /** Hashes computed at most at the same time by one process, and fewer than it has cores; the others wait. */
  readonly concurrency: number;
  /** How many may wait; one more is answered "busy". */
  readonly waiting: number;
}

export interface LockoutSettings {
  /** Failures after which an account name, or a source, has to wait. */
  readonly failures: number;
  readonly durationMs: number;
  /**
   * Failures from one source, over all account names. Raise it where many people share one address: five of them
   * who mistype would keep the others out.
   */
  readonly sourceFailures: number;
}

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;

/** What a preset asks for where the settings say nothing. */
export const PASSWORD_DEFAULTS: Readonly<Record<PasswordPreset, PasswordSettings>> = Object.freeze({
  length: Object.freeze({
    preset: 'length',
    minimumLength: 12,
    minimumStrength: 3,
    maximumAgeMs: undefined,
    remembered: 5,
  }),
  'eight-with-four-classes': Object.freeze({
    preset: 'eight-with-four-classes',
    minimumLength: 8,
    minimumStrength: 2,
    maximumAgeMs: undefined,
    remembered: 5,
  }),
});

/** Of the option "passwords expire" where no number is given. */
export const PASSWORD_EXPIRY_MS = 90 * DAY;

/** Argon2 as OWASP's Password Storage Cheat Sheet has it: 19 MiB, two passes, one lane. */
export const ARGON2_DEFAULTS: Argon2Settings = Object.freeze({
  memoryKib: 19 * 1024,
  passes: 2,
  parallelism: 1,
  concurrency: 2,
  waiting: 64,
});

export const ACCOUNT_DEFAULTS: AccountSettings = Object.freeze({
  passwords: PASSWORD_DEFAULTS.length,
  argon2: ARGON2_DEFAULTS,
  lockout: Object.freeze({ failures: 5, durationMs: 15 * MINUTE, sourceFailures: 5 }),
  requestLifetimeMs: 7 * DAY,
  codeLifetimeMs: 3 * DAY,
});
