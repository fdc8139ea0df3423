import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { runToEnd } from '../processes.ts';

export interface Tools {
  readonly wrk: string;
  readonly wrkScript: string;
  /** Undefined where it is not installed: then nothing is said of HTTP/2. */
  readonly h2load: string | undefined;
}

export interface LoadTarget {
  readonly scheme: 'https' | 'http';
  /** `host:port`; the connections always go to 127.0.0.1, the name is only for SNI and `Host`. */
  readonly authority: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly core: number | undefined;
  readonly seconds: number;
}

export interface LoadResult {
  readonly requests: number;
  readonly seconds: number;
  readonly requestsPerSecond: number;
  /** Milliseconds; undefined where the generator does not tell. */
  readonly p50: number | undefined;
  readonly p99: number | undefined;
  readonly mean: number | undefined;
  readonly max: number | undefined;
  /** Answers other than 2xx, and connections that failed, were cut or timed out. */
  readonly failures: number;
  /** Bytes received, heads included. */
  readonly bytes: number;
}

/** Connections that wrk holds open, each with one request at a time. */
export const CONNECTIONS = 64;
/** HTTP/2: as many requests at a time, but on fewer connections, as clients do. */
export const HTTP2_CONNECTIONS = 8;
export const HTTP2_STREAMS = 8;

/**
 * wrk resolves the URL's host with the system's resolver, which need not know `*.localhost` (RFC 6761
 * §6.3 lets it); overriding `wrk.resolve` keeps the name in SNI and `Host` and connects to loopback.
 */
const WRK_SCRIPT = `wrk.resolve = function(host, service)
  wrk.addrs = wrk.lookup("127.0.0.1", service)
end
done = function(summary, latency, requests)
  local e = summary.errors
  io.write(string.format(
    'RESULT {"requests":%d,"micros":%d,"bytes":%d,"p50":%d,"p99":%d,"mean":%d,"max":%d,"failures":%d}\\n',
    summary.requests, summary.duration, summary.bytes, latency:percentile(50), latency:percentile(99),
    latency.mean, latency.max, e.connect + e.read + e.write + e.status + e.timeout))
end
`;

export async function writeWrkScript(directory: string): Promise<string> {
  const file = join(directory, 'wrk.lua');
  await writeFile(file, WRK_SCRIPT);
  return file;
}

/** What the script above printed. Throws when wrk said something else. */
export function parseWrk(output: string): LoadResult {
  const line = /^RESULT (\{.*\})$/m.exec(output)?.[1];
  if (line === undefined) throw new Error(`wrk printed no result:\n${output.slice(0, 2000)}`);
  const raw = JSON.parse(line) as Record<
    'requests' | 'micros' | 'bytes' | 'p50' | 'p99' | 'mean' | 'max' | 'failures',
    number
  >;
  return {
    requests: raw.requests,
    seconds: raw.micros / 1e6,
    requestsPerSecond: raw.requests / (raw.micros / 1e6),
    p50: raw.p50 / 1000,
    p99: raw.p99 / 1000,
    mean: raw.mean / 1000,
    max: raw.max / 1000,
    failures: raw.failures,
    bytes: raw.bytes,
  };
}

export async function runWrk(tools: Tools, target: LoadTarget): Promise<LoadResult> {
  const output = await runToEnd(
    tools.wrk,
    [
      '-t1',
      `-c${CONNECTIONS}`,
      `-d${target.seconds}s`,
      '-s',
      tools.wrkScript,
      ...headerArguments(target.headers),
      `${target.scheme}://${target.authority}${target.path}`,
    ],
    target.core,
    (target.seconds + 20) * 1000,
  );
  return parseWrk(output);
}

const UNITS: Readonly<Record<string, number>> = { us: 0.001, ms: 1, s: 1000 };

/** A duration as h2load prints it (`354us`, `1.58ms`, `2.01s`), in milliseconds. */
export function h2loadMilliseconds(text: string): number {
  const [, number, unit] = /^([\d.]+)(us|ms|s)$/.exec(text) ?? [];
  return Number(number) * (UNITS[unit ?? ''] ?? Number.NaN);
}

/** h2load's report of a run of `seconds` after its warm-up. Throws when the report is not as expected. */
export function parseH2load(output: string, seconds: number): LoadResult {
  const rate = /^finished in .*?, ([\d.]+) req\/s/m.exec(output)?.[1];
  const counts = /^requests: .*?, (\d+) done, (\d+) succeeded, (\d+) failed, (\d+) errored/m.exec(output);
  const statuses = /^status codes: (\d+) 2xx, (\d+) 3xx, (\d+) 4xx, (\d+) 5xx/m.exec(output);
  const times = /^time for request:\s+(\S+)\s+(\S+)\s+(\S+)/m.exec(output);
  const bytes = /\((\d+)\) total/.exec(output)?.[1];
  if (rate === undefined || counts === null || statuses === null || times === null) {
    throw new Error(`h2load's report is not as expected:\n${output.slice(0, 2000)}`);
  }
  const [, done = 0, , failed = 0, errored = 0] = counts.map(Number);
  const [, , redirected = 0, refused = 0, broken = 0] = statuses.map(Number);
  return {
    requests: done,
    seconds,
    requestsPerSecond: Number(rate),
    p50: undefined,
    p99: undefined,
    mean: h2loadMilliseconds(times[3] ?? ''),
    max: h2loadMilliseconds(times[2] ?? ''),
    // h2load calls a 3xx a success, and counts the same failure under several names.
    failures: redirected + Math.max(failed, errored, refused + broken),
    bytes: Number(bytes ?? 0),
  };
}

export async function runH2load(tools: Tools, target: LoadTarget): Promise<LoadResult> {
  if (tools.h2load === undefined) throw new Error('h2load is not installed');
  const output = await runToEnd(
    tools.h2load,
    [
      '-t1',
      `-c${HTTP2_CONNECTIONS}`,
      `-m${HTTP2_STREAMS}`,
      `-D${target.seconds}`,
      '--warm-up-time=1',
      `--connect-to=127.0.0.1:${new URL(`${target.scheme}://${target.authority}`).port}`,
      ...headerArguments(target.headers),
      `${target.scheme}://${target.authority}${target.path}`,
    ],
    target.core,
    (target.seconds + 20) * 1000,
  );
  return parseH2load(output, target.seconds);
}

function headerArguments(headers: Readonly<Record<string, string>>): string[] {
  return Object.entries(headers).flatMap(([name, value]) => ['-H', `${name}: ${value}`]);
}
