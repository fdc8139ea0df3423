import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import type { SecureVersion } from 'node:tls';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type BackEnd, patientRecord, startBackEnd } from '../../measure/hot-path/back-end.ts';
import { examine, makeCertificates, startLineup } from '../../measure/hot-path/starting.ts';
import type { RunningSubject, Subject } from '../../measure/hot-path/subject.ts';
import { SUBJECTS } from '../../measure/hot-path/subjects/index.ts';
import { stopEverything } from '../../measure/processes.ts';

const directory = join(import.meta.dirname, '..', '..', '.work', 'measure-test-subjects');
let backEnd: BackEnd;
let certificates: Awaited<ReturnType<typeof makeCertificates>>;
const closing: (() => void)[] = [];

beforeAll(async () => {
  rmSync(directory, { recursive: true, force: true });
  mkdirSync(directory, { recursive: true });
  // The one that is always there; nginx is used by the self-test of the whole measurement.
  backEnd = await startBackEnd(directory, undefined, 'node');
  certificates = await makeCertificates(directory);
});

afterAll(async () => {
  for (const close of closing) close();
  await stopEverything();
});

/** A server that claims to be a proxy. */
async function impostor(status: number, body: Buffer, maxVersion: SecureVersion): Promise<RunningSubject> {
  const server = createServer(
    {
      cert: readFileSync(certificates.certificateFile),
      key: readFileSync(certificates.keyFile),
      minVersion: 'TLSv1.2',
      maxVersion,
    },
    (_request, response) => response.writeHead(status).end(body),
  );
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closing.push(() => server.close());
  return {
    version: 'test',
    http1: `localhost:${(server.address() as AddressInfo).port}`,
    http2: undefined,
    authority: certificates.authority,
    token: async () => undefined,
    pids: () => [],
    verify: async () => [],
    stop: async () => {},
  };
}

test('the record is a Patient of about 1.4 KB', () => {
  expect(JSON.parse(patientRecord().toString())).toMatchObject({ resourceType: 'Patient' });
  expect(patientRecord().length).toBeGreaterThan(1300);
  expect(patientRecord().length).toBeLessThan(1500);
});

test.each<[number, boolean, SecureVersion, string[], string]>([
  [200, true, 'TLSv1.3', [], 'as it should be'],
  [503, true, 'TLSv1.3', ['HTTP/1.1: answered 503'], 'a refusal is quick to give'],
  [200, false, 'TLSv1.3', ["HTTP/1.1: the body is not the back end's"], 'so is an answer of its own'],
  [200, true, 'TLSv1.2', ['HTTP/1.1: negotiated TLSv1.2, not TLS 1.3'], 'another protocol costs otherwise'],
] as const)(
  'status %d, right body %s, %s is examined and found %j: %s',
  async (status, right, tls, faults) => {
    const body = right ? patientRecord() : Buffer.from('{}');
    expect(await examine(await impostor(status, body, tls), backEnd)).toEqual(faults);
  },
);

test('a subject that is not there is missing, one that breaks or fails its proof is a problem; the rest go on', async () => {
  const base = { title: 'T', compiled: false };
  const good = await impostor(200, patientRecord(), 'TLSv1.3');
  const subjects: Subject[] = [
    { ...base, name: 'absent', start: async () => ({ missing: 'not installed' }) },
    { ...base, name: 'broken', start: () => Promise.reject(new Error('port in use')) },
    { ...base, name: 'unproven', start: async () => ({ ...good, verify: async () => ['an attack passed'] }) },
    { ...base, name: 'good', start: async () => good },
  ];
  const lineup = await startLineup(subjects, directory, backEnd, undefined, () => {});
  expect([...lineup.missing]).toEqual([['absent', 'not installed']]);
  expect(lineup.problems).toEqual(['T: could not be started: port in use', 'T: an attack passed']);
  expect(lineup.candidates.map(({ subject }) => subject.name)).toEqual(['good']);
});

test('every installed proxy starts, speaks TLS 1.3 and passes the record on; ModSecurity refuses an attack', async () => {
  const peers = SUBJECTS.filter(({ name }) => name !== 'chartgate');
  const lineup = await startLineup(peers, directory, backEnd, undefined, () => {});
  expect(lineup.problems).toEqual([]);
  expect(lineup.candidates.length + lineup.missing.size).toBe(peers.length);
  const names = lineup.candidates.map(({ subject }) => subject.name);
  expect(names).toEqual(expect.arrayContaining(['undici', 'http-proxy', 'answering']));
});
