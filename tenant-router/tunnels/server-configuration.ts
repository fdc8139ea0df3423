/** Where the server for tunnels listens, whose it is, where its files are. */
export interface TunnelServer {
  /** Absolute path of the folder with its configuration, keys and list of grants. */
  readonly directory: string;
  /** The OS user that it runs as, and the only one that it lets in. */
  readonly user: string;
  readonly address: string;
  readonly port: number;
}

/**
 * `sshd_config` (sshd_config(5)) of a server that does remote forwarding and nothing else. It runs as an ordinary
 * user of its own, so that it could log in nobody else even if it were told to.
 */
export function serverConfiguration({ directory, user, address, port }: TunnelServer): string {
  const lines: readonly (readonly [comment: string, ...settings: readonly string[]])[] = [
    ['Written by "chartgate tunnel init".'],
    [
      'Where.',
      `ListenAddress ${address.includes(':') ? `[${address}]` : address}:${port}`,
      `HostKey ${directory}/host_key`,
      `PidFile ${directory}/sshd.pid`,
    ],
    [
      'Who: keys that were issued, for one user without a shell.',
      `AllowUsers ${user}`,
      'PermitRootLogin no',
      'AuthenticationMethods publickey',
      'PubkeyAuthentication yes',
      'PasswordAuthentication no',
      'KbdInteractiveAuthentication no',
      'HostbasedAuthentication no',
      'GSSAPIAuthentication no',
      'UsePAM no',
      `AuthorizedKeysFile ${directory}/authorized_keys`,
      `RevokedKeys ${directory}/revoked_keys`,
      'AuthorizedKeysCommand none',
      'AuthorizedPrincipalsFile none',
      'TrustedUserCAKeys none',
      'StrictModes yes',
      'MaxAuthTries 2',
      'LoginGraceTime 10',
      'MaxStartups 20:50:60',
      'PerSourceMaxStartups 5',
    ],
    [
      'What: ports of this machine that lead to the clinic, each only for the key that it was issued to.',
      'AllowTcpForwarding remote',
      'PermitListen 127.0.0.1:*',
      'PermitOpen none',
      'GatewayPorts no',
      'AllowStreamLocalForwarding no',
      'AllowAgentForwarding no',
      'X11Forwarding no',
      'PermitTunnel no',
      'MaxSessions 0',
      'PermitTTY no',
      'PermitUserRC no',
      'PermitUserEnvironment no',
      'ForceCommand /bin/false',
      'Compression no',
    ],
    [
      'A line that was cut is given up within four seconds, so that the clinic can have its port back.',
      'ClientAliveInterval 1',
      'ClientAliveCountMax 1',
      'TCPKeepAlive yes',
    ],
    [
      'Algorithms of today only.',
      'KexAlgorithms sntrup761x25519-sha512@openssh.com,curve25519-sha256,curve25519-sha256@libssh.org',
      'Ciphers chacha20-poly1305@openssh.com,aes256-gcm@openssh.com',
      'MACs hmac-sha2-512-etm@openssh.com,hmac-sha2-256-etm@openssh.com',
      'HostKeyAlgorithms ssh-ed25519',
      'PubkeyAcceptedAlgorithms ssh-ed25519,sk-ssh-ed25519@openssh.com,rsa-sha2-512,rsa-sha2-256',
      'RekeyLimit 1G 1h',
    ],
    ['What is recorded: which key came from where.', 'LogLevel VERBOSE', 'UseDNS no', 'PrintMotd no'],
  ];
  return `${lines.map(([comment, ...settings]) => [`# ${comment}`, ...settings].join('\n')).join('\n\n')}\n`;
}
