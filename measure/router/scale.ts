import { execFile } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { give } from '../../examples/demo/isolation.ts';
import { writeSecret } from '../../examples/demo/layout.ts';
import type { Stack } from '../../examples/demo/stack.ts';
import { atMost, type Part, part, quantile, table } from '../integrity/parts.ts';
import { workFolder } from '../machine.ts';
import { onStop } from '../processes.ts';
import type { MeasureOptions } from '../report.ts';
import { type Added, addTenants, removeTenants, type Seen, steadyLoad } from './scale/adding.ts';
import { writeTenants } from './scale/tenants.ts';

const TENANTS = 10_000;
/** Of the short form, which is no proof of what is promised for ten thousand. */
const SHORT_TENANTS = 400;
const TABLE = join(import.meta.dirname, 'scale', 'table.ts');
const run = promisify(execFile);

interface TableFigures {
  readonly bytesEach: number;
  readonly takenMs: number;
  readonly chooseNs: { readonly median: number; readonly p99: number; readonly p999: number };
  readonly clockNs: { readonly median: number; readonly p99: number };
  readonly served: number;
}

/** Ten thousand tenants: choosing one, keeping an idle one, adding one while others are served. */
export async function measureScale(options: MeasureOptions): Promise<Part> {
  const tenants = options.short ? SHORT_TENANTS : TENANTS;
  const adds = options.short ? 5 : 40;
  options.progress(`a gateway with ${tenants} tenants`);
  const startedAt = performance.now();
  const { stack, folder, common } = await start(tenants);
  const startMs = Math.round(performance.now() - startedAt);

  options.progress('choosing, and memory');
  const { stdout } = await run(
    process.execPath,
    [
      '--expose-gc',
      TABLE,
      join(stack.layout.gateway, 'gateway.yaml'),
      String(common.port),
      String(tenants),
      options.short ? '100000' : '1000000',
    ],
    { maxBuffer: 1_000_000 },
  );
  const figures = JSON.parse(stdout.trim().split('\n').at(-1) ?? '{}') as TableFigures;

  options.progress(`adding ${adds}, one after the other, while others are served`);
  const load = await steadyLoad(stack, 2, 10);
  const around = { folder, first: tenants, count: adds, common };
  await addTenants(stack, { ...around, first: tenants + adds, count: 3 });
  const added = await addTenants(stack, around);
  options.progress('removing them');
  await removeTenants(stack, folder, tenants, adds);
  const seen = await load.stop();
  return report({ tenants, startMs, figures, added, seen });
}

async function start(tenants: number) {
  let folder = '';
  let common = { port: 0, backend: '' };
  const abundant = () => ({ requests: 100_000_000, window: '60s' });
  const { startStack } = await import('../../examples/demo/stack.ts');
  const stack: Stack = await startStack({
    directory: workFolder('router-scale'),
    workers: 2,
    gatewayReadyMs: 300_000,
    limits: { perPeer: abundant(), perPrincipal: abundant() },
    prepare: async ({ layout, isolation, authority, gatewayPort, tenants: clinics }) => {
      // For their names too, so that nothing is warned of ten thousand times.
      const certificate = await authority.issue({
        commonName: 'localhost',
        hosts: ['localhost', 'north.localhost', 'south.localhost', '*.clinics.localhost', '127.0.0.1'],
        days: 90,
      });
      writeFileSync(join(layout.gateway, 'certificate.pem'), certificate.certificatePem);
      writeSecret(join(layout.gateway, 'certificate.key'), certificate.keyPem, isolation.gateway);
      folder = join(layout.gateway, 'tenants.d');
      common = { port: gatewayPort, backend: clinics.north.emr.origin };
      mkdirSync(folder, { mode: 0o750 });
      give(folder, isolation.gateway);
      writeTenants(folder, tenants, common, (file) => give(file, isolation.gateway));
      return { adjust: (usual) => ({ ...usual, tenantsFolder: 'tenants.d' }) };
    },
  });
  onStop(() => stack.stop());
  return { stack, folder, common };
}

interface Found {
  readonly tenants: number;
  readonly startMs: number;
  readonly figures: TableFigures;
  readonly added: readonly Added[];
  readonly seen: readonly Seen[];
}

function report({ tenants, startMs, figures, added, seen }: Found): Part {
  const times = added.map(({ milliseconds }) => milliseconds);
  const notServed = added.filter(({ status }) => status !== 401).length;
  const lost = seen.filter(({ status }) => status !== 200).length;
  const requests = seen.map(({ milliseconds }) => milliseconds);
  const ms = (value: number) => value.toFixed(1);
  const { chooseNs, clockNs, bytesEach } = figures;
  return part({
    tables: [
      table(
        `A gateway with ${tenants} tenants in files of their own`,
        ['what', 'median', '90 %', '99 %', 'most', 'unit'],
        [
          ['choosing tenant and back end', String(chooseNs.median), '', String(chooseNs.p99), '', 'ns'],
          ['  of it the clock', String(clockNs.median), '', String(clockNs.p99), '', 'ns'],
          [
            'adding one, until all workers serve it',
            ms(quantile(times, 0.5)),
            ms(quantile(times, 0.9)),
            ms(quantile(times, 0.99)),
            ms(Math.max(...times)),
            'ms',
          ],
          [
            'requests of others meanwhile',
            ms(quantile(requests, 0.5)),
            ms(quantile(requests, 0.9)),
            ms(quantile(requests, 0.99)),
            ms(Math.max(...requests)),
            'ms',
          ],
        ],
        1,
        [
          `${bytesEach} bytes for each idle tenant in a worker; all of them compiled from their sources in ${figures.takenMs} ms; the whole stack was up after ${startMs} ms.`,
          `${added.length} tenants added and removed under ${seen.length} requests of others, of which ${lost} were lost.`,
        ],
      ),
    ],
    floors: [
      atMost('choosing tenant and back end, 99th percentile', chooseNs.p99 / 1000, 2, ' µs'),
      atMost('memory of an idle tenant in a worker', bytesEach / 1024, 10, ' KiB'),
      atMost('adding a tenant until every worker serves it, 9 of 10', quantile(times, 0.9), 50, ' ms'),
      atMost('requests lost while tenants came and went', lost),
      atMost('tenants that were not served when the gateway said so', notServed),
    ],
    figures: {
      scale: {
        tenants,
        startMs,
        chooseNs,
        clockNs,
        bytesEach,
        compiledMs: figures.takenMs,
        addMs: { median: quantile(times, 0.5), p90: quantile(times, 0.9), most: Math.max(...times) },
        requests: seen.length,
        lost,
        requestMs: {
          median: quantile(requests, 0.5),
          p99: quantile(requests, 0.99),
          most: Math.max(...requests),
        },
      },
    },
  });
}
