import type { TunnelGrant } from '../../contracts/tunnel.ts';

/**
 * One line of `authorized_keys` (sshd(8)): the key may ask for its own loopback port and for nothing else. `restrict`
 * takes everything away, also what later versions of OpenSSH will add; `permitlisten` gives one port back.
 * The command is what a session would get if the server's configuration ever let one begin.
 */
export function authorizedKeyLine(grant: TunnelGrant): string {
  const options = [
    'restrict',
    'port-forwarding',
    `permitlisten="127.0.0.1:${grant.port}"`,
    'command="/bin/false"',
    ...(grant.from.length === 0 ? [] : [`from="${grant.from.join(',')}"`]),
  ];
  return `${options.join(',')} ${grant.publicKey} ${grant.tenant}`;
}

export function authorizedKeys(grants: readonly TunnelGrant[]): string {
  return [
    '# Written by "chartgate tunnel". Changes by hand are overwritten.',
    ...grants.map(authorizedKeyLine),
    '',
  ].join('\n');
}
