import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { atMost, type Part, part, table } from '../../integrity/parts.ts';
import type { MeasureOptions } from '../../report.ts';
import { rounded } from '../../statistics.ts';
import { OWN, RULES } from './documents.ts';

const CHILD = join(import.meta.dirname, 'child.ts');
const MOST_MS = 3_000;
const MOST_BYTES = 400 * 1024 ** 2;
const MOST_MICROSECONDS = 10;

interface Figures {
  readonly tenants: number;
  readonly compileMs: number;
  /** Of all threads, the collector's too. */
  readonly compileCpuMs: number;
  readonly rssBytes: number;
  readonly heapBytes: number;
  readonly peakBytes: number;
  readonly permits: number;
  readonly p50: number | null;
  readonly p99: number | null;
  readonly p999: number | null;
}

const VARIANTS = [
  { name: 'same', title: 'the same 200 rules, each in a document of its own' },
  { name: 'packed', title: `a pack of ${RULES - OWN} rules, and ${OWN} that no other tenant has` },
  { name: 'own', title: '200 rules that no other tenant has' },
] as const;

/** What compiling and deciding cost with ten thousand tenants of two hundred rules. */
export async function runCost(options: MeasureOptions): Promise<Part> {
  const decisions = options.short ? 400_000 : 1_000_000;
  const found: { title: string; name: string; figures: Figures }[] = [];
  for (const { name, title } of VARIANTS) {
    // Nothing of these is shared; ten thousand would take minutes and gigabytes.
    const tenants = name === 'own' ? (options.short ? 50 : 200) : 10_000;
    options.progress(`cost: ${tenants} tenants, ${title}`);
    found.push({ name, title, figures: await measure(name, tenants, decisions) });
  }
  const mb = (bytes: number) => rounded(bytes / 1024 ** 2, 0);
  const by = (name: string) => found.find((each) => each.name === name)?.figures;
  const [same, packed] = [by('same'), by('packed')];
  return part({
    tables: [
      table(
        'Compiling policies of 200 rules, and deciding (microseconds)',
        [
          'tenants have',
          'tenants',
          'compiled in ms',
          'CPU ms',
          'memory MB',
          'peak MB',
          'median',
          '99 %',
          '99.9 %',
        ],
        found.map(({ title, figures }) => [
          title,
          String(figures.tenants),
          String(rounded(figures.compileMs, 0)),
          String(rounded(figures.compileCpuMs, 0)),
          String(mb(figures.rssBytes)),
          String(mb(figures.peakBytes)),
          ...[figures.p50, figures.p99, figures.p999].map((value) => String(rounded(value ?? Number.NaN, 2))),
        ]),
        1,
        ['Memory: resident, of these policies; peak: of the whole process, documents included.'],
      ),
    ],
    floors: [
      atMost('cost: compiling 10,000 tenants that share their rules', same?.compileMs, MOST_MS, ' ms'),
      atMost('cost: their memory', same && mb(same.rssBytes), mb(MOST_BYTES), ' MB'),
      atMost(
        'cost: compiling 10,000 tenants with a pack and rules of their own',
        packed?.compileMs,
        MOST_MS,
        ' ms',
      ),
      atMost('cost: their memory', packed && mb(packed.rssBytes), mb(MOST_BYTES), ' MB'),
      atMost('cost: a decision, 99th percentile', packed?.p99 ?? undefined, MOST_MICROSECONDS, ' us'),
    ],
    notes: [
      ...found
        .filter(({ figures }) => figures.compileMs > 1.5 * figures.compileCpuMs)
        .map(
          ({ title, figures }) =>
            `The machine was busy: compiling "${title}" took ${rounded(figures.compileMs / figures.compileCpuMs, 1)} times its CPU time.`,
        ),
      'Where nothing is shared, time and memory grow with every rule: the last row is for a few tenants, not 10,000.',
    ],
    problems: found
      .filter(({ figures }) => figures.permits === 0)
      .map(({ title }) => `${title}: nothing was permitted`),
    figures: { cost: Object.fromEntries(found.map(({ name, figures }) => [name, { ...figures }])) },
  });
}

async function measure(variant: string, tenants: number, decisions: number): Promise<Figures> {
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ['--expose-gc', CHILD, variant, String(tenants), String(decisions)],
    { maxBuffer: 1024 ** 2 },
  );
  return JSON.parse(stdout) as Figures;
}
