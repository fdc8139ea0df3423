import type { TenantId } from './identifiers.ts';

/**
 * The right of one clinic's machine to make its EMR reachable at one loopback port of the gateway's host, by
 * OpenSSH's remote forwarding (RFC 4254 §7.1). Nothing else comes with it.
 */
export interface TunnelGrant {
  readonly tenant: TenantId;
  /** Loopback port on the gateway's host; no other tenant's. */
  readonly port: number;
  /** One OpenSSH public key: type and base64, without a comment. */
  readonly publicKey: string;
  /** `SHA256:` and base64, as `ssh-keygen -l` prints it. */
  readonly fingerprint: string;
  /** Addresses or networks (CIDR) that the machine dials from; empty: any. */
  readonly from: readonly string[];
  /** Wall-clock milliseconds. */
  readonly issuedAt: number;
}

/** What is known of one tunnel now. */
export interface TunnelStatus {
  readonly grant: TunnelGrant;
  readonly up: boolean;
  /** Wall-clock milliseconds since which it is up; undefined when it is down, or who asks may not see it. */
  readonly since: number | undefined;
  /** Address that it came from; undefined as above. */
  readonly peer: string | undefined;
  /** Round trip to the clinic's machine, milliseconds, as the kernel measures it; undefined as above. */
  readonly roundTripMs: number | undefined;
}
