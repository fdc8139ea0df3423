import { type BigIntStats, lstatSync, type Stats, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { systemClock } from '../../../contracts/clock.ts';
import { createOracle } from '../../../gateway/integrity/oracle.ts';
import { type Account, attemptAs, shownUser } from '../accounts.ts';
import { unixListener } from '../processes.ts';
import { type Check, type CheckName, type Outcome, outcomes } from '../types.ts';

/** Owner, mode and reach of the checker's socket and of its folder. */
export const socket: Check = ({ gateway, checker, gatewaySide, checkerSide, root }) => {
  const { failed, skipped } = outcomes('socket');
  const path = checker?.settings.socket ?? gateway?.settings.integrity.socket;
  if (path === undefined) return [skipped('', 'no settings were given')];
  if (gateway !== undefined && checker !== undefined && gateway.settings.integrity.socket !== path) {
    return [
      failed(
        path,
        `the gateway looks for it at ${gateway.settings.integrity.socket}`,
        'chartgate check --gateway … --checker …',
      ),
    ];
  }
  return placed({
    check: 'socket',
    path,
    owner: 'checker',
    account: checkerSide.account,
    gateway: root ? gatewaySide.account : undefined,
  });
};

/** The same of the embedded issuer's socket. */
export const issuerSocket: Check = ({ issuer, gatewaySide, issuerSide, parts, root }) => {
  if (!parts.some(({ name }) => name === 'issuer')) return [];
  if (issuer === undefined) return [outcomes('issuer-socket').skipped('', 'without its settings')];
  return placed({
    check: 'issuer-socket',
    path: issuer.settings.socket,
    owner: 'issuer',
    account: issuerSide.account,
    gateway: root ? gatewaySide.account : undefined,
  });
};

interface Place {
  readonly check: CheckName;
  readonly path: string;
  /** Who listens. */
  readonly owner: 'checker' | 'issuer';
  readonly account: Account | undefined;
  /** To be tried as; nothing is tried when undefined. */
  readonly gateway: Account | undefined;
}

function placed({ check, path, owner, account: wanted, gateway }: Place): readonly Outcome[] {
  const { ok, failed } = outcomes(check);
  const unit = `chartgate-${owner}`;
  const found: Stats | BigIntStats | undefined = lstatSync(path, { throwIfNoEntry: false });
  if (found === undefined) return [failed(path, 'it is not there', `systemctl start ${unit}`)];
  if (!found.isSocket()) return [failed(path, 'it is no socket', `remove ${path} and restart the ${owner}`)];
  const faults: Outcome[] = [];
  const fault = (about: string, sentence: string, remedy: string) =>
    faults.push(failed(about, sentence, remedy));
  if (unixListener(path) === undefined) fault(path, 'nobody listens on it', `systemctl restart ${unit}`);
  if (wanted !== undefined && found.uid !== wanted.uid) {
    fault(
      path,
      `it belongs to ${shownUser(Number(found.uid))}, not to the ${owner}'s user`,
      `restart the ${owner}; nobody else may make it`,
    );
  }
  const mode = Number(found.mode) & 0o777;
  if ((mode & 0o007) !== 0)
    fault(
      path,
      `its mode ${mode.toString(8)} lets everybody connect`,
      `restart the ${owner}, which makes it 660`,
    );
  const folder = dirname(path);
  const above = statSync(folder);
  if ((above.mode & 0o022) !== 0) {
    fault(
      folder,
      `its mode ${(above.mode & 0o7777).toString(8)} lets others put a socket of their own there`,
      'systemd-tmpfiles --create chartgate.conf (mode 2750)',
    );
  }
  if (above.uid !== 0 && wanted !== undefined && above.uid !== wanted.uid) {
    fault(
      folder,
      `it belongs to ${shownUser(above.uid)}, who can replace the socket`,
      'systemd-tmpfiles --create chartgate.conf',
    );
  }
  if (gateway !== undefined && gateway.uid !== wanted?.uid) {
    const [connects, replaces] = attemptAs(gateway, [
      { kind: 'connect', path },
      { kind: 'change', path: folder },
    ]);
    if (connects?.worked === false) {
      fault(
        path,
        `the gateway's user cannot connect (${connects.code})`,
        "give the socket's folder the gateway's group and the set-group-id bit (deploy/systemd/tmpfiles.conf)",
      );
    }
    if (replaces?.worked === true)
      fault(folder, "the gateway's user can replace the socket", 'chmod 2750 the folder');
  }
  if (faults.length > 0) return faults;
  const tried = gateway === undefined ? '' : '; the gateway connects, and can put no other in its place';
  return [ok(path, `made by the ${owner}'s user, mode ${mode.toString(8)}${tried}`)];
}

/** Both prove that they know the secret, and a verdict comes for each database that a tenant names. */
export const verdict: Check = async ({ gateway }) => {
  const { ok, failed, skipped } = outcomes('verdict');
  if (gateway === undefined)
    return [skipped('', "it takes the gateway's settings, which hold the secret to ask with")];
  const { integrity, tenants } = gateway.settings;
  const databases = [...new Set(tenants.map(({ database }) => database))];
  const oracle = createOracle({ ...integrity, databases, clock: systemClock });
  try {
    // It begins to connect when it is made; until then every answer is "unverified".
    const until = systemClock.monotonic() + 2 * integrity.timeoutMs;
    const told: Outcome[] = [];
    for (const database of databases) {
      for (;;) {
        const found = await oracle.attest(database, { mode: 'strict' }, systemClock.monotonic());
        if (found.state === 'intact') {
          told.push(ok(database, 'both proved that they know the secret; the audit is intact'));
          break;
        }
        if (found.state === 'unverified' && systemClock.monotonic() < until) {
          await new Promise((resolve) => setTimeout(resolve, 50));
          continue;
        }
        told.push(
          failed(
            database,
            `${found.state}: ${found.findings.join(', ')}`,
            "the checker's log says what it is in sentences: journalctl -u chartgate-checker",
          ),
        );
        break;
      }
    }
    return told;
  } finally {
    await oracle.close();
  }
};
