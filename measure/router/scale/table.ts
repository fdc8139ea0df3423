import { setTimeout as sleep } from 'node:timers/promises';
import { deserialize, serialize } from 'node:v8';
import { readGatewaySources, type Sources } from '../../../config/index.ts';
import { systemClock } from '../../../contracts/clock.ts';
import { createRuntime, readSettings } from '../../../gateway/process/runtime.ts';
import { TenantBook } from '../../../gateway/process/tenant-book.ts';
import { createTenantRouter } from '../../../tenant-router/index.ts';
import { hostOf } from './tenants.ts';

/**
 * A process of its own, so that nothing else is in its memory: what a worker does with its sources, and then nothing
 * but choosing. Arguments: settings file, port, number of tenants in the folder, number of choices.
 */
const [file = '', port = '0', tenants = '0', choices = '0'] = process.argv.slice(2);
const count = Number(tenants);

/** Bytes in use, outside the heap too, after everything that nobody needs was collected. */
function used(): number {
  for (let n = 0; n < 4; n++) globalThis.gc?.();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

/** As a worker gets them: by message. */
function sent(sources: Sources): Buffer {
  return serialize(sources);
}

function serve(sources: Sources) {
  const settings = readSettings(sources);
  const router = createTenantRouter(settings.tenants, { clock: systemClock });
  const book = new TenantBook(settings.tenants);
  return {
    router,
    runtime: createRuntime(settings, router, systemClock, 2, undefined, () => {}, undefined, book),
  };
}

const message = sent(readGatewaySources(file));
const few = deserialize(message) as Sources;
// Once without any of them, so that code and everything that tenants share is there already.
const alone = serve({ ...few, tenants: few.tenants && { ...few.tenants, files: new Map() } });
const before = used();
const startedAt = performance.now();
let sources: Sources | undefined = deserialize(message) as Sources;
const { router, runtime } = serve(sources);
sources = undefined;
const takenMs = performance.now() - startedAt;
await sleep(50);
const bytesEach = (used() - before) / count;

const hosts = Array.from({ length: count }, (_, index) => {
  const authority = hostOf(index, { port: Number(port) });
  return { authority, name: authority.replace(/:\d+$/, '') };
});
/** Of one choice, nanoseconds, the clock's own time among them. */
function choose(into: Float64Array): void {
  for (let n = 0; n < into.length; n++) {
    // Any of them, in an order that no cache foresees.
    const { authority, name } = hosts[Math.floor(Math.random() * count)] ?? { authority: '', name: '' };
    const from = process.hrtime.bigint();
    const route = router.route(authority, name);
    const backend = route.ok ? route.tenant.pick() : undefined;
    const to = process.hrtime.bigint();
    if (backend === undefined) throw new Error(`nothing for ${authority}`);
    backend.report('ok');
    into[n] = Number(to - from);
  }
}
choose(new Float64Array(Math.min(50_000, Number(choices))));
const times = new Float64Array(Number(choices));
choose(times);
const clock = new Float64Array(times.length);
for (let n = 0; n < clock.length; n++) {
  const from = process.hrtime.bigint();
  clock[n] = Number(process.hrtime.bigint() - from);
}
const at = (sorted: Float64Array, share: number): number =>
  sorted[Math.min(sorted.length - 1, Math.ceil(sorted.length * share) - 1)] ?? Number.NaN;
times.sort();
clock.sort();
console.log(
  JSON.stringify({
    bytesEach: Math.round(bytesEach),
    takenMs: Math.round(takenMs),
    chooseNs: { median: at(times, 0.5), p99: at(times, 0.99), p999: at(times, 0.999) },
    clockNs: { median: at(clock, 0.5), p99: at(clock, 0.99) },
    servedAlone: alone.runtime.settings.tenants.length,
    served: runtime.settings.tenants.length,
  }),
);
process.exit(0);
