import { statSync } from 'node:fs';
import { type FileAccess, faultsTogether, loadCheckerSettings, realFiles } from '../../config/index.ts';
import { ConfigurationError } from '../../contracts/errors.ts';
import type { CheckerSettings, GatewaySettings } from '../../contracts/settings.ts';
import { groupsOf, shownUser } from './accounts.ts';
import { holdersOf, type Process, processOf, tcpListeners, unixListener } from './processes.ts';
import type { Loaded, Options, Outcome, Side, Subject } from './types.ts';
import { outcomes } from './types.ts';

export interface Named {
  readonly gateway: string | undefined;
  readonly checker: string | undefined;
}

const NOBODY: Side = { account: undefined, known: '', processes: [] };
const { ok, failed, skipped } = outcomes('settings');

/** Reads both settings and finds out who the two processes are. @param loadGateway with the rules of policies */
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
  if (gateway !== undefined && checker !== undefined) {
    const faults = faultsTogether(gateway.settings, checker.settings);
    told.push(
      ...faults.map(({ path, message }) =>
        failed('both together', `${path}: ${message}`, 'chartgate check --gateway … --checker …'),
      ),
    );
  }
  const subject: Subject = {
    gateway,
    checker,
    gatewaySide:
      gateway === undefined ? NOBODY : sideOf(gatewayProcesses(gateway.settings), gateway.settings.file),
    checkerSide:
      checker === undefined ? NOBODY : sideOf(checkerProcesses(checker.settings), checker.settings.file),
    root: process.geteuid?.() === 0,
    options,
  };
  return { subject, outcomes: told };
}

function load<T>(
  which: 'gateway' | 'checker',
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

function checkerProcesses(settings: CheckerSettings): readonly Process[] {
  const inode = unixListener(settings.socket);
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
