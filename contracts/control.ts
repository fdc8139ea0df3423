/**
 * What commands on the gateway's own machine ask the running gateway, over a Unix socket that its OS user and root
 * alone can reach: one line of JSON each way, then the connection ends.
 */
export const CONTROL_SOCKET = 'control.sock';

/** Bytes in `sun_path` of Linux's `sockaddr_un`, without its terminating NUL (unix(7)): no socket has a longer path. */
export const CONTROL_PATH_LIMIT = 107;

/** Bytes of a question at most. */
export const CONTROL_LIMIT = 65_536;

export type ControlAsk =
  | { readonly do: 'status' }
  /** Read the files of these tenants again, and nothing else. */
  | { readonly do: 'take-tenants'; readonly ids: readonly string[] };

export type ControlAnswer =
  /** It serves them, or serves them no longer; or nothing has changed, and why. */
  | { readonly ok: true; readonly do: 'take-tenants'; readonly milliseconds: number }
  | {
      readonly ok: true;
      readonly do: 'status';
      readonly pid: number;
      readonly version: string;
      /** Settings file, absolute. */
      readonly file: string;
      readonly tenantsFolder: string | null;
      readonly ready: boolean;
      /** Why not, or what of it is not as it should be; names of workers and databases. */
      readonly reasons: readonly string[];
      readonly tenants: readonly { readonly id: string; readonly paused: boolean }[];
    }
  | { readonly ok: false; readonly message: string };
