import { Agent, request } from 'node:https';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Stack } from '../../examples/demo/stack.ts';
import { atLeast, atMost, type Part, part, quantile, table } from '../integrity/parts.ts';
import { workFolder } from '../machine.ts';
import { onStop } from '../processes.ts';
import type { MeasureOptions } from '../report.ts';
import { LaggingEmrs } from './faults/lagging.ts';
import { startScene } from './faults/scene.ts';

/** What replicas may lag behind, as configured; they lag up to nine tenths of it. */
const DELAY_MS = 500;
const WORKERS = 2;
const PEOPLE = 8;
/** Reads after each write, over as many connections. */
const READS = 6;

interface Found {
  writes: number;
  reads: number;
  stale: number;
  failed: number;
  /** Milliseconds of each write. */
  readonly ms: number[];
}

/**
 * People who write and at once read what they wrote, at whichever of two workers their connection is, with two replicas
 * that follow late: an old value is seen by its number. Others only read, so that the replicas have something to do.
 */
export async function measureReplica(options: MeasureOptions): Promise<Part> {
  const emrs = new LaggingEmrs(() => DELAY_MS * (0.5 + 0.4 * Math.random()));
  onStop(() => emrs.stop());
  const names = Array.from({ length: PEOPLE }, (_, n) => `person-${n}`);
  const stack = await startScene({
    directory: workFolder('router-replica'),
    workers: WORKERS,
    backendTimeout: '5s',
    onStep: options.progress,
    clients: [...names, 'reader'],
    tenants: {
      north: {
        backends: [
          { origin: await emrs.start('primary'), role: 'primary' },
          { origin: await emrs.start('replica'), role: 'replica' },
          { origin: await emrs.start('replica'), role: 'replica' },
        ],
        balancing: { replicationDelay: `${DELAY_MS}ms` },
      },
    },
  });
  onStop(() => stack.stop());
  const people = await Promise.all(names.map((name, n) => person(stack, name, n + 1)));
  const reader = await person(stack, 'reader', 1);
  for (const each of [...people, reader]) onStop(async () => each.close());
  // Workers that have just begun read nothing from replicas.
  await sleep(1_100);
  const found: Found = { writes: 0, reads: 0, stale: 0, failed: 0, ms: [] };
  const until = performance.now() + (options.short ? 4_000 : 60_000);
  options.progress(`${PEOPLE} people write and read`);
  const before = { ...emrs.reads };
  const readersReads = (async () => {
    let reads = 0;
    while (performance.now() < until) {
      await reader.read();
      reads += 1;
    }
    return reads;
  })();
  await Promise.all(people.map((each) => writeAndRead(each, until, found)));
  const others = await readersReads;
  const fromReplicas = emrs.reads.replica - before.replica;
  return part({
    tables: [
      table(
        'Reads after writes, with two replicas that lag',
        [
          'writes',
          'reads of writers',
          'stale',
          'failed',
          'reads of others',
          'answered by replicas',
          'write p50',
          'p99',
        ],
        [
          [
            String(found.writes),
            String(found.reads),
            String(found.stale),
            String(found.failed),
            String(others),
            String(fromReplicas),
            `${quantile(found.ms, 0.5).toFixed(1)} ms`,
            `${quantile(found.ms, 0.99).toFixed(1)} ms`,
          ],
        ],
        0,
      ),
    ],
    floors: [
      atMost('stale reads after a write', found.stale),
      atMost('writes that reached a replica', emrs.writesAtReplicas),
      atLeast('reads at replicas for each read of others', fromReplicas / others, 0.9),
    ],
    problems: found.failed > 0 ? [`${found.failed} requests failed`] : [],
    figures: {
      replica: {
        writes: found.writes,
        reads: found.reads,
        stale: found.stale,
        failed: found.failed,
        others,
        fromReplicas,
        delayMs: DELAY_MS,
      },
    },
  });
}

async function writeAndRead(who: Person, until: number, found: Found): Promise<void> {
  for (let value = 1; performance.now() < until; value += 1) {
    const begun = performance.now();
    const wrote = await who.write(value);
    found.ms.push(performance.now() - begun);
    found.writes += 1;
    if (wrote !== 200) found.failed += 1;
    // Until well after the delay: at once, and now and then.
    for (const wait of [0, DELAY_MS / 4, DELAY_MS / 2, DELAY_MS]) {
      await sleep(wait === 0 ? 0 : wait / 2);
      const seen = await Promise.all(Array.from({ length: READS }, () => who.read()));
      found.reads += seen.length;
      found.failed += seen.filter((each) => each === undefined).length;
      found.stale += seen.filter((each) => each !== undefined && each < value).length;
    }
  }
}

interface Person {
  /** @returns the status */
  write(value: number): Promise<number>;
  /** @returns the value that was read; undefined: none */
  read(): Promise<number | undefined>;
  close(): void;
}

/** With connections of their own, a few of which are at either worker. */
async function person(stack: Stack, client: string, id: number): Promise<Person> {
  const token = await stack.token({ tenant: 'north', client, scopes: ['system/Patient.cruds'] });
  const url = new URL(`${stack.tenants.north.origin}/fhir/Patient/${id}`);
  const agent = new Agent({
    keepAlive: true,
    maxSockets: READS,
    ca: stack.authority,
    servername: url.hostname,
  });
  const ask = (body?: string): Promise<{ status: number; text: string }> =>
    new Promise((resolve) => {
      const outgoing = request(
        {
          host: '127.0.0.1',
          port: url.port,
          agent,
          path: url.pathname,
          method: body === undefined ? 'GET' : 'PUT',
          headers: {
            host: url.host,
            authorization: `Bearer ${token}`,
            ...(body === undefined
              ? {}
              : { 'content-type': 'application/fhir+json', 'content-length': String(body.length) }),
          },
        },
        (incoming) => {
          let text = '';
          incoming.setEncoding('utf8');
          incoming.on('data', (chunk: string) => (text += chunk));
          incoming.once('end', () => resolve({ status: incoming.statusCode ?? 0, text }));
          incoming.once('error', () => resolve({ status: 0, text: '' }));
        },
      );
      outgoing.once('error', () => resolve({ status: 0, text: '' }));
      outgoing.end(body);
    });
  return {
    async write(value) {
      const body = JSON.stringify({ resourceType: 'Patient', id: String(id), multipleBirthInteger: value });
      return (await ask(body)).status;
    },
    async read() {
      const { status, text } = await ask();
      return status === 200
        ? (JSON.parse(text) as { multipleBirthInteger: number }).multipleBirthInteger
        : undefined;
    },
    close: () => agent.destroy(),
  };
}
