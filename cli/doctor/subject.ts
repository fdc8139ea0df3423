import { statSync } from 'node:fs';
import {
  type FileAccess,
  faultsTogether,
  faultsWithIssuer,
  loadCheckerSettings,
  loadIssuerSettings,
  realFiles,
} from '../../config/index.ts';
import { ConfigurationError, type Fault } from '../../contracts/errors.ts';
import type { IssuerProcessSettings } from '../../contracts/issuer-settings.ts';
import type { CheckerSettings, GatewaySettings } from '../../contracts/settings.ts';
import { groupsOf, shownUser } from './accounts.ts';
import { holdersOf, type Process, processOf, tcpListeners, unixListener } from './processes.ts';
import type { Loaded, Options, Outcome, PartName, Side, Subject } from './types.ts';
import { outcomes } from './types.ts';

export interface Named {
  readonly gateway: string | undefined;
  readonly checker: string | undefined;
  /** Where there is an embedded issuer. */
  readonly issuer?: string | undefined;
}

const NOBODY: Side = { account: undefined, known: '', processes: [] };
const { ok, failed, skipped } = outcomes('settings');

/** Reads the settings and finds out who the processes are. @param loadGateway with the rules of policies */
export function subjectOf(
  named: Named,
  options: Options,
  loadGateway: (file: string, files: FileAccess) => GatewaySettings,
): { readonly subject: Subject; readonly outcomes: readonly Outcome[] } {
  const told: Outcome[] = [];
  const gateway = load('gateway', named.gateway, loadGateway, told);
  const checker = load<CheckerSettings>(
    'checker',
    named.checker,
    (file, files) => loadCheckerSettings(file, { files }),
    told,
  );
  const issuer =
    named.issuer === undefined
      ? undefined
      : load<IssuerProcessSettings>(
          'issuer',
          named.issuer,
          (file, files) => loadIssuerSettings(file, { files }),
          told,
        );
  const together = (about: string, faults: readonly Fault[], remedy: string): void => {
    told.push(...faults.map(({ path, message }) => failed(about, `${path}: ${message}`, remedy)));
  };
  if (gateway !== undefined && checker !== undefined) {
    const faults = faultsTogether(gateway.settings, checker.settings);
    together('both together', faults, 'chartgate check --gateway … --checker …');
  }
  if (gateway !== undefined && issuer !== undefined) {
    const faults = faultsWithIssuer(gateway.settings, issuer.settings);
    together('gateway and issuer together', faults, 'chartgate check --gateway … --issuer …');
  }
  const embedded = gateway?.settings.issuers.some((each) => each.embedded !== undefined) === true;
  if (embedded && named.issuer === undefined) {
    told.push(skipped('issuer', 'the gateway has an embedded issuer, and no --issuer was given'));
  }
  const gatewaySide =
    gateway === undefined ? NOBODY : sideOf(gatewayProcesses(gateway.settings), gateway.settings.file);
  const checkerSide =
    checker === undefined ? NOBODY : sideOf(listenersAt(checker.settings.socket), checker.settings.file);
  const issuerSide =
    issuer === undefined ? NOBODY : sideOf(listenersAt(issuer.settings.socket), issuer.settings.file);
  const subject: Subject = {
    gateway,
    checker,
    issuer,
    gatewaySide,
    checkerSide,
    issuerSide,
    parts: [
      { name: 'gateway', loaded: gateway, side: gatewaySide },
      { name: 'checker', loaded: checker, side: checkerSide },
      ...(named.issuer === undefined ? [] : [{ name: 'issuer', loaded: issuer, side: issuerSide } as const]),
    ],
    root: process.geteuid?.() === 0,
    options,
  };
  return { subject, outcomes: told };
}

function load<T>(
  which: PartName,
  file: string | undefined,
  read: (file: string, files: FileAccess) => T,
  told: Outcome[],
): Loaded<T> | undefined {
  if (file === undefined) {
    told.push(skipped(which, `no --${which} was given`));
    return undefined;
  }
  const files: string[] = [];
  const recording: FileAccess = {
    list: (folder) => realFiles.list(folder),
    read(path, limit) {
      files.push(path);
      return realFiles.read(path, limit);
    },
  };
  try {
    const settings = read(file, recording);
    told.push(ok(which, `${file} is sound`));
    return { settings, files: [...new Set(files)] };
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error;
    const [fault] = error.faults;
    const more = error.faults.length > 1 ? `, and ${error.faults.length - 1} more faults` : '';
    const where = fault === undefined ? '' : `${fault.path === '' ? '' : `${fault.path}: `}${fault.message}`;
    told.push(failed(which, `${file}: ${where}${more}`, `chartgate check --${which} ${file}`));
    return undefined;
  }
}

/** Workers by the port they listen on, and the supervisor that is their parent. */
function gatewayProcesses(settings: GatewaySettings): readonly Process[] {
  const inodes = new Set(tcpListeners(settings.listen.port).map(({ inode }) => inode));
  const workers = holdersOf(inodes);
  const parents = [...new Set(workers.map(({ parent }) => parent))].filter((pid) => pid > 1);
  const supervisors = parents.flatMap((pid) => processOf(pid) ?? []);
  return [...supervisors.filter(({ command }) => command.includes('start')), ...workers];
}

/** The checker or the issuer, each by its own socket. */
function listenersAt(socket: string): readonly Process[] {
  const inode = unixListener(socket);
  return inode === undefined ? [] : holdersOf(new Set([inode]));
}

/** A running process is what counts; without one, the owner of its settings. */
function sideOf(processes: readonly Process[], file: string): Side {
  const [first] = processes;
  if (first !== undefined) {
    return {
      account: first.account,
      known: `process ${first.pid} runs as ${shownUser(first.account.uid)}`,
      processes,
    };
  }
  const { uid, gid } = statSync(file);
  return {
    account: { uid, gid, groups: groupsOf(uid, gid) },
    known: `its settings belong to ${shownUser(uid)}`,
    processes,
  };
}
