import { mkdir, rm } from 'node:fs/promises';
import { describeMachine, residentBytes, workFolder } from '../machine.ts';
import { stopEverything } from '../processes.ts';
import type { Floor, MeasureOptions, MeasureResult } from '../report.ts';
import { startMeasuredStack, TENANT, tenantAuthority } from '../stack.ts';
import { rounded } from '../statistics.ts';
import {
  type Destination,
  downloadHttp1,
  downloadHttp2,
  type Pace,
  type Transfer,
  uploadHttp1,
  uploadHttp2,
  warmUp,
} from './transfers.ts';

/** Bytes that go up; the EMR's download is as large. */
const BYTES = 50 * 1024 * 1024;
const MEGABYTE = 1e6;
/** Megabytes that the gateway may grow by. */
export const MEMORY_FLOOR = 20;
/** The demo's client and its scope for documents. */
const CLIENT = 'front-desk';
const SCOPE = 'emr/documents';
const SAMPLE_MS = 5;

type Direction = 'download' | 'upload';

interface Case {
  readonly title: string;
  readonly direction: Direction;
  run(to: Destination): Promise<Transfer>;
}

export interface Row {
  readonly title: string;
  readonly direction: Direction;
  readonly seconds: number;
  /** Megabytes over the baseline: at most while it went on, and when it had ended. */
  readonly peak: number;
  readonly after: number;
}

function cases(slow: Pace): readonly Case[] {
  return [
    { title: 'download, HTTP/1.1', direction: 'download', run: (to) => downloadHttp1(to, undefined) },
    { title: 'download, HTTP/1.1, slow reader', direction: 'download', run: (to) => downloadHttp1(to, slow) },
    { title: 'upload, HTTP/1.1', direction: 'upload', run: (to) => uploadHttp1(to, BYTES) },
    { title: 'download, HTTP/2', direction: 'download', run: (to) => downloadHttp2(to, undefined) },
    { title: 'download, HTTP/2, slow reader', direction: 'download', run: (to) => downloadHttp2(to, slow) },
    { title: 'upload, HTTP/2', direction: 'upload', run: (to) => uploadHttp2(to, BYTES) },
  ];
}

/**
 * How much memory the gateway's processes take while 50 MB pass through, above what they held after
 * many small requests. Nothing passes for "streamed" that a reader who stops could fill memory with.
 */
export async function measureMemory(options: MeasureOptions): Promise<MeasureResult> {
  const directory = workFolder('memory');
  await rm(directory, { recursive: true, force: true });
  await mkdir(directory, { recursive: true });
  try {
    const stack = await startMeasuredStack({ directory, onStep: options.progress });
    const authority = tenantAuthority(stack);
    const destination = async (): Promise<Destination> => ({
      authority,
      trust: stack.authority,
      token: await stack.token({ tenant: TENANT, client: CLIENT, scopes: [SCOPE] }),
    });
    options.progress('warming up with small requests');
    await warmUp(await destination(), options.short ? 150 : 500);
    const pids = stack.gatewayPids();
    const baseline = residentBytes(pids);
    if (baseline === 0) throw new Error('the gateway has no process to look at');
    const { rows, problems } = await watchTransfers({
      pids,
      baseline,
      destination,
      rounds: options.short ? 2 : 4,
      slow: { bytesPerSecond: (options.short ? 25 : 12) * MEGABYTE, stallMs: 1_000 },
      progress: options.progress,
    });
    return result(rows, problems, baseline / MEGABYTE);
  } finally {
    await stopEverything();
  }
}

export interface Watch {
  /** The processes that everything passes through. */
  readonly pids: readonly number[];
  /** Bytes that they held before. */
  readonly baseline: number;
  readonly destination: () => Promise<Destination>;
  readonly rounds: number;
  readonly slow: Pace;
  readonly progress: (line: string) => void;
}

/** Sends 50 MB through, every way there is, looking at the memory all the while. */
export async function watchTransfers(watch: Watch): Promise<{ rows: Row[]; problems: string[] }> {
  const rows: Row[] = [];
  const problems: string[] = [];
  const downloaded = new Set<string>();
  for (let round = 0; round < watch.rounds; round += 1) {
    for (const item of cases(watch.slow)) {
      const began = performance.now();
      const { transfer, peak } = await watched(watch.pids, item.run(await watch.destination()));
      problems.push(...faults(item, transfer));
      if (item.direction === 'download') downloaded.add(transfer.sha256);
      rows.push({
        title: item.title,
        direction: item.direction,
        seconds: (performance.now() - began) / 1000,
        peak: (peak - watch.baseline) / MEGABYTE,
        after: (residentBytes(watch.pids) - watch.baseline) / MEGABYTE,
      });
      watch.progress(`round ${round + 1}: ${item.title}`);
    }
  }
  if (downloaded.size > 1) problems.push('the same download came out with different content');
  return { rows, problems };
}

/** The most that the processes held at any moment until the transfer ended. */
async function watched(
  pids: readonly number[],
  transfer: Promise<Transfer>,
): Promise<{ transfer: Transfer; peak: number }> {
  let peak = residentBytes(pids);
  const look = (): void => {
    peak = Math.max(peak, residentBytes(pids));
  };
  const timer = setInterval(look, SAMPLE_MS);
  try {
    const ended = await transfer;
    look();
    return { transfer: ended, peak };
  } finally {
    clearInterval(timer);
  }
}

function faults({ title, direction }: Case, transfer: Transfer): string[] {
  const expected = direction === 'download' ? 200 : 201;
  if (transfer.status !== expected) return [`${title}: answered ${transfer.status}, not ${expected}`];
  if (transfer.bytes < 50 * MEGABYTE) return [`${title}: only ${transfer.bytes} bytes came`];
  if (direction === 'upload' && !transfer.answer.includes(transfer.sha256)) {
    return [`${title}: the EMR did not receive what was sent`];
  }
  return [];
}

function result(rows: readonly Row[], problems: readonly string[], baseline: number): MeasureResult {
  const worst = (direction: Direction): number | undefined => {
    const peaks = rows.filter((row) => row.direction === direction).map((row) => row.peak);
    return peaks.length === 0 ? undefined : Math.max(...peaks);
  };
  const floor = (direction: Direction): Floor => ({
    name: `Memory the gateway takes for a 50 MB ${direction}, at worst`,
    bound: 'at-most',
    limit: MEMORY_FLOOR,
    unit: ' MB',
    measured: worst(direction),
    optional: false,
  });
  return {
    tables: [
      {
        title: 'Memory of the gateway (resident, all its processes) while 50 MB stream through it',
        columns: [
          { title: 'transfer', align: 'left' },
          { title: 'seconds', align: 'right' },
          { title: 'peak, MB over baseline', align: 'right' },
          { title: 'afterwards', align: 'right' },
        ],
        rows: rows.map((row) => [
          row.title,
          row.seconds.toFixed(1),
          row.peak.toFixed(1),
          row.after.toFixed(1),
        ]),
        footnotes: [`Baseline, after small requests: ${baseline.toFixed(1)} MB`],
      },
    ],
    floors: [floor('download'), floor('upload')],
    problems,
    notes: [],
    figures: {
      machine: describeMachine(),
      baselineMegabytes: rounded(baseline, 1),
      transfers: rows.map((row) => ({
        ...row,
        seconds: rounded(row.seconds, 2),
        peak: rounded(row.peak, 2),
        after: rounded(row.after, 2),
      })),
    },
  };
}
