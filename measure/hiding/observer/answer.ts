/** One answer as its observer saw it. Times are milliseconds, monotonic. */
export interface Answer {
  readonly status: number;
  /** Everything in the order received; over HTTP/1.1 the bytes of the head as they came. */
  readonly head: string;
  readonly body: Buffer;
  readonly sentAt: number;
  readonly firstAt: number;
  readonly lastAt: number;
  /** Pieces in which it was given to the program. */
  readonly pieces: number;
  /** The connection cannot be used again. */
  readonly closed: boolean;
}

export interface Request {
  readonly verb: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | undefined;
}

/** One connection, on which one request follows another. */
export interface Client {
  ask(request: Request): Promise<Answer>;
  close(): void;
}
