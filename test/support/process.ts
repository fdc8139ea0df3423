import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

/** The processes that a process started and that still live. */
export function childrenOf(pid: number): number[] {
  try {
    const text = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8');
    return text.split(' ').flatMap((part) => (part.trim() === '' ? [] : [Number(part)]));
  } catch {
    return [];
  }
}

/** Whether a process lives; one that has ended but was not collected yet does not. */
export function alive(pid: number): boolean {
  try {
    return !/^State:\s+[ZX]/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}

/** Bytes of memory that a process holds; 0 when there is none. */
export function residentBytes(pid: number): number {
  try {
    return Number(/^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) * 1024;
  } catch {
    return 0;
  }
}

/** Waits until `condition` holds; rejects after `boundMs`. @returns milliseconds waited */
export async function until(
  what: string,
  condition: () => boolean | Promise<boolean>,
  boundMs: number,
): Promise<number> {
  const begun = performance.now();
  while (!(await condition())) {
    if (performance.now() - begun > boundMs) throw new Error(`${what}: not within ${boundMs} ms`);
    await sleep(20);
  }
  return performance.now() - begun;
}

/** Prints what a test measured when CHARTGATE_FIGURES is set: timings are for people to read, not for tests to judge. */
export function showFigures(suite: string, figures: Readonly<Record<string, unknown>>): void {
  if (process.env.CHARTGATE_FIGURES !== undefined) console.info(`${suite} ${JSON.stringify(figures)}`);
}
