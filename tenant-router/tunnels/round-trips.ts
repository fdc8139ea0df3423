import { spawnSync } from 'node:child_process';

/**
 * Smoothed round-trip times in milliseconds by peer address and port, as the kernel keeps them for TCP (RFC 6298).
 * Asked of `ss` (iproute2), because /proc does not tell; without it there are none.
 */
export function roundTrips(): ReadonlyMap<string, number> {
  const { stdout, status } = spawnSync('ss', ['-Htin', 'state', 'established'], {
    encoding: 'utf8',
    timeout: 5_000,
    maxBuffer: 16 * 1024 * 1024,
  });
  return status === 0 ? parseRoundTrips(stdout) : new Map();
}

/** A line with addresses, then an indented one with what the kernel knows of that connection. */
export function parseRoundTrips(text: string): ReadonlyMap<string, number> {
  const found = new Map<string, number>();
  let peer = '';
  for (const line of text.split('\n')) {
    if (/^\s/.test(line)) {
      const rtt = /\brtt:([0-9.]+)\//.exec(line)?.[1];
      if (peer !== '' && rtt !== undefined) found.set(peer, Number(rtt));
      peer = '';
    } else {
      const fields = line.trim().split(/\s+/);
      peer = (fields[3] ?? '').replace(/^\[(?:::ffff:)?([^\]]+)\]/, '$1');
    }
  }
  return found;
}
