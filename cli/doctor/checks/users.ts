import type { Account } from '../accounts.ts';
import type { Process } from '../processes.ts';
import { type Check, type Outcome, outcomes, type PartName } from '../types.ts';

/** CAP_NET_BIND_SERVICE (capabilities(7)), the one power that a gateway may hold. */
const LOW_PORTS = 1n << 10n;

const UNITS: Readonly<Record<PartName, string>> = {
  gateway: 'chartgate',
  checker: 'chartgate-checker',
  issuer: 'chartgate-issuer',
};

/** Each process is there. */
export const processesRun: Check = ({ parts, root }) => {
  const { ok, warn, skipped } = outcomes('processes-run');
  return parts.map(({ name, loaded, side }) => {
    if (loaded === undefined) return skipped(name, 'without its settings it cannot be looked for');
    if (side.processes.length > 0) {
      return ok(
        name,
        `${side.known}, ${side.processes.length === 1 ? 'one process' : `${side.processes.length} processes`}`,
      );
    }
    const blind = root ? '' : ', or it belongs to somebody else, which only root can see';
    return warn(
      name,
      `it does not run here${blind}; what follows about it is told from its files`,
      `systemctl start ${UNITS[name]}`,
    );
  });
};

/** A user each, none of them root, and no group in common. */
export const usersDiffer: Check = ({ parts }) => {
  const { ok, failed, skipped } = outcomes('users-differ');
  const known = parts.flatMap(({ name, side }) =>
    side.account === undefined ? [] : [{ name, account: side.account, known: side.known }],
  );
  if (known.length < 2) return [skipped('', 'it takes the settings of all processes')];
  const found: Outcome[] = known
    .filter(({ account }) => account.uid === 0)
    .map(({ name }) =>
      failed(name, 'it runs as root, which may do everything', 'give it a user of its own: deploy/systemd'),
    );
  for (const [at, one] of known.entries()) {
    for (const other of known.slice(at + 1)) found.push(...inCommon(one, other));
  }
  const missing = parts
    .filter(({ side }) => side.account === undefined)
    .map(({ name }) => skipped(name, 'without its settings it is compared with nobody'));
  const users = known.map(({ name, known: how }) => `${name}: ${how}`).join('; ');
  return [...(found.length > 0 ? found : [ok('', `${users}; no group in common`)]), ...missing];
};

interface Known {
  readonly name: PartName;
  readonly account: Account;
  readonly known: string;
}

function inCommon(one: Known, other: Known): readonly Outcome[] {
  const { failed } = outcomes('users-differ');
  const about = `${one.name} and ${other.name}`;
  const users = `${one.name}: ${one.known}; ${other.name}: ${other.known}`;
  if (one.account.uid === other.account.uid) {
    return [
      failed(
        about,
        `one OS user is both: whoever takes over the ${one.name} has the ${other.name} too (${users})`,
        'give each a user of its own: deploy/systemd',
      ),
    ];
  }
  const groups = new Set([one.account.gid, ...one.account.groups]);
  const shared = [other.account.gid, ...other.account.groups].filter((group) => groups.has(group));
  if (shared.length === 0) return [];
  return [
    failed(
      about,
      `both are in group ${shared.join(', ')}; what that group may do, both may`,
      'take both out of every common group; the socket needs none (docs/separation.md)',
    ),
  ];
}

/** Powers and sandbox of the running processes. */
export const processLimits: Check = ({ parts }) => {
  const { ok, skipped } = outcomes('process-limits');
  return parts.flatMap(({ name, side: { processes } }) => {
    if (processes.length === 0) return [skipped(name, 'it does not run here')];
    const found = together(
      name,
      processes.flatMap((process) => limitsOf(name, process)),
    );
    return found.length > 0
      ? found
      : [
          ok(
            name,
            'no powers beyond its task, confined by the runtime, filtered by the kernel, no core dumps',
          ),
        ];
  });
};

/** What is so of several processes is said once. */
function together(name: string, found: readonly Outcome[]): readonly Outcome[] {
  const bySentence = new Map<string, Outcome[]>();
  for (const each of found) bySentence.set(each.sentence, [...(bySentence.get(each.sentence) ?? []), each]);
  return [...bySentence.values()].flatMap(([first, ...others]) =>
    first === undefined
      ? []
      : [{ ...first, about: `${name}, ${[first, ...others].map(({ about }) => about).join(', ')}` }],
  );
}

function limitsOf(name: PartName, process: Process) {
  const { failed, warn } = outcomes('process-limits');
  const about = `process ${process.pid}`;
  const unit = 'start it by the unit in deploy/systemd';
  const found = [];
  const allowed = name === 'gateway' ? LOW_PORTS : 0n;
  if (process.account.uid !== 0 && (process.capabilities & ~allowed) !== 0n) {
    found.push(
      failed(about, `it holds capabilities beyond its task (0x${process.capabilities.toString(16)})`, unit),
    );
  }
  const has = (flag: string): boolean => process.command.includes(flag);
  if (!has('--permission')) {
    found.push(
      failed(
        about,
        "it does not run under the runtime's permission model",
        'start it by `chartgate start`, `chartgate checker` or `chartgate issuer`',
      ),
    );
  }
  if (process.command.some((flag) => /^--allow-fs-(read|write)=\/?\*$/.test(flag))) {
    found.push(
      failed(
        about,
        'the permission model was told to allow every file',
        'start it without flags of your own',
      ),
    );
  }
  // The supervisor alone may start something: its workers.
  const supervises = name === 'gateway' && process.command.includes('start');
  if (has('--allow-child-process') && !supervises) {
    found.push(failed(about, 'it may start programs', 'start it without flags of your own'));
  }
  if (!process.noNewPrivileges)
    found.push(
      warn(about, 'a set-user-id program could give it new privileges', `${unit} (NoNewPrivileges=)`),
    );
  if (process.seccomp === 0)
    found.push(warn(about, 'no system call is filtered', `${unit} (SystemCallFilter=)`));
  if (process.coreBytes > 0)
    found.push(warn(about, 'a core dump of it would hold secrets', `${unit} (LimitCORE=0)`));
  return found;
}
