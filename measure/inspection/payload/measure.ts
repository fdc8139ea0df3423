import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Json as Content, JsonObject } from '../../../contracts/content.ts';
import type { RequestFacts } from '../../../contracts/facts.ts';
import type { Route, RouteMatch } from '../../../contracts/policy.ts';
import type { GatewaySettings } from '../../../contracts/settings.ts';
import { createPayloadInspector } from '../../../inspection/index.ts';
import { atMost, part, table } from '../../integrity/parts.ts';
import type { MeasureOptions, MeasureResult } from '../../report.ts';
import { exampleResources } from '../clinical/resources.ts';
import { mutations } from './mutations.ts';

/** A folder with further R4 examples, one a file, as in the package `hl7.fhir.r4.examples`. */
const MORE = process.env.CHARTGATE_FHIR_EXAMPLES;

const inspector = createPayloadInspector({ policies: new Map() } as unknown as GatewaySettings);

const routeOf = (interaction: string): RouteMatch => ({
  route: { maxBodyBytes: 16_777_216, fhir: { version: 'R4', interaction } } as unknown as Route,
  index: 0,
  captures: [],
});
const CREATE = routeOf('create');
const UPDATE = routeOf('update');
const READ = routeOf('read');
const SEARCH = routeOf('search-type');

const factsOf = (path: string, query = ''): RequestFacts =>
  ({
    path: { text: path, segments: path.slice(1).split('/') },
    query,
    parameters: new Map([...new URLSearchParams(query)].map(([name, value]) => [name, [value]])),
    headers: new Map(),
    body: { kind: 'none' },
  }) as unknown as RequestFacts;

const contentOf = (value: Content) =>
  ({ kind: 'json', mediaType: 'application/fhir+json', bytes: Buffer.alloc(0), value }) as const;

function created(resource: JsonObject): string | undefined {
  const facts = factsOf(`/fhir/${String(resource.resourceType)}`);
  return inspector.content(facts, CREATE, contentOf(resource))?.rule;
}

function updated(resource: JsonObject): string | undefined {
  const facts = factsOf(`/fhir/${String(resource.resourceType)}/${String(resource.id)}`);
  return inspector.content(facts, UPDATE, contentOf(resource))?.rule;
}

/** What valid resources pass, what made invalid does not, and what it costs. */
export async function measurePayload(options: MeasureOptions): Promise<MeasureResult> {
  const examples = exampleResources() as unknown as readonly JsonObject[];
  const refused = examples
    .flatMap((each) => [created(each), updated(each)])
    .filter((rule) => rule !== undefined);

  const made = mutations(examples, options.short ? 2_000 : 20_000);
  const counts = new Map<string, { made: number; passed: number }>();
  for (const { kind, resource } of made) {
    const count = counts.get(kind) ?? { made: 0, passed: 0 };
    counts.set(kind, count);
    count.made += 1;
    if (created(resource) === undefined) count.passed += 1;
  }
  const passed = [...counts.values()].reduce((sum, count) => sum + count.passed, 0);

  options.progress('cost');
  const rounds = options.short ? 100 : 500;
  const typical = examples.filter((each) => {
    const { length } = JSON.stringify(each);
    return length > 1_700 && length < 2_400;
  });
  const write = microseconds(rounds, typical, (each) => void created(each));
  const read = factsOf('/fhir/Observation/f001');
  const reading = microseconds(rounds * 10, typical, () => void inspector.head(read, READ));
  const search = factsOf('/fhir/Observation', 'code=http://loinc.org|1234-5&date=ge2020-01-01&_count=20');
  const searching = microseconds(rounds * 10, typical, () => void inspector.head(search, SEARCH));

  const found = [inspector.head(read, READ), inspector.head(search, SEARCH)].filter(
    (each) => each !== undefined,
  );

  const more = MORE === undefined ? undefined : others(MORE);
  return part({
    tables: [
      table(
        'Resources made invalid',
        ['how', 'made', 'passed'],
        [...counts].map(([kind, count]) => [kind, String(count.made), String(count.passed)]),
      ),
      table(
        'Cost of judging payloads',
        ['what', 'µs'],
        [
          ['a read by id', reading.toFixed(2)],
          ['a search by three parameters', searching.toFixed(2)],
          [`a write of 1.7 to 2.4 KB (${typical.length} examples)`, write.toFixed(1)],
        ],
      ),
    ],
    floors: [
      atMost('valid resources refused, posted and put', refused.length),
      atMost('invalid resources passed', passed),
      atMost('plain requests refused', found.length),
      atMost('judging a read', reading, 5, 'µs'),
      atMost('judging a write of 2 KB', write, 60, 'µs'),
    ],
    notes:
      more === undefined
        ? []
        : [
            `Of ${more.count} further examples ${more.refused.length} were refused: ${more.refused.join(', ')}`,
          ],
    figures: {
      payloadExamples: examples.length,
      payloadRefused: refused.length,
      payloadMutations: made.length,
      payloadPassed: passed,
      payloadReadMicroseconds: reading,
      payloadSearchMicroseconds: searching,
      payloadWriteMicroseconds: write,
    },
  });
}

/** Of processor time, the best of three rounds, for one item: what others do on the machine counts less. */
function microseconds<T>(rounds: number, items: readonly T[], run: (item: T) => void): number {
  let best = Number.POSITIVE_INFINITY;
  for (let attempt = 0; attempt < 3; attempt += 1) {
    const from = process.cpuUsage();
    for (let round = 0; round < rounds; round += 1) for (const item of items) run(item);
    const { user, system } = process.cpuUsage(from);
    best = Math.min(best, (user + system) / (rounds * items.length));
  }
  return best;
}

function others(folder: string): { readonly count: number; readonly refused: readonly string[] } {
  const refused: string[] = [];
  let count = 0;
  for (const name of existsSync(folder) ? readdirSync(folder) : []) {
    if (!name.endsWith('.json')) continue;
    const resource = JSON.parse(readFileSync(join(folder, name), 'utf8')) as JsonObject;
    if (resource.resourceType === undefined) continue;
    count += 1;
    const rule = created(resource);
    if (rule !== undefined) refused.push(`${name} (${rule})`);
  }
  return { count, refused };
}
