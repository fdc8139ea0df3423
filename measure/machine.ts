import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { cpus, release, totalmem } from 'node:os';
import { join } from 'node:path';
import type { Json } from './report.ts';

const root = join(import.meta.dirname, '..');

/** Where every measurement leaves its figures. */
export const resultsFolder: string = join(root, '.work', 'measure');

/** A measurement's own work folder; git-ignored. */
export function workFolder(name: string): string {
  return join(root, '.work', `measure-${name}`);
}

/** Linux reports processor time in ticks of 1/100 s, whatever the kernel's own clock (proc(5)). */
const TICKS_PER_SECOND = 100;

/** The cores this process may use, from a list such as `0-2,5`. */
export function parseCores(list: string): number[] {
  return list
    .trim()
    .split(',')
    .flatMap((part) => {
      const [, first, last] = /^(\d+)(?:-(\d+))?$/.exec(part)?.map(Number) ?? [];
      if (first === undefined) return [];
      const end = last === undefined || Number.isNaN(last) ? first : last;
      return Array.from({ length: Math.max(0, end - first + 1) }, (_, index) => first + index);
    });
}

export interface Cores {
  /** For the proxy under test. */
  readonly proxy: number;
  /** For the load generator and the back end. */
  readonly load: number;
}

/**
 * Two cores to keep apart, and this process moved to the load's core, so that what it starts is there
 * unless told otherwise. Undefined where there is only one core or no `taskset`.
 */
export function separateCores(): (Cores & { restore(): void }) | undefined {
  const allowed = /^Cpus_allowed_list:\s*(.+)$/m.exec(readText('/proc/self/status'))?.[1] ?? '';
  const [proxy, load] = parseCores(allowed);
  if (proxy === undefined || load === undefined) return undefined;
  const move = (list: string): boolean =>
    spawnSync('taskset', ['-a', '-p', '-c', list, String(process.pid)]).status === 0;
  return move(String(load)) ? { proxy, load, restore: () => move(allowed) } : undefined;
}

/** Seconds of processor time that these processes have used so far, user and system. */
export function processorSeconds(pids: readonly number[]): number {
  let ticks = 0;
  for (const pid of pids) {
    // The command's name may hold spaces and brackets: count fields after its last closing one.
    const stat = readText(`/proc/${pid}/stat`);
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    ticks += Number(fields[11] ?? 0) + Number(fields[12] ?? 0);
  }
  return ticks / TICKS_PER_SECOND;
}

/** Seconds of processor time that this process's children had used when they ended. */
export function endedChildrenSeconds(): number {
  const stat = readText('/proc/self/stat');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[13] ?? 0) + Number(fields[14] ?? 0)) / TICKS_PER_SECOND;
}

/** Seconds a core has been busy so far, and the seconds the hypervisor kept from it. */
export function coreSeconds(core: number): { readonly busy: number; readonly stolen: number } {
  const line = new RegExp(`^cpu${core} (.+)$`, 'm').exec(readText('/proc/stat'))?.[1] ?? '';
  const [user = 0, nice = 0, system = 0, , , irq = 0, softirq = 0, steal = 0] = line.split(' ').map(Number);
  return {
    busy: (user + nice + system + irq + softirq) / TICKS_PER_SECOND,
    stolen: steal / TICKS_PER_SECOND,
  };
}

/** A process and everything it started, directly or not. */
export function family(pid: number): number[] {
  const children = new Map<number, number[]>();
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    const stat = readText(`/proc/${name}/stat`);
    const parent = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
    children.set(parent, [...(children.get(parent) ?? []), Number(name)]);
  }
  const found = [pid];
  for (const member of found) found.push(...(children.get(member) ?? []));
  return found;
}

/** Bytes of memory that these processes hold (VmRSS). */
export function residentBytes(pids: readonly number[]): number {
  return pids.reduce((sum, pid) => {
    const kilobytes = /^VmRSS:\s+(\d+) kB$/m.exec(readText(`/proc/${pid}/status`))?.[1];
    return sum + Number(kilobytes ?? 0) * 1024;
  }, 0);
}

/** What the figures were measured on. */
export function describeMachine(): { readonly [name: string]: Json } {
  return {
    processor: cpus()[0]?.model ?? 'unknown',
    cores: cpus().length,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    kernel: release(),
    node: process.version,
    openssl: process.versions.openssl,
  };
}

/** A process may end between being listed and being read: then there is nothing to read. */
function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
