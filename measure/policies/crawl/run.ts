import { fileURLToPath } from 'node:url';
import { atLeast, atMost, type Part, part, table } from '../../integrity/parts.ts';
import type { MeasureOptions } from '../../report.ts';
import { type CrawlClinic, openClinic } from './clinic.ts';
import { type CrawlTally, crawl, tally } from './crawler.ts';
import type { Records, Subject } from './records.ts';
import { type Attempt, attempts } from './requests.ts';
import { crawlPolicy } from './routes.ts';

const EXAMPLES = fileURLToPath(new URL('../../../../shared/data/fhir/r4-examples.ndjson', import.meta.url));

/** The policy of a clinic that has nothing but the pack. */
const PACK = { extends: [{ pack: 'fhir-r4', version: '4.0.1', base: '/fhir' }] };

const TENANTS: readonly Subject['tenant'][] = ['north', 'south'];

/** Requests, of all tokens together, that there must be for the finding to mean something. */
const ENOUGH = 5000;

/**
 * Each patient's app asks for everything it can think of of the other patient, of the other tenant, and follows every
 * link of every answer, through a real gateway to a server that believes everybody. Nothing of the others may arrive.
 * Afterwards somebody who may see everybody makes the same requests: all of it arrives, or the first finding would
 * mean nothing.
 */
export async function runCrawl(options: MeasureOptions): Promise<Part> {
  options.progress('crawl: two clinics with FHIR servers that believe everybody');
  // One tenant has a route for everything that a server can be asked, the other the pack as it is.
  const clinic = await openClinic(
    (types, tenant) => (tenant === 'north' ? crawlPolicy(true, types) : PACK),
    EXAMPLES,
    'measure-crawl',
  );
  try {
    return await crawlAll(clinic, options);
  } finally {
    await clinic.stop();
  }
}

async function crawlAll(clinic: CrawlClinic, { short, progress }: MeasureOptions): Promise<Part> {
  const { records } = clinic;
  const before = await contents(clinic);
  const crawled = new Map<Subject, CrawlTally>();
  // One of each tenant: one for each policy.
  const subjects = short
    ? TENANTS.flatMap((tenant) => records.subjects.find((each) => each.tenant === tenant) ?? [])
    : records.subjects;
  for (const subject of subjects) {
    progress(`crawl: as ${subject.patient} at ${subject.tenant}`);
    crawled.set(subject, await crawlAs(clinic, subject, short));
  }
  const changed = await changes(clinic, before, subjects);
  const contrast = await contrastOf(clinic, short, progress);
  const all = [...crawled.values()];
  const sum = (of: (each: CrawlTally) => number) => all.reduce((total, each) => total + of(each), 0);
  const requests = sum((each) => each.requests);
  const ownShare = Math.min(
    ...[...crawled].map(([subject, { own }]) => {
      const all = records.owned.get(subject) ?? [];
      return all.filter((key) => own.has(key)).length / Math.max(1, all.length);
    }),
  );
  return part({
    tables: [kindsTable(all, contrast)],
    floors: [
      atLeast('crawl: requests', requests, short ? 400 : ENOUGH),
      atMost(
        'crawl: bytes with anything of another patient or tenant',
        sum((each) => each.leakedBytes),
      ),
      atMost('crawl: resources of others that were changed', changed.length),
      atLeast("crawl: share of the patient's own resources received", round(ownShare), 0.5),
      atLeast(
        'crawl: answers with anything of another patient, for somebody who may',
        contrast.leaks.length,
        short ? 20 : 100,
      ),
    ],
    notes: [
      ...all
        .flatMap((each) => each.leaks.slice(0, 20))
        .map((leak) => `leak: ${leak.kind} ${leak.method} ${leak.path}`),
      ...changed.slice(0, 20).map((key) => `changed: ${key}`),
    ],
    figures: {
      crawl: {
        requests,
        leakedBytes: sum((each) => each.leakedBytes),
        changed: changed.length,
        ownShare: round(ownShare),
        statuses: Object.fromEntries(statusesOf(all)),
        contrast: {
          requests: contrast.requests,
          answersWithOthers: contrast.leaks.length,
          bytes: contrast.leakedBytes,
        },
      },
    },
  });
}

/** Everything of the others': the other patient here, both at the other tenant, and that tenant's own. */
function foreign(subject: Subject, records: Records): string[] {
  return [
    ...records.subjects.filter((each) => each !== subject).map((each) => each.marker),
    records.tenantMarkers[subject.tenant === 'north' ? 'south' : 'north'],
  ];
}

