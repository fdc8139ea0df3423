import { open, type Protocol, protocolsOf, requestOf, shuffled } from './choice.ts';
import type { FeaturesJob, FeaturesResult } from './messages.ts';

/** Records of TLS that are told apart; the rest is summed up. */
const RECORDS = 4;

const NAMES: readonly string[] = [
  'status',
  'header fields',
  'bytes of the head',
  'bytes of the body',
  'order of the fields',
  'protocol',
  'time to the first byte',
  'time to the last byte',
  'first to last byte',
  'time within a millisecond',
  'pieces',
  'connection closed',
  'answers before on the connection',
  'TLS records',
  ...Array.from({ length: RECORDS }, (_, i) => `TLS record ${i + 1}`),
  'bytes of TLS',
  'segments',
  'time since the answer before',
  'time of the request after',
];

/** Names of fields, as one number: any difference shows. */
function digest(head: string): number {
  let sum = 7;
  for (const line of head.split('\r\n')) {
    const name = line.split(':', 1)[0] ?? '';
    for (let i = 0; i < name.length; i += 1) sum = (sum * 31 + name.charCodeAt(i)) % 1_000_003;
  }
  return sum;
}

/**
 * Answers with everything that can be seen of them from outside. After each, the same connection asks for something
 * that is nobody's secret: how long that takes may depend on what was asked before.
 */
export async function runFeatures(job: FeaturesJob): Promise<FeaturesResult> {
  const rows: Float64Array[] = [];
  const cells: number[] = [];
  const protocols = protocolsOf(job.streams);
  const rounds = Math.ceil(job.samples / (protocols.length * job.cells.length));
  await Promise.all(protocols.map((protocol) => stream(job, protocol, rounds, rows, cells)));
  return { names: NAMES, rows, cells };
}

async function stream(
  job: FeaturesJob,
  protocol: Protocol,
  rounds: number,
  rows: Float64Array[],
  cells: number[],
): Promise<void> {
  const probe = { verb: 'GET', path: '/nothing', headers: {}, body: undefined };
  let client = await open(job.site, protocol, true);
  let before = 0;
  let endedAt = performance.now();
  for (let round = -1; round < rounds; round += 1) {
    for (const at of shuffled(job.cells.length)) {
      const cell = job.cells[at];
      if (cell === undefined) continue;
      client.tap?.noted();
      const answer = await client.ask(requestOf(cell));
      const { sizes, segments } = client.tap?.noted() ?? { sizes: [], segments: 0 };
      const after = answer.closed ? undefined : await client.ask(probe);
      const took = answer.lastAt - answer.sentAt;
      const row = Float64Array.from([
        answer.status,
        answer.head.split('\r\n').length,
        answer.head.length,
        answer.body.length,
        digest(answer.head),
        protocol === 'h1' ? 1 : 2,
        answer.firstAt - answer.sentAt,
        took,
        answer.lastAt - answer.firstAt,
        took % 1,
        answer.pieces,
        answer.closed ? 1 : 0,
        before,
        sizes.length,
        ...Array.from({ length: RECORDS }, (_, i) => sizes[i] ?? 0),
        sizes.reduce((sum, size) => sum + size, 0),
        segments,
        answer.sentAt - endedAt,
        after === undefined ? -1 : after.lastAt - after.sentAt,
      ]);
      endedAt = performance.now();
      before += 1;
      if (round >= 0) {
        rows.push(row);
        cells.push(at);
      }
      if (answer.closed) {
        client.close();
        client = await open(job.site, protocol, true);
        before = 0;
      }
    }
  }
  client.close();
}
