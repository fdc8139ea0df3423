import { setTimeout as sleep } from 'node:timers/promises';
import { atMost, type Part, part, quantile, table } from '../integrity/parts.ts';
import { workFolder } from '../machine.ts';
import { onStop } from '../processes.ts';
import type { MeasureOptions } from '../report.ts';
import { FaultyEmr, type Mode } from './faults/back-end.ts';
import { Clients, type Seen } from './faults/client.ts';
import { startScene } from './faults/scene.ts';

const MODES: readonly (readonly [string, Mode])[] = [
  ['hangs', 'hangs'],
  ['resets', 'resets'],
  ['answers slowly', 'slow'],
  ['answers garbage', 'garbage'],
  ['closes after headers', 'closes-after-headers'],
  ['flaps', 'flaps'],
  ['refuses connections', 'refuses'],
  ['says it cannot serve', 'unwell'],
];
/** The ones that a short run is content with. */
const SHORT_MODES: ReadonlySet<Mode> = new Set<Mode>(['hangs', 'resets', 'closes-after-headers']);

/** Milliseconds of a good answer of these back ends. */
const ANSWER_MS = 4;

interface Plan {
  /** Requests a second at the tenant with the faulty back end, and at the other one. */
  readonly rate: number;
  readonly otherRate: number;
  readonly wellMs: number;
  readonly faultMs: number;
  /** A fault comes and goes so often. */
  readonly rounds: number;
}
const FULL: Plan = { rate: 120, otherRate: 80, wellMs: 4_000, faultMs: 8_000, rounds: 3 };
const SHORT: Plan = { rate: 80, otherRate: 40, wellMs: 700, faultMs: 1_000, rounds: 1 };

interface Row {
  readonly name: string;
  readonly requests: number;
  readonly readErrors: number;
  readonly writeErrors: number;
  readonly attempts: number;
  /** 99th percentile of the other tenant's reads, in ms: beside the fault, and before it. */
  readonly other: number;
  readonly otherWell: number;
}

/**
 * A tenant with one back end that fails in each of these ways beside two sound ones, and another tenant at the same
 * gateway: what its clients notice, how often back ends are asked, and what the other tenant's clients notice.
 */
export async function measureFaults(options: MeasureOptions): Promise<Part> {
  const plan = options.short ? SHORT : FULL;
  const faulty = new FaultyEmr(ANSWER_MS);
  const sound = [new FaultyEmr(ANSWER_MS), new FaultyEmr(ANSWER_MS)];
  const other = new FaultyEmr(ANSWER_MS);
  for (const emr of [faulty, ...sound, other]) onStop(() => emr.stop());
  const origins = await Promise.all([faulty, ...sound].map((emr) => emr.start()));
  const stack = await startScene({
    directory: workFolder('router-faults'),
    workers: 1,
    backendTimeout: '1s',
    onStep: options.progress,
    tenants: {
      north: {
        backends: origins.map((origin) => ({ origin })),
        balancing: { healthCheck: { path: '/health', interval: '500ms', timeout: '300ms' } },
      },
      south: { backends: [{ origin: await other.start() }] },
    },
  });
  onStop(() => stack.stop());
  const clients = async (tenant: 'north' | 'south', rate: number, writeEvery: number) => {
    const token = await stack.token({ tenant, scopes: ['system/Patient.cruds'] });
    const made = new Clients({
      origin: stack.tenants[tenant].origin,
      authority: stack.authority,
      token,
      rate,
      writeEvery,
    });
    onStop(async () => made.close());
    return made;
  };
  const north = await clients('north', plan.rate, 20);
  const south = await clients('south', plan.otherRate, 0);
  const attempts = () => [faulty, ...sound].reduce((sum, emr) => sum + emr.attempts, 0);

  /** Both tenants for so long; what was sent is answered before it returns. */
  async function phase(ms: number): Promise<{ own: Seen[]; others: Seen[]; attempts: number }> {
    const before = attempts();
    north.seen.length = 0;
    south.seen.length = 0;
    north.start();
    south.start();
    await sleep(ms);
    await Promise.all([north.stop(), south.stop()]);
    return { own: [...north.seen], others: [...south.seen], attempts: attempts() - before };
  }

  options.progress('warming up');
  await phase(options.short ? 500 : 4_000);
  const rows: Row[] = [];
  for (const [name, mode] of MODES) {
    if (options.short && !SHORT_MODES.has(mode)) continue;
    options.progress(name);
    const own: Seen[] = [];
    const beside: Seen[] = [];
    const before: Seen[] = [];
    let asked = 0;
    for (let round = 0; round < plan.rounds; round += 1) {
      before.push(...(await phase(plan.wellMs)).others);
      await faulty.become(mode);
      const found = await phase(plan.faultMs);
      own.push(...found.own);
      beside.push(...found.others);
      asked += found.attempts;
      await faulty.become('well');
    }
    rows.push(rowOf(name, own, asked, beside, before));
  }
  return present(rows, options.short);
}

function rowOf(
  name: string,
  own: readonly Seen[],
  attempts: number,
  beside: readonly Seen[],
  before: readonly Seen[],
): Row {
  const bad = own.filter(({ status }) => status < 200 || status > 299);
  return {
    name,
    requests: own.length,
    readErrors: bad.filter(({ write }) => !write).length,
    writeErrors: bad.filter(({ write }) => write).length,
    attempts,
    other: quantile(
      beside.map(({ ms }) => ms),
      0.99,
    ),
    otherWell: quantile(
      before.map(({ ms }) => ms),
      0.99,
    ),
  };
}

function present(rows: readonly Row[], short: boolean): Part {
  const total = (of: (row: Row) => number) => rows.reduce((sum, row) => sum + of(row), 0);
  const requests = total((row) => row.requests);
  const errors = total((row) => row.readErrors + row.writeErrors);
  const slower = quantile(
    rows.map((row) => row.other / row.otherWell),
    0.5,
  );
  const worst = Math.max(...rows.map((row) => row.attempts / row.requests));
  return part({
    tables: [
      table(
        'One back end of three that fails',
        [
          'it',
          'requests',
          'reads failed',
          'writes failed',
          'attempts',
          'per request',
          'other tenant p99',
          'without',
        ],
        rows.map((row) => [
          row.name,
          String(row.requests),
          String(row.readErrors),
          String(row.writeErrors),
          String(row.attempts),
          (row.attempts / row.requests).toFixed(3),
          `${row.other.toFixed(1)} ms`,
          `${row.otherWell.toFixed(1)} ms`,
        ]),
        1,
        ['Five in a hundred are writes, which are sent again only where it is certain that nobody got them.'],
      ),
    ],
    floors: short
      ? [
          // A thousand requests would be needed for one of them to be a tenth of a percent; ten attempts are always allowed.
          atMost(
            'reads that failed',
            total((row) => row.readErrors),
          ),
          atMost('attempts per request', total((row) => row.attempts) / requests, 1.1),
        ]
      : [
          atMost('requests that failed', (100 * errors) / requests, 0.1, '%'),
          atMost('attempts per request, worst fault', worst, 1.1),
          atMost("other tenant's p99, median of the faults", 100 * (slower - 1), 10, '% more'),
        ],
    figures: { faults: { rows: rows.map((row) => ({ ...row })), errors, requests, slower, worst } },
  });
}
