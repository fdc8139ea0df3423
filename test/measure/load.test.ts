import { expect, test } from 'vitest';
import { h2loadMilliseconds, parseH2load, parseWrk } from '../../measure/hot-path/load.ts';

const WRK = `Running 1s test @ https://localhost:9501/fhir/Patient/1
  1 threads and 64 connections
Requests/sec:  42351.68
RESULT {"requests":42400,"micros":1001141,"bytes":64660000,"p50":1086,"p99":12408,"mean":1830,"max":18416,"failures":3}
`;

const H2LOAD = `starting benchmark...
Main benchmark duration is over for thread #0. Stopping all clients.

finished in 4.00s, 15604.67 req/s, 21.62MB/s
requests: 46814 total, 46814 done, 46814 succeeded, 0 failed, 0 errored, 0 timeout
status codes: 46811 2xx, 0 3xx, 0 4xx, 0 5xx
traffic: 64.86MB (68011020) total, 411.58KB (421456) headers (space savings 93.75%), 62.50MB (65539600) data
                     min         max         mean         sd        +/- sd
time for request:     2.01ms     41.77ms      4.09ms      2.88ms    92.27%
time for connect:        0us         0us         0us         0us     0.00%
req/s           :    1943.10     1957.85     1950.58        5.04    75.00%
`;

test('what wrk says is read in requests per second and milliseconds', () => {
  const result = parseWrk(WRK);
  expect(result.requestsPerSecond).toBeCloseTo(42351.68, 1);
  expect(result).toMatchObject({ requests: 42400, p50: 1.086, p99: 12.408, failures: 3, bytes: 64660000 });
});

test('a wrk that could not connect is an error, not a zero', () => {
  expect(() => parseWrk('unable to connect to localhost:1 Connection refused')).toThrow('no result');
});

test('what h2load says is read likewise', () => {
  expect(parseH2load(H2LOAD, 3)).toEqual({
    requests: 46814,
    seconds: 3,
    requestsPerSecond: 15604.67,
    p50: undefined,
    p99: undefined,
    mean: 4.09,
    max: 41.77,
    failures: 0,
    bytes: 68011020,
  });
});

test.each([
  [' 0 failed, 0 errored', ' 7 failed, 7 errored', 7, 'failed requests, which are also counted as errored'],
  [' 0 3xx', ' 5 3xx', 5, 'a redirect is no record, though h2load calls it a success'],
  [' 0 4xx', ' 9 4xx', 9, 'refusals'],
  [' 0 5xx', ' 2 5xx', 2, 'failures of the server'],
])('h2load: %s → %s counts as %d failures: %s', (from, to, failures) => {
  expect(parseH2load(H2LOAD.replace(from, to), 3).failures).toBe(failures);
});

test('an h2load that could not connect is an error, not a zero', () => {
  expect(() => parseH2load('starting benchmark...\n', 1)).toThrow('not as expected');
});

test.each([
  ['354us', 0.354],
  ['1.58ms', 1.58],
  ['2.01s', 2010],
])('%s is %d ms', (text, expected) => {
  expect(h2loadMilliseconds(text)).toBeCloseTo(expected, 6);
});

test('a duration in another unit is not taken for milliseconds', () => {
  expect(h2loadMilliseconds('3m')).toBeNaN();
});
