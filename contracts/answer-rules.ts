/**
 * Signs by which an answer is known to be an error of the EMR, whatever its status and media type say. Identifiers are
 * stable: settings and records name them.
 */
export const ERROR_SIGNS = [
  'trace-php',
  'trace-java',
  'trace-dotnet',
  'trace-python',
  'trace-node',
  'trace-ruby',
  'trace-go',
  'trace-perl',
  'sql-error',
  'sql-text',
  'debug-page',
  'version',
  'address',
  'path',
] as const;
export type ErrorSign = (typeof ERROR_SIGNS)[number];

/** What an answer may look like; everything that is given must hold. */
export interface AnswerPattern {
  /** One of these; undefined: any up to 399, since what is above never passes. */
  readonly status: readonly number[] | undefined;
  /**
   * Texts that follow each other in the body, each beginning at most 256 bytes after the one before has ended. One of
   * ASCII is compared without regard to case. Undefined: the body does not matter.
   */
  readonly body: readonly string[] | undefined;
  /** The same of the path and query of `Location`, from its beginning on. */
  readonly location: readonly string[] | undefined;
}

/** What answers of a route, or of a whole policy, mean besides what their status says. Frozen at load. */
export interface AnswerRules {
  /** Such an answer says that there is nothing, or nothing for this caller: it is answered as absent. */
  readonly hidden: readonly AnswerPattern[];
  /** Such an answer is an error of the EMR. */
  readonly failed: readonly AnswerPattern[];
  /** Built-in signs that do not count here. */
  readonly except: ReadonlySet<ErrorSign>;
  /** Bytes up to which an answer is read whole before any of it is released; undefined: as much as is judged. */
  readonly maxBytes: number | undefined;
}

/** How settings write `AnswerRules`. */
export interface AnswerRulesDocument {
  readonly hidden?: readonly AnswerPatternDocument[];
  readonly failed?: readonly AnswerPatternDocument[];
  readonly except?: readonly string[];
  readonly maxBytes?: number;
}

export interface AnswerPatternDocument {
  readonly status?: readonly number[];
  /** A text as it stands in the body. */
  readonly bodyContains?: string;
  /** The same, in which `*` is at most 256 bytes of anything. */
  readonly bodyMatches?: string;
  /** Path, and maybe query, of a redirect; `*` as above. */
  readonly location?: string;
}
