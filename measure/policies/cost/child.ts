import { factsOf, principalOf } from '../../../cli/policy/made-up.ts';
import type { PolicySet } from '../../../contracts/policy.ts';
import type { PolicyDocument } from '../../../contracts/settings.ts';
import { compilePolicy } from '../../../policies/index.ts';
import { Random } from '../differential/random.ts';
import { OWN, ownDocument, PACK, packedDocument, sameDocument } from './documents.ts';

// In a process of its own, so that memory is that of these policies and nothing else.

const VARIANTS: Readonly<Record<string, (tenant: number) => PolicyDocument>> = {
  same: sameDocument,
  packed: packedDocument,
  own: ownDocument,
};

const [variant = '', count = '0', decisions = '0'] = process.argv.slice(2);
const make = VARIANTS[variant];
if (make === undefined) throw new Error(`no variant ${variant}`);
const tenants = Number(count);
const lookup = (name: string) => (name === 'pack' ? PACK : undefined);
const defaults = { hideDeadlineMs: 250, ...(variant === 'packed' ? { packs: lookup } : {}) };
const collect = globalThis.gc ?? (() => {});

// Code is compiled before it is measured, as that of a gateway that is reloaded.
for (let i = 0; i < 3; i += 1) compilePolicy('warm', sameDocument(-1 - i), { hideDeadlineMs: 100 + i });

collect();
const before = process.memoryUsage().rss;
const policies: PolicySet[] = [];
/** Documents that are there at once. */
const BATCH = 25;
let spent = 0;
let cpu = 0;
for (let tenant = 0; tenant < tenants; tenant += BATCH) {
  // Reading a document is not compiling it.
  const documents = Array.from({ length: Math.min(BATCH, tenants - tenant) }, (_, i) => make(tenant + i));
  const began = process.cpuUsage();
  const begun = performance.now();
  const compiled = documents.map((document) => compilePolicy(document.file, document, defaults));
  spent += performance.now() - begun;
  const { user, system } = process.cpuUsage(began);
  cpu += (user + system) / 1000;
  for (const each of compiled) {
    if (!each.ok) throw new Error(JSON.stringify(each.faults.slice(0, 3)));
    policies.push(each.policy);
  }
}
const peak = process.resourceUsage().maxRSS * 1024;
collect();
const after = process.memoryUsage();

const random = new Random(1);
const requests = Array.from({ length: 2_000 }, () => {
  const tenant = random.below(Math.max(1, tenants));
  const mine = variant === 'own' || (variant === 'packed' && random.chance(0.3));
  const mark = mine ? `own-${tenant}` : 'emr';
  const i = random.below(mine && variant === 'packed' ? OWN : 200 - OWN);
  const kind = ['chart', 'visit', 'order', 'result', 'note'][i % 5];
  const tail = ['/7', '?patient=7', '/7', '/a/b', '/1/x/2'][i % 5];
  const method = i % 5 === 2 ? 'PUT' : 'GET';
  const line = `${method} /${mark}/${kind}-${i}${random.chance(0.05) ? '/nowhere/at/all' : tail}`;
  return {
    policy: policies[tenant] as PolicySet,
    facts: factsOf({ line, from: random.pick(['192.0.2.1', '198.51.100.7']) }),
  };
});
const persons = [
  { scopes: ['patient/*.rs', 'launch/patient'], patient: '7' },
  { scopes: ['user/*.cruds', 'emr', 'emr.read', 'emr.write'] },
  { credential: 'session' as const, roles: ['nurse'], factorAge: 5 },
  { roles: ['physician'], scopes: [] },
  { scopes: ['patient/Observation.r'], patient: '8' },
].map((who) => principalOf(who, 1_800_000_000));

const wanted = Number(decisions);
const times = new Float64Array(wanted);
let permits = 0;
const round = (at: number): void => {
  const { policy, facts } = requests[at % requests.length] as (typeof requests)[number];
  const person = persons[at % persons.length];
  if (person === undefined) return;
  const begun = process.hrtime.bigint();
  const match = policy.match(facts);
  const decision = policy.decide(facts, match, person, 1_800_000_000);
  const ended = process.hrtime.bigint();
  if (at < wanted) times[at] = Number(ended - begun) / 1000;
  if (decision.effect === 'permit') permits += 1;
};
for (let i = 0; i < Math.min(wanted, 20_000); i += 1) round(i);
permits = 0;
for (let i = 0; i < wanted; i += 1) round(i);
times.sort();
const at = (share: number) => times[Math.min(wanted - 1, Math.floor(wanted * share))] ?? null;

console.log(
  JSON.stringify({
    tenants,
    compileMs: spent,
    compileCpuMs: cpu,
    rssBytes: after.rss - before,
    heapBytes: after.heapUsed,
    peakBytes: peak,
    permits,
    p50: at(0.5),
    p99: at(0.99),
    p999: at(0.999),
  }),
);
