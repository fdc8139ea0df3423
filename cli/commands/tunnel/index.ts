import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { userInfo } from 'node:os';
import { join, resolve } from 'node:path';
import type { Command } from 'commander';
import { ChartgateError } from '../../../contracts/errors.ts';
import type { TenantId } from '../../../contracts/identifiers.ts';
import {
  authorizedKeyLine,
  clientFiles,
  endStrangers,
  type Observed,
  observeTunnels,
  parsePublicKey,
  portsInUse,
  serverConfiguration,
  TunnelRegistry,
} from '../../../tenant-router/tunnels/index.ts';
import { EXIT } from '../../output.ts';
import {
  currentHostKey,
  giveTo,
  hostAndPort,
  hostKeyIn,
  print,
  publicKey,
  tenantOf,
  userIds,
} from './inputs.ts';
import { checkNetwork } from './networks.ts';

const DIRECTORY = '/var/lib/chartgate-tunnel';
const NOTES = `
Run it as the user of the server for tunnels, or as root. Exit codes: ${EXIT.ok} done, ${EXIT.finding} (list) a tunnel
is down or the host key is another than clinics were given, (revoke) somebody may still be connected, ${EXIT.usage} wrong usage, ${EXIT.configuration} a file is
damaged, ${EXIT.unavailable} OpenSSH is missing.`;

interface Common {
  readonly directory: string;
  readonly json?: true;
}

/** `chartgate tunnel init|issue|list|revoke`: clinics dial out by OpenSSH, so that they need not open a port. */
export function register(program: Command): void {
  const tunnel = program
    .command('tunnel')
    .description('Reverse tunnels for clinics behind a firewall: who may dial in, and who is there.');
  const add = (name: string, description: string): Command =>
    tunnel
      .command(name)
      .description(description)
      .option('--directory <folder>', 'folder of the server for tunnels', DIRECTORY)
      .option('--json', 'print the result as JSON')
      .addHelpText('after', NOTES);
  add('init', 'Make the server: its host key, its sshd_config, an empty list.')
    .option('--listen <address:port>', 'where clinics dial in', '0.0.0.0:2222')
    .option('--user <name>', 'the OS user that it runs as', defaultUser())
    .action(init);
  add('issue', "Give a tenant a tunnel: a port of its own, and files for the clinic's machine.")
    .argument('<tenant>', 'its id, as in the settings of the gateway')
    .requiredOption('--gateway <host>', 'name or address at which the clinic reaches this machine')
    .requiredOption('--out <folder>', 'new folder for the files that the clinic gets')
    .option('--emr <host:port>', "the EMR, as the clinic's machine sees it", '127.0.0.1:443')
    .option('--public-key <file>', "the clinic's own public key; unless given, a pair is made")
    .option('--port <number>', 'loopback port here; unless given, the first that is free')
    .option('--from <address>', 'address or network (CIDR) it dials from; repeat it', collect)
    .action(issue);
  add('list', 'Print the tunnels: which are up, since when, from where, how far away.').action(list);
  add('revoke', "End a tenant's tunnel at once, and refuse its key for ever.")
    .argument('<tenant>', 'its id')
    .action(revoke);
}

const collect = (value: string, before: readonly string[] = []): readonly string[] => [...before, value];

/** The usual one; for whoever is not root, they themselves. */
function defaultUser(): string {
  const { uid, username } = userInfo();
  return uid === 0 ? 'chartgate-tunnel' : username;
}