async function crawlAs(clinic: CrawlClinic, subject: Subject, short: boolean): Promise<CrawlTally> {
  const { records } = clinic;
  const counted = tally();
  const others = records.subjects.filter((each) => each !== subject);
  const neighbour = others.find((each) => each.tenant === subject.tenant) as Subject;
  const common = { forbidden: foreign(subject, records), own: subject.marker, concurrency: 24 };
  const token = await clinic.token(subject);
  const planned = short
    ? sampled(attempts(subject, neighbour, records), 16)
    : attempts(subject, neighbour, records);
  await crawl(
    planned,
    { ...common, site: clinic.site(subject.tenant), token, follow: short ? 60 : 2000 },
    counted,
  );
  // With the same token at the other tenant, and with one that the issuer gives for it.
  const elsewhere = subject.tenant === 'north' ? 'south' : 'north';
  const site = clinic.site(elsewhere);
  for (const other of others.filter((each) => each.tenant === elsewhere)) {
    const plan = [...sampled(attempts(subject, other, records), short ? 200 : 12)];
    await crawl(plan, { ...common, site, token, follow: 50 }, counted);
  }
  return counted;
}

/** The same requests by somebody who may see everybody, reading only: so much arrives without the protection. */
async function contrastOf(
  clinic: CrawlClinic,
  short: boolean,
  progress: (line: string) => void,
): Promise<CrawlTally> {
  progress('crawl: the same as somebody who may see everybody');
  const { records } = clinic;
  const [self, other] = records.subjects as readonly [Subject, Subject];
  const counted = tally();
  const reading = function* (): Generator<Attempt> {
    for (const attempt of sampled(attempts(self, other, records), short ? 24 : 4))
      if (!attempt.kind.includes('write')) yield attempt;
  };
  await crawl(
    reading(),
    {
      site: clinic.site(self.tenant),
      token: await clinic.staffToken(self.tenant),
      forbidden: [other.marker],
      own: self.marker,
      concurrency: 16,
      follow: 100,
    },
    counted,
  );
  return counted;
}

/** One in `every`, by no pattern that the order of the requests could have too, and always the same. */
function* sampled<T>(all: Iterable<T>, every: number): Generator<T> {
  let at = 0;
  for (const each of all) {
    at += 1;
    if (Math.imul(at, 0x9e3779b1) >>> 0 < 2 ** 32 / every) yield each;
  }
}

type Contents = ReadonlyMap<Subject, ReadonlyMap<string, string>>;

async function contents(clinic: CrawlClinic): Promise<Contents> {
  const all = new Map<Subject, Map<string, string>>();
  for (const [subject, keys] of clinic.records.owned) {
    const mine = new Map<string, string>();
    for (const key of keys) mine.set(key, await clinic.direct(subject.tenant, key));
    all.set(subject, mine);
  }
  return all;
}

/** What became different in the record of somebody else than those who crawled. */
async function changes(clinic: CrawlClinic, before: Contents, by: readonly Subject[]): Promise<string[]> {
  const changed: string[] = [];
  for (const [subject, keys] of before) {
    // Whoever crawled may have changed their own.
    if (by.length > 1 && !onlyNeighbours(subject, by)) continue;
    if (by.includes(subject) && by.length === 1) continue;
    for (const [key, text] of keys)
      if ((await clinic.direct(subject.tenant, key)) !== text) changed.push(`${subject.tenant} ${key}`);
  }
  return changed;
}

/** The attempts to write are made against the neighbour's keys alone, so that of those nothing may change. */
function onlyNeighbours(subject: Subject, by: readonly Subject[]): boolean {
  return by.some((each) => each !== subject && each.tenant === subject.tenant);
}

function kindsTable(all: readonly CrawlTally[], contrast: CrawlTally) {
  const kinds = [...new Set(all.flatMap((each) => [...each.kinds.keys()]))].sort();
  return table(
    'Crawling for the records of others',
    [
      'attempt',
      'requests',
      'answered 2xx',
      'with something of others',
      'contrast: requests',
      'contrast: with others',
    ],
    kinds.map((kind) => [
      kind,
      String(all.reduce((total, each) => total + (each.kinds.get(kind)?.requests ?? 0), 0)),
      String(all.reduce((total, each) => total + (each.kinds.get(kind)?.answered ?? 0), 0)),
      String(all.reduce((total, each) => total + each.leaks.filter((leak) => leak.kind === kind).length, 0)),
      String(contrast.kinds.get(kind)?.requests ?? 0),
      String(contrast.leaks.filter((leak) => leak.kind === kind).length),
    ]),
  );
}

function statusesOf(all: readonly CrawlTally[]): readonly (readonly [string, number])[] {
  const sums = new Map<number, number>();
  for (const { statuses } of all)
    for (const [status, count] of statuses) sums.set(status, (sums.get(status) ?? 0) + count);
  return [...sums].sort(([a], [b]) => a - b).map(([status, count]) => [String(status), count] as const);
}

function round(value: number): number {
  return Math.round(value * 1000) / 1000;
}
