/** Reverse tunnels by OpenSSH, for clinics behind a firewall (docs/tunnels.md). */
export { authorizedKeyLine } from './authorized-keys.ts';
export { type ClientSide, clientFiles } from './client-files.ts';
export { type Observed, observeTunnels } from './observe.ts';
export { type PublicKey, parsePublicKey } from './public-key.ts';
export { FIRST_PORT, LAST_PORT, type NewGrant, TunnelRegistry } from './registry.ts';
export { serverConfiguration, type TunnelServer } from './server-configuration.ts';
export { portsInUse } from './sockets.ts';
export { endStrangers } from './strangers.ts';
