/**
 * What goes to the back end otherwise than the client sent it. Undefined: as it came. Whoever sets one of these has
 * judged what it replaces.
 */
export interface Outgoing {
  /** In place of the client's, encoded, without `?`. */
  readonly query?: string | undefined;
  /** Lower-case names; undefined: not sent. What the gateway itself says to back ends cannot be set here. */
  readonly headers?: Readonly<Record<string, string | undefined>> | undefined;
  /** The whole body. */
  readonly body?: Buffer | undefined;
  /** GET in place of HEAD, where the answer's body has to be seen. */
  readonly method?: 'GET' | undefined;
}
