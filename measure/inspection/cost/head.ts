import type { RequestFacts } from '../../../contracts/facts.ts';
import type { RouteMatch } from '../../../contracts/policy.ts';
import type { GatewaySettings } from '../../../contracts/settings.ts';
import { canonicalPath } from '../../../gateway/canonical/path.ts';
import { createInspectors } from '../../../gateway/process/inspectors.ts';
import { median } from '../../statistics.ts';

const BATCH = 20_000;
const BATCHES = 15;

/** Microseconds that all inspectors together take for the head of a read of one FHIR resource, in this process. */
export function headCost(): number {
  const settings = { policies: new Map(), tenants: [] } as unknown as GatewaySettings;
  const inspectors = createInspectors(settings);
  const facts = {
    method: 'GET',
    authority: 'north.localhost',
    path: canonicalPath('/fhir/Patient/17'),
    query: '',
    parameters: new Map(),
    headers: new Map([
      ['accept', 'application/fhir+json'],
      ['accept-encoding', 'gzip, deflate, br'],
      ['accept-language', 'en-GB,en;q=0.9'],
      [
        'user-agent',
        'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0 Safari/537.36',
      ],
      ['authorization', `Bearer e30.${'e30'.repeat(220)}.${'A'.repeat(86)}`],
    ]),
    body: { kind: 'none' },
  } as unknown as RequestFacts;
  const match = {
    route: {
      id: 'fhir-read',
      maxBodyBytes: 0,
      mediaTypes: new Set<string>(),
      fhir: { version: 'R4', interaction: 'read' },
    },
    index: 0,
    captures: ['Patient', '17'],
  } as unknown as RouteMatch;
  const micros: number[] = [];
  try {
    for (let batch = 0; batch < BATCHES; batch += 1) {
      const from = process.hrtime.bigint();
      for (let at = 0; at < BATCH; at += 1) {
        for (const inspector of inspectors) {
          if (inspector.head(facts, match) !== undefined) throw new Error('an honest read is refused');
        }
      }
      micros.push(Number(process.hrtime.bigint() - from) / BATCH / 1000);
    }
  } finally {
    for (const inspector of inspectors) inspector.close();
  }
  // The first ones are the compiler's.
  return median(micros.slice(5));
}
