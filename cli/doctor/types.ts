import type { IssuerProcessSettings } from '../../contracts/issuer-settings.ts';
import type { CheckerSettings, GatewaySettings } from '../../contracts/settings.ts';
import type { Account } from './accounts.ts';
import type { Process } from './processes.ts';

export const RESULTS = ['ok', 'failed', 'warn', 'skipped'] as const;
export type Result = (typeof RESULTS)[number];

/** What came out of one look at one thing. */
export interface Outcome {
  /** Stable name of the check. */
  readonly check: CheckName;
  /** What was looked at: a process, a file, a database; empty when it is the machine. */
  readonly about: string;
  readonly result: Result;
  /** For a person: what is so, or why it was not looked at. No secret and nothing of a row is in it. */
  readonly sentence: string;
  /** What to do; empty when nothing is. */
  readonly remedy: string;
}

/** Every check, in the order in which they are told. Names are part of the output's interface. */
export const CHECKS = {
  settings: 'The settings of each process',
  'processes-run': 'Each process runs',
  'users-differ': 'An OS user each, without a common group',
  'process-limits': 'What a process may do at most',
  'file-modes': 'Who may change settings, secrets and the folders above them',
  'checker-files-closed': "The checker's files are closed to the others",
  'gateway-files-closed': "The gateway's files are closed to the others",
  'issuer-files-closed': "The embedded issuer's files are closed to the others",
  'strangers-kept-out': 'Everything is closed to any other user',
  'code-unwritable': 'No process can change the program',
  'database-secret-kept': "Nobody else holds the checker's password",
  'sealing-keys': 'Sealing keys lie apart from what they seal, each with its own process',
  'signing-key-away': 'The key that approves baselines is not here',
  'state-stores': 'The state of accounts and sessions is sound',
  socket: 'The socket between gateway and checker',
  verdict: 'The checker answers the gateway',
  'issuer-socket': 'The socket between gateway and embedded issuer',
  'issuer-answers': 'The embedded issuer answers the gateway and nobody else',
  baseline: 'The baseline is signed by the configured key',
  'sql-grants': "What the checker's SQL account holds",
  'sql-attempts': "What the checker's SQL account can really do",
  'database-tls': 'TLS to the database',
  clock: 'The clocks of host and database',
  'server-settings': 'Settings of the database server',
  'emr-user': "The EMR's OS user is another one",
  'emr-around': 'The EMR is not reachable around the gateway',
} as const;
export type CheckName = keyof typeof CHECKS;

/** Settings, and which files were looked at to have them. */
export interface Loaded<T> {
  readonly settings: T;
  readonly files: readonly string[];
}

/** One of the processes as it is on this machine. */
export interface Side {
  /** Undefined when it cannot be told. */
  readonly account: Account | undefined;
  /** How that is known, for a sentence. */
  readonly known: string;
  /** The supervisor and its workers, the checker, or the issuer; empty when none was found. */
  readonly processes: readonly Process[];
}

/** A process with its settings, where they could be read. */
export type Part = { readonly side: Side } & (
  | { readonly name: 'gateway'; readonly loaded: Loaded<GatewaySettings> | undefined }
  | { readonly name: 'checker'; readonly loaded: Loaded<CheckerSettings> | undefined }
  | { readonly name: 'issuer'; readonly loaded: Loaded<IssuerProcessSettings> | undefined }
);
export type PartName = Part['name'];

export interface Subject {
  readonly gateway: Loaded<GatewaySettings> | undefined;
  readonly checker: Loaded<CheckerSettings> | undefined;
  readonly issuer: Loaded<IssuerProcessSettings> | undefined;
  readonly gatewaySide: Side;
  readonly checkerSide: Side;
  readonly issuerSide: Side;
  /** Gateway and checker, and the embedded issuer where its settings were named. */
  readonly parts: readonly Part[];
  /** Runs as root, so that it can see and be everybody. */
  readonly root: boolean;
  readonly options: Options;
}

export interface Options {
  /** `host:port` at which clients must not reach the EMR. */
  readonly emrAddresses: readonly string[];
  /** Local address to try that from; the system's choice when undefined. */
  readonly from: string | undefined;
  /** Only these checks, and `settings`; all when undefined. */
  readonly only?: readonly CheckName[] | undefined;
  /** Whether to try forbidden statements with the checker's account. */
  readonly sqlAttempts: boolean;
  /** Wall-clock milliseconds. */
  readonly now: () => number;
}

/** One check. Never throws for what it finds; an exception is a fault of ours and reported as failed. */
export type Check = (subject: Subject) => Promise<readonly Outcome[]> | readonly Outcome[];

/** Makes outcomes of one check. */
export function outcomes(check: CheckName) {
  const make =
    (result: Result) =>
    (about: string, sentence: string, remedy = ''): Outcome => ({ check, about, result, sentence, remedy });
  return { ok: make('ok'), failed: make('failed'), warn: make('warn'), skipped: make('skipped') };
}

/** Why most checks cannot be made by somebody else. */
export const NOT_ROOT = 'only root can be another user for an instant: run it with sudo';