function init(options: Common & { readonly listen: string; readonly user: string }): void {
  const directory = resolve(options.directory);
  const { host, port } = hostAndPort(options.listen, '--listen');
  if (isIP(host) === 0) throw new ChartgateError('usage', '--listen must be an IP address and a port.');
  if (!/^[a-z_][a-z0-9_-]{0,31}$/.test(options.user)) {
    throw new ChartgateError('usage', '--user must be the name of a user.');
  }
  if (/\s|"/.test(directory))
    throw new ChartgateError('usage', '--directory must not hold spaces or quotes.');
  const ids = userIds(options.user);
  const registry = new TunnelRegistry(directory);
  if (registry.exists)
    throw new ChartgateError('usage', `${directory}: there is a server for tunnels already.`);
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const fingerprint = hostKeyIn(directory);
  const server = { directory, user: options.user, address: host, port };
  writeFileSync(join(directory, 'sshd_config'), serverConfiguration(server), { mode: 0o600 });
  if (process.geteuid?.() === 0) giveTo(directory, ids);
  registry.create(server, fingerprint);
  const command = `/usr/sbin/sshd -D -f ${join(directory, 'sshd_config')}`;
  if (options.json) {
    print({ directory, hostKey: fingerprint, command });
    return;
  }
  console.log(`The server for tunnels is in ${directory}. Host key ${fingerprint}.`);
  console.log(`It runs as ${options.user}: deploy/systemd/chartgate-tunnel.service, or ${command}`);
}

interface Issue extends Common {
  readonly gateway: string;
  readonly out: string;
  readonly emr: string;
  readonly publicKey?: string;
  readonly port?: string;
  readonly from?: readonly string[];
}

function issue(tenant: string, options: Issue): void {
  const registry = new TunnelRegistry(resolve(options.directory));
  const { server } = registry.read();
  const id = tenantOf(tenant);
  const emr = hostAndPort(options.emr, '--emr');
  if (!/^[A-Za-z0-9.:-]{1,253}$/.test(options.gateway) || options.gateway.startsWith('-')) {
    throw new ChartgateError('usage', '--gateway must be a host name or an address.');
  }
  for (const address of options.from ?? []) checkNetwork(address);
  const out = resolve(options.out);
  if (existsSync(out)) throw new ChartgateError('usage', `${out}: exists already; name a new folder.`);
  mkdirSync(out, { recursive: true, mode: 0o700 });
  const { key, grant } = granted(registry, id, out, options);
  const hostKey = parsePublicKey(
    readFileSync(join(server.directory, 'host_key.pub'), 'utf8'),
    'the host key',
  );
  const files = clientFiles({
    grant,
    server,
    gateway: options.gateway,
    hostKey,
    emr: `${emr.host}:${emr.port}`,
  });
  for (const [name, text] of files) writeFileSync(join(out, name), text, { mode: 0o600 });
  const line = authorizedKeyLine(grant);
  const origin = `https://127.0.0.1:${grant.port}`;
  if (options.json) {
    print({ tenant: id, port: grant.port, origin, fingerprint: key.fingerprint, line, out });
    return;
  }
  console.log(`Tenant ${id} has port ${grant.port}. Its line in authorized_keys:\n\n${line}\n`);
  console.log(
    `Give the clinic the folder ${out}${options.publicKey === undefined ? ' (it holds their private key: hand it over safely, then delete it here)' : ''}.`,
  );
  console.log(
    `Then, in the settings of the gateway:\n\n  backends:\n    - origin: ${origin}\n      authority: <the EMR's own certificate authority, PEM>\n`,
  );
}

/** The key and the grant of a new tunnel; a refusal leaves no folder with a key behind. */
function granted(registry: TunnelRegistry, tenant: TenantId, out: string, options: Issue) {
  try {
    const key = publicKey(options.publicKey, out, tenant);
    const grant = registry.issue({
      tenant,
      key,
      from: options.from ?? [],
      port: options.port === undefined ? undefined : Number(options.port),
      inUse: portsInUse(),
      at: Date.now(),
    });
    return { key, grant };
  } catch (error) {
    rmSync(out, { recursive: true, force: true });
    throw error;
  }
}

function list(options: Common): void {
  const registry = new TunnelRegistry(resolve(options.directory)).read();
  const found = observeTunnels(registry.grants, registry.server);
  const hostKey = currentHostKey(registry.server.directory);
  const same = hostKey === registry.hostKey;
  if (!same || found.some(({ up }) => !up)) process.exitCode = EXIT.finding;
  if (options.json) {
    print({
      hostKey: { given: registry.hostKey, found: hostKey ?? null, same },
      tunnels: found.map(({ grant, up, taken, since, peer, roundTripMs }) => ({
        tenant: grant.tenant,
        port: grant.port,
        fingerprint: grant.fingerprint,
        from: grant.from,
        up,
        taken,
        since: since === undefined ? null : new Date(since).toISOString(),
        peer: peer ?? null,
        roundTripMs: roundTripMs ?? null,
      })),
    });
    return;
  }
  if (!same) {
    console.error(
      `WARNING: the host key is ${hostKey ?? 'not there'}, and clinics were given ${registry.hostKey}. If nobody changed it on purpose, somebody else did.`,
    );
  }
  if (found.length === 0) console.log('No tunnels. "chartgate tunnel issue" gives a tenant one.');
  const rows = [['tenant', 'port', 'state', 'since', 'from', 'round trip'], ...found.map(row)];
  const widths = rows[0]?.map((_, at) => Math.max(...rows.map((each) => each[at]?.length ?? 0))) ?? [];
  if (found.length > 0) {
    for (const each of rows)
      console.log(
        each
          .map((text, at) => text.padEnd(widths[at] ?? 0))
          .join('  ')
          .trimEnd(),
      );
  }
}

function row({ grant, up, taken, since, peer, roundTripMs }: Observed): readonly string[] {
  return [
    grant.tenant,
    String(grant.port),
    up ? 'up' : taken ? 'down: port taken by another process' : 'down',
    since === undefined ? '' : `${new Date(since).toISOString().slice(0, 19)}Z`,
    peer ?? '',
    roundTripMs === undefined ? '' : `${roundTripMs.toFixed(1)} ms`,
  ];
}

async function revoke(tenant: string, options: Common): Promise<void> {
  const registry = new TunnelRegistry(resolve(options.directory));
  const grant = registry.revoke(tenant);
  // The key is refused from here on; now whoever is still connected by it goes.
  const { server, grants } = registry.read();
  const cut = await endStrangers(grants, server);
  if (!cut) process.exitCode = EXIT.finding;
  if (options.json) {
    print({ tenant, port: grant.port, revoked: true, cut });
    return;
  }
  console.log(
    `Tenant ${tenant} has no tunnel any more; its key is refused for ever. No tenant gets port ${grant.port} again: take it out of the settings.`,
  );
  if (!cut)
    console.error(
      'Somebody may still be connected by it, and this user may not end that: restart the server for tunnels (systemctl restart chartgate-tunnel). The other clinics dial again by themselves.',
    );
}
