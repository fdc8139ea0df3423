import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { findProgram } from '../../../examples/support/private-mariadb.ts';
import { parseWrk } from '../../hot-path/load.ts';
import { runToEnd } from '../../processes.ts';
import type { Bench, Kind } from '../bench.ts';

/** What a load generator of its own saw of requests that arrive at random instants. */
export interface Seen {
  readonly perSecond: number;
  /** Milliseconds. */
  readonly p50: number;
  readonly p99: number;
  readonly failures: number;
}

/** As a clinic's browsers and portals would be: many connections, each asking now and then. */
const CONNECTIONS = 256;

/**
 * The pause of each connection is random, exponentially distributed: together the requests arrive at random
 * instants (a Poisson process), neither in bursts nor in step. What a slow answer takes is taken off the rate,
 * which is therefore reported too.
 */
const SCRIPT = `wrk.resolve = function(host, service)
  wrk.addrs = wrk.lookup("127.0.0.1", service)
end
function init(args)
  mean = tonumber(args[1])
  math.randomseed(os.time())
end
function delay()
  return math.floor(-mean * math.log(1 - math.random()) + 0.5)
end
done = function(summary, latency, requests)
  local e = summary.errors
  io.write(string.format(
    'RESULT {"requests":%d,"micros":%d,"bytes":%d,"p50":%d,"p99":%d,"mean":%d,"max":%d,"failures":%d}\\n',
    summary.requests, summary.duration, summary.bytes, latency:percentile(50), latency:percentile(99),
    latency.mean, latency.max, e.connect + e.read + e.write + e.status + e.timeout))
end
`;

/** wrk is a program of its own, so that what it and the measurement do to each other is little. */
export const findWrk = (): string | undefined => findProgram('wrk');

/**
 * @param perSecond aimed at; up to a twentieth more is sent, for the time that answers take
 * @param seconds whole
 */
export async function load(bench: Bench, kind: Kind, perSecond: number, seconds: number): Promise<Seen> {
  const wrk = findWrk();
  if (wrk === undefined)
    throw new Error('the load generator wrk is not installed (Debian: apt-get install wrk)');
  const script = join(bench.stack.directory, 'arrivals.lua');
  await writeFile(script, SCRIPT);
  const pauseMs = (CONNECTIONS / (perSecond * 1.05)) * 1_000;
  const output = await runToEnd(
    wrk,
    [
      '-t1',
      `-c${CONNECTIONS}`,
      `-d${seconds}s`,
      '-s',
      script,
      '-H',
      `authorization: Bearer ${await bench.token()}`,
      `${bench.tenant.origin}/${kind}/1`,
      '--',
      pauseMs.toFixed(3),
    ],
    undefined,
    (seconds + 20) * 1_000,
  );
  const result = parseWrk(output);
  return {
    perSecond: result.requestsPerSecond,
    p50: result.p50 ?? Number.NaN,
    p99: result.p99 ?? Number.NaN,
    failures: result.failures,
  };
}
