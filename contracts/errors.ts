/** Stable codes of everything that can go wrong inside. They are part of the public interface of logs and commands. */
export const ERROR_CODES = [
  'configuration-invalid',
  'secret-unreadable',
  'secret-exposed',
  'policy-invalid',
  'activity-log-unavailable',
  'activity-log-broken',
  'audit-trail-broken',
  'baseline-invalid',
  'database-unavailable',
  'database-busy',
  'database-unsupported',
  'privilege-missing',
  'checker-unavailable',
  'seal-broken',
  'seal-unavailable',
  'issuer-unavailable',
  'state-unavailable',
  'state-invalid',
  'frame-invalid',
  'backend-unavailable',
  'usage',
  'internal',
] as const;
export type ErrorCode = (typeof ERROR_CODES)[number];

/**
 * The one error type inside Chartgate. `message` is written for the operator and never holds a
 * patient's data, a token or a secret; `cause` may, and is therefore never logged as it is.
 */
export class ChartgateError extends Error {
  override readonly name = 'ChartgateError';
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** One fault in a file that a person wrote: what is wrong, where, and what to do. */
export interface Fault {
  /** The file as the user named it. */
  readonly file: string;
  /** 1-based; 0 when the fault concerns the file as a whole. */
  readonly line: number;
  /** 1-based; 0 when unknown. */
  readonly column: number;
  /** The place inside the document, such as `tenants[1].hosts[0]`; empty for the whole document. */
  readonly path: string;
  /** One sentence: what is wrong and what is allowed. */
  readonly message: string;
}

/** A fault found by a part that knows the document but not its text: `pointer` is an RFC 6901 JSON pointer. */
export interface PointedFault {
  readonly pointer: string;
  readonly message: string;
}

/** Every fault of a configuration, collected; never just the first. */
export class ConfigurationError extends ChartgateError {
  readonly faults: readonly Fault[];

  constructor(faults: readonly Fault[]) {
    super(
      'configuration-invalid',
      faults
        .map(
          (f) =>
            `${f.file}${f.line > 0 ? `:${f.line}:${f.column}` : ''}: ${f.path ? `${f.path}: ` : ''}${f.message}`,
        )
        .join('\n'),
    );
    this.faults = Object.freeze([...faults]);
  }
}
