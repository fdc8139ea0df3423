import type { BackendAnswer } from '../transport/backend-answer.ts';
import type { PendingTunnel } from '../transport/upgrade.ts';

/** What goes to the client. Header order is part of it: two answers that must not differ have the same list. */
export interface Answer {
  readonly status: number;
  /** Name, value, name, value … lower-case names, in the order they are sent. */
  readonly headers: readonly string[];
  /** `undefined`: no body at all (204, 304). */
  readonly body: Buffer | BackendAnswer | PendingTunnel | undefined;
  /** Milliseconds after arrival at which it is released, or the next whole multiple; 0: at once. */
  readonly deadlineMs: number;
  /** Nothing more is read from this connection afterwards. */
  readonly closeConnection: boolean;
}
