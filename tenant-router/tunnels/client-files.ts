import type { TunnelGrant } from '../../contracts/tunnel.ts';
import type { TunnelServer } from './server-configuration.ts';

/** What a clinic's machine has to know. */
export interface ClientSide {
  readonly grant: TunnelGrant;
  readonly server: Pick<TunnelServer, 'user' | 'port'>;
  /** Name or address at which the clinic reaches the gateway's host. */
  readonly gateway: string;
  /** The server's public host key, type and base64, and its fingerprint. */
  readonly hostKey: { readonly text: string; readonly fingerprint: string };
  /** Where the EMR is, seen from the clinic's machine: `127.0.0.1:443`. */
  readonly emr: string;
}

/** Files for the clinic by name; none of them holds a secret. */
export function clientFiles(side: ClientSide): ReadonlyMap<string, string> {
  return new Map([
    ['README.txt', readme(side)],
    ['known_hosts', `${hostName(side)} ${side.hostKey.text}\n`],
    ['ssh_config', sshConfig(side)],
    ['chartgate-tunnel.service', systemdUnit()],
    ['install-windows.ps1', windowsInstaller(side)],
    ['tunnel.cmd', windowsLoop()],
    ['plink.cmd', plink(side)],
  ]);
}

function hostName({ gateway, server }: ClientSide): string {
  return server.port === 22 ? gateway : `[${gateway}]:${server.port}`;
}

/** The settings that matter are given whole: nothing of the machine's own ssh_config may change them. */
function sshConfig(side: ClientSide): string {
  return `Host chartgate
  HostName ${side.gateway}
  Port ${side.server.port}
  User ${side.server.user}
  RemoteForward 127.0.0.1:${side.grant.port} ${side.emr}
  SessionType none
  RequestTTY no
  ExitOnForwardFailure yes
  ServerAliveInterval 1
  ServerAliveCountMax 2
  ConnectTimeout 5
  ConnectionAttempts 1
  IdentitiesOnly yes
  PreferredAuthentications publickey
  StrictHostKeyChecking yes
  UpdateHostKeys no
  HostKeyAlgorithms ssh-ed25519
  ForwardAgent no
  ForwardX11 no
  ClearAllForwardings no
  ControlMaster no
  BatchMode yes
`;
}

function systemdUnit(): string {
  return `# Debian, Ubuntu, Red Hat …: see README.txt.
[Unit]
Description=Tunnel to the gateway
After=network-online.target
Wants=network-online.target
StartLimitIntervalSec=0

[Service]
DynamicUser=yes
LoadCredential=key:/etc/chartgate-tunnel/key
LoadCredential=known_hosts:/etc/chartgate-tunnel/known_hosts
LoadCredential=ssh_config:/etc/chartgate-tunnel/ssh_config
ExecStart=/usr/bin/ssh -N -F \${CREDENTIALS_DIRECTORY}/ssh_config -i \${CREDENTIALS_DIRECTORY}/key -o UserKnownHostsFile=\${CREDENTIALS_DIRECTORY}/known_hosts -o GlobalKnownHostsFile=none chartgate
Restart=always
RestartSec=1
NoNewPrivileges=yes
ProtectSystem=strict
ProtectHome=yes
PrivateTmp=yes
PrivateDevices=yes
CapabilityBoundingSet=
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6
SystemCallFilter=@system-service

[Install]
WantedBy=multi-user.target
`;
}

function windowsInstaller(side: ClientSide): string {
  return `# Windows 10, 11 and Server from 2019, whose own OpenSSH client is used. Run once, as administrator, in the
# folder that holds these files. The task starts with the machine.
#Requires -RunAsAdministrator
$ErrorActionPreference = 'Stop'
$folder = Join-Path $env:ProgramData 'ChartgateTunnel'
New-Item -ItemType Directory -Force -Path $folder | Out-Null
Copy-Item -Path key, known_hosts, ssh_config, tunnel.cmd -Destination $folder -Force
# Only the system and administrators may enter; ssh refuses a key that others can read.
icacls $folder /inheritance:r /grant '*S-1-5-18:(OI)(CI)F' '*S-1-5-32-544:(OI)(CI)F' | Out-Null
icacls (Join-Path $folder 'key') /inheritance:r /grant '*S-1-5-18:F' | Out-Null
$action = New-ScheduledTaskAction -Execute (Join-Path $folder 'tunnel.cmd')
$trigger = New-ScheduledTaskTrigger -AtStartup
$settings = New-ScheduledTaskSettingsSet -RestartCount 999 -RestartInterval (New-TimeSpan -Minutes 1) \`
  -ExecutionTimeLimit ([TimeSpan]::Zero) -AllowStartIfOnBatteries -DontStopIfGoingOnBatteries
Register-ScheduledTask -Force -TaskName 'Chartgate tunnel' -User 'SYSTEM' \`
  -Action $action -Trigger $trigger -Settings $settings | Out-Null
Start-ScheduledTask -TaskName 'Chartgate tunnel'
Write-Output 'The tunnel to ${side.gateway} was started; it starts with this machine from now on.'
`;
}

/** Dials again a second after a line was lost. `timeout` wants a console, which a task has not. */
function windowsLoop(): string {
  return [
    '@echo off',
    ':again',
    '"%SystemRoot%\\System32\\OpenSSH\\ssh.exe" -N -F "%~dp0ssh_config" -i "%~dp0key" ' +
      '-o "UserKnownHostsFile=%~dp0known_hosts" -o GlobalKnownHostsFile=none chartgate',
    'ping -n 2 127.0.0.1 >nul',
    'goto again',
    '',
  ].join('\r\n');
}

/** PuTTY wants its own form of the key: `puttygen key -o key.ppk`. */
function plink(side: ClientSide): string {
  return [
    '@echo off',
    'rem Machines without OpenSSH: PuTTY 0.75 or later. Make key.ppk of the key with puttygen once.',
    ':again',
    `plink.exe -batch -ssh -N -T -noagent -P ${side.server.port} -l ${side.server.user} -i "%~dp0key.ppk" ` +
      `-hostkey "${side.hostKey.fingerprint}" -R 127.0.0.1:${side.grant.port}:${side.emr} ${side.gateway}`,
    'ping -n 2 127.0.0.1 >nul',
    'goto again',
    '',
  ].join('\r\n');
}

function readme(side: ClientSide): string {
  return `Tunnel of tenant "${side.grant.tenant}"

These files let a machine of the clinic dial the gateway at ${side.gateway}, port ${side.server.port}, so that no port of the
clinic has to be opened. The gateway then reaches ${side.emr} as that machine sees it, and nothing else. TLS of the
EMR goes on inside of the tunnel: whoever could read the tunnel would still read nothing of it.

Key of the gateway: ${side.hostKey.fingerprint}
If ssh ever says that this key changed, do not go on: ask the gateway's administrator.

The file "key" is the clinic's own secret. If it was not made on this machine, it belongs here and nowhere else.

Linux
  1. sudo mkdir -m 0700 /etc/chartgate-tunnel
  2. sudo install -m 0600 key known_hosts ssh_config /etc/chartgate-tunnel/
  3. sudo install -m 0644 chartgate-tunnel.service /etc/systemd/system/
  4. sudo systemctl enable --now chartgate-tunnel

Windows 10, 11, Server 2019 or later (its own OpenSSH client)
  powershell -ExecutionPolicy Bypass -File install-windows.ps1

Older Windows (PuTTY)
  puttygen key -o key.ppk, then let plink.cmd run at start.
`;
}
