import { connect } from 'node:net';
import { shownUser } from '../accounts.ts';
import { holdersOf, isLoopbackAddress, type Listening, tcpListeners } from '../processes.ts';
import { type Check, type Outcome, outcomes } from '../types.ts';

const CONNECT_MS = 3000;
const EVERYWHERE: readonly string[] = ['0.0.0.0', '::'];

interface Place {
  readonly name: string;
  readonly host: string;
  readonly port: number;
}

/** What serves the EMR's pages or its database on this machine is none of Chartgate's processes. */
export const emrUser: Check = ({ gateway, checker, parts }) => {
  const { ok, failed, warn, skipped } = outcomes('emr-user');
  const places: Place[] = [
    ...(gateway?.settings.tenants ?? []).flatMap((tenant) =>
      tenant.backends.map(({ origin }) => ({ name: `EMR of ${tenant.id}`, ...placeOf(origin) })),
    ),
    ...(checker?.settings.databases ?? []).flatMap(({ id, host, port }) =>
      host === undefined ? [] : [{ name: `database ${id}`, host, port: port ?? 3306 }],
    ),
  ];
  if (places.length === 0) return [skipped('', 'no settings name an EMR or a database by address')];
  return places.map(({ name, host, port }) => {
    if (!isLoopbackAddress(host)) return skipped(name, `${host} is another machine; look there`);
    const uids = usersOf(servingAt(host, port));
    if (uids.length === 0) return skipped(name, `nobody listens on port ${port} here now`);
    for (const {
      name: part,
      side: { account },
    } of parts) {
      if (account !== undefined && uids.includes(account.uid)) {
        return failed(
          name,
          `it runs as ${shownUser(account.uid)}, who is the ${part} too: taking one over is taking over both`,
          'give it an OS user of its own',
        );
      }
    }
    // A web server is begun by root, to have its port, and works as somebody else.
    const working = uids.filter((uid) => uid !== 0);
    const users = (working.length > 0 ? working : uids).map(shownUser).join(', ');
    return working.length === 0
      ? warn(
          name,
          `it runs as ${users}: whoever takes it over has this machine, the gateway and the checker with it`,
          'run it as a user of its own, or on another machine',
        )
      : ok(name, `it runs as ${users}`);
  });
};

/** Who answers at an address of this machine: who listens at that very one comes before who listens at all. */
function servingAt(host: string, port: number): readonly Listening[] {
  const all = tcpListeners(port);
  const named = host === 'localhost' ? ['127.0.0.1', '::1'] : [host];
  const exact = all.filter(({ address }) => named.includes(address));
  return exact.length > 0 ? exact : all.filter(({ address }) => EVERYWHERE.includes(address));
}

/** Users of all processes that hold the sockets; without root's sight, of those who opened them. */
function usersOf(listening: readonly Listening[]): readonly number[] {
  const holders = holdersOf(new Set(listening.map(({ inode }) => inode)));
  const uids = holders.map(({ account }) => account.uid);
  return [...new Set(uids.length > 0 ? uids : listening.map(({ uid }) => uid))];
}

/**
 * Back ends on this machine that listen for more than this machine; and what was asked for with
 * `--emr-address`, tried from here and from nowhere else.
 */
export const emrAround: Check = async ({ gateway, gatewaySide, options }) => {
  const { ok, failed, skipped } = outcomes('emr-around');
  const told: Outcome[] = [];
  for (const { id, backends } of gateway?.settings.tenants ?? []) {
    for (const { origin } of backends) {
      const { host, port } = placeOf(origin);
      if (!isLoopbackAddress(host)) continue;
      const listening = tcpListeners(port);
      if (listening.length === 0) {
        told.push(skipped(`EMR of ${id}`, `nobody listens on port ${port} here now`));
        continue;
      }
      // The gateway may have the same port at the address that clients know.
      const own = new Set(gatewaySide.processes.map(({ pid }) => pid));
      const wide = listening.filter(
        ({ address, inode }) =>
          !isLoopbackAddress(address) && !holdersOf(new Set([inode])).some(({ pid }) => own.has(pid)),
      );
      told.push(
        wide.length === 0
          ? ok(`EMR of ${id}`, `port ${port} is open to this machine alone`)
          : failed(
              `EMR of ${id}`,
              `it listens on ${addresses(wide)}, where others than the gateway reach it`,
              'let it listen on 127.0.0.1',
            ),
      );
    }
  }
  for (const address of options.emrAddresses) {
    const from = options.from === undefined ? 'from this machine' : `from ${options.from} of this machine`;
    const end = await attempt(address, options.from);
    if (end === 'connected') {
      told.push(
        failed(
          address,
          `it answers ${from}`,
          'close the network: a firewall, or an address that only the gateway reaches',
        ),
      );
    } else if (end === 'unusable') {
      told.push(
        failed(
          address,
          `it cannot be tried ${from}`,
          'write HOST:PORT, and as --from an address of this machine',
        ),
      );
    } else told.push(ok(address, `not reachable ${from} (${end}); other places were not tried`));
  }
  if (options.emrAddresses.length === 0) {
    told.push(
      skipped(
        'from outside',
        'what others can reach shows only where they are: run `chartgate doctor --emr-address HOST:PORT` on a machine of the clients',
      ),
    );
  }
  return told;
};

const addresses = (listening: readonly Listening[]): string =>
  [
    ...new Set(
      listening.map(({ address }) => (address === '::' || address === '0.0.0.0' ? 'every address' : address)),
    ),
  ].join(', ');

function placeOf(origin: string): { host: string; port: number } {
  const url = new URL(origin);
  return {
    host: url.hostname.replace(/^\[(.*)\]$/, '$1'),
    port: Number(url.port) || (url.protocol === 'https:' ? 443 : 80),
  };
}

function attempt(address: string, from: string | undefined): Promise<string> {
  const [, host, port] = /^(?:\[?([^\]]+?)\]?):(\d+)$/.exec(address) ?? [];
  if (host === undefined || port === undefined) return Promise.resolve('unusable');
  return new Promise((resolve) => {
    const socket = connect({
      host,
      port: Number(port),
      ...(from === undefined ? {} : { localAddress: from }),
    });
    const end = (how: string): void => {
      socket.destroy();
      resolve(how);
    };
    socket.setTimeout(CONNECT_MS, () => end('no answer'));
    socket.once('connect', () => end('connected'));
    socket.once('error', (error: NodeJS.ErrnoException) =>
      end(
        ['EADDRNOTAVAIL', 'ENOTFOUND', 'EINVAL', 'EAI_AGAIN'].includes(error.code ?? '')
          ? 'unusable'
          : (error.code ?? 'error'),
      ),
    );
  });
}
