import type { BackEnd } from './back-end.ts';

/** What every subject is given to start with. */
export interface SubjectContext {
  /** Its own work folder, empty. */
  readonly directory: string;
  /** PEM files of a server certificate for `localhost`. */
  readonly certificateFile: string;
  readonly keyFile: string;
  /** Chain and key in one file, as some want it. */
  readonly combinedFile: string;
  /** PEM of the authority that issued it. */
  readonly authority: string;
  readonly backEnd: BackEnd;
  /** The core it must stay on; anywhere when undefined. */
  readonly core: number | undefined;
}

/** A subject that runs and can be measured. All ports are on 127.0.0.1. */
export interface RunningSubject {
  /** Program and version. */
  readonly version: string;
  /** `host:port` of the URL, which is also SNI and `Host`. */
  readonly http1: string;
  /** The same for HTTP/2; undefined when the subject has none. */
  readonly http2: string | undefined;
  /** PEM of the authority of its certificate. */
  readonly authority: string;
  /** A fresh access token to send, good for the next minute at least; undefined where nobody checks one. */
  token(): Promise<string | undefined>;
  /** Every process whose work counts as the subject's. */
  pids(): readonly number[];
  /** Proves that it is what its name says (an attack is refused, a missing token is refused). @returns what is wrong */
  verify(): Promise<readonly string[]>;
  stop(): Promise<void>;
}

/** Not installed, or not there yet: named in the table, not a failure by itself. */
export interface MissingSubject {
  readonly missing: string;
}

export interface Subject {
  readonly name: string;
  readonly title: string;
  /** Runs under a just-in-time compiler: slow until that has seen enough. */
  readonly compiled: boolean;
  start(context: SubjectContext): Promise<RunningSubject | MissingSubject>;
}
