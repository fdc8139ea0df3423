import type { RequestFacts } from '../../contracts/facts.ts';
import type { Decision, PolicySet, Route } from '../../contracts/policy.ts';
import { type SamplePath, type SamplePerson, samplePaths, samplePersons } from '../../policies/index.ts';
import { EXIT } from '../output.ts';
import { type LoadedPolicy, loadPolicy } from './load.ts';
import { describeWho, factsOf, principalOf, type Who } from './made-up.ts';

export interface DiffOptions {
  readonly json?: true;
}

/** Something that changes for some people. */
interface Change {
  readonly who: readonly string[];
  readonly change: 'gains' | 'loses' | 'denied otherwise';
  readonly methods: readonly string[];
  readonly before: string;
  readonly after: string;
  /** Routes before and after; null where none matched. */
  readonly routeBefore: string | null;
  readonly routeAfter: string | null;
  /** Paths with which it was tried; `x` stands for whatever a rule leaves open. */
  readonly paths: readonly string[];
}

/** Sample decisions at most; beyond, each person is tried with fewer paths. */
const MOST_DECISIONS = 400_000;

/** `chartgate policy diff OLD NEW` */
export function runDiff(beforeFile: string, afterFile: string, options: DiffOptions): void {
  const before = loadPolicy(beforeFile);
  const after = loadPolicy(afterFile);
  const changes = compare(before, after);
  const routes = compareRoutes(before.policy, after.policy);
  if (options.json === true) {
    console.log(
      JSON.stringify(
        { before: before.policy.digest, after: after.policy.digest, routes, access: changes },
        null,
        2,
      ),
    );
  } else print(before.policy, after.policy, routes, changes);
  if (before.policy.digest !== after.policy.digest) process.exitCode = EXIT.finding;
}

function compare(before: LoadedPolicy, after: LoadedPolicy): readonly Change[] {
  const now = Math.floor(Date.now() / 1000);
  const both = [before, after];
  const persons = distinct(both.flatMap(({ parts }) => samplePersons(parts, now)));
  const paths = distinct(both.flatMap(({ parts }) => samplePaths(parts)));
  const stride = Math.max(1, Math.ceil((persons.length * paths.length) / MOST_DECISIONS));
  const found: Change[] = [];
  for (const [i, person] of persons.entries()) {
    for (const [j, path] of paths.entries()) {
      if ((i + j) % stride !== 0) continue;
      for (const method of path.methods) {
        const change = decideBoth(before.policy, after.policy, person, path, method, now);
        if (change !== undefined) found.push(change);
      }
    }
  }
  // One list grows at a time, and only where everything else is the same: whatever is printed together is true together.
  return together(together(together(found, 'methods'), 'paths'), 'who');
}

/** Changes that differ in one list alone, as one. */
function together(changes: readonly Change[], list: 'who' | 'methods' | 'paths'): readonly Change[] {
  const found = new Map<string, { readonly first: Change; readonly values: Set<string> }>();
  for (const change of changes) {
    const key = JSON.stringify({ ...change, [list]: [] });
    const known = found.get(key);
    if (known === undefined) found.set(key, { first: change, values: new Set(change[list]) });
    else for (const value of change[list]) known.values.add(value);
  }
  return [...found.values()].map(({ first, values }) => ({ ...first, [list]: [...values] }));
}

function decideBoth(
  before: PolicySet,
  after: PolicySet,
  person: SamplePerson,
  path: SamplePath,
  method: string,
  now: number,
): Change | undefined {
  const query = path.parameter === undefined ? '' : `?${path.parameter}=x`;
  const text = `/${path.segments.map(encodeURIComponent).join('/')}${query}`;
  const who: Who = person;
  const facts = factsFor(person, `${method} ${text}`, path.upgrade);
  const at = person.now ?? now;
  const principal = principalOf(who, at);
  const [was, is] = [before, after].map((policy) => {
    const match = policy.match(facts);
    return { route: match?.route.id ?? null, said: wordOf(policy.decide(facts, match, principal, at)) };
  });
  if (was === undefined || is === undefined || was.said === is.said) return undefined;
  const [permitted, permits] = [was.said.startsWith('permit'), is.said.startsWith('permit')];
  return {
    who: [wordsOf(person)],
    change: permits && !permitted ? 'gains' : permitted && !permits ? 'loses' : 'denied otherwise',
    methods: [method],
    before: was.said,
    after: is.said,
    routeBefore: was.route,
    routeAfter: is.route,
    paths: [text],
  };
}

const plain = new Map<string, RequestFacts>();

/** The canonical form of a line costs more than deciding it, and most people come from the same place. */
function factsFor(person: SamplePerson, line: string, upgrade: boolean): RequestFacts {
  const { from, headers, certificate } = person;
  const special = from !== undefined || headers !== undefined || certificate === true;
  const known = special ? undefined : plain.get(`${upgrade} ${line}`);
  if (known !== undefined) return known;
  const facts = factsOf({
    line,
    ...(from === undefined ? {} : { from }),
    ...(headers === undefined ? {} : { headers }),
    certificate: certificate === true,
    upgrade,
  });
  if (!special) plain.set(`${upgrade} ${line}`, facts);
  return facts;
}

function wordOf(decision: Decision): string {
  if (decision.effect === 'deny') return decision.denial;
  const { obligations } = decision;
  return obligations === undefined
    ? 'permit'
    : `permit, under ${Object.keys(obligations).toSorted().join(', ')}`;
}

function wordsOf(person: SamplePerson): string {
  const { certificate, from, headers, now } = person;
  return [
    describeWho(person),
    ...(certificate === true ? ['with a client certificate'] : []),
    ...(from === undefined ? [] : [`from ${from}`]),
    ...Object.entries(headers ?? {}).map(([name, value]) => `with ${name}: ${value}`),
    ...(now === undefined ? [] : [`at ${new Date(now * 1000).toISOString()}`]),
  ].join(' ');
}

function distinct<T>(values: readonly T[]): readonly T[] {
  return [...new Map(values.map((value) => [JSON.stringify(value), value])).values()];
}

interface RouteChanges {
  readonly added: readonly string[];
  readonly removed: readonly string[];
  readonly changed: readonly { readonly id: string; readonly keys: readonly string[] }[];
}

/** What the routes themselves say, whoever asks. */
function compareRoutes(before: PolicySet, after: PolicySet): RouteChanges {
  const was = new Map(before.routes.map((route) => [route.id, route]));
  const is = new Map(after.routes.map((route) => [route.id, route]));
  return {
    added: [...is.keys()].filter((id) => !was.has(id)),
    removed: [...was.keys()].filter((id) => !is.has(id)),
    changed: [...is].flatMap(([id, route]) => {
      const former = was.get(id);
      const keys = former === undefined ? [] : demandsThatDiffer(former, route);
      return keys.length === 0 ? [] : [{ id, keys }];
    }),
  };
}

function demandsThatDiffer(a: Route, b: Route): readonly string[] {
  const text = (value: unknown): string =>
    JSON.stringify(value, (_, part) => (part instanceof Set ? [...part] : part)) ?? '';
  const keys = new Set([...Object.keys(a), ...Object.keys(b)] as (keyof Route)[]);
  return [...keys].filter((key) => text(a[key]) !== text(b[key]));
}

/** People and paths of one change, and changes, that a person wants to see. */
const SHOWN = 4;
const MOST_PRINTED = 100;

function print(before: PolicySet, after: PolicySet, routes: RouteChanges, changes: readonly Change[]): void {
  for (const id of routes.added) console.log(`New route ${id}.`);
  for (const id of routes.removed) console.log(`Route ${id} is gone.`);
  for (const { id, keys } of routes.changed) console.log(`Route ${id} changes: ${keys.join(', ')}.`);
  for (const [change, heading] of [
    ['gains', 'Gain access:'],
    ['loses', 'Lose access:'],
    ['denied otherwise', 'Are answered otherwise:'],
  ] as const) {
    const found = changes.filter((each) => each.change === change);
    if (found.length === 0) continue;
    console.log(`\n${heading}\n`);
    for (const each of found.slice(0, MOST_PRINTED)) {
      const route = each.routeBefore ?? 'no route';
      const moved = each.routeAfter === each.routeBefore ? '' : ` -> ${each.routeAfter ?? 'no route'}`;
      console.log(`  ${route}${moved}: ${each.before} -> ${each.after}`);
      for (const who of each.who.slice(0, SHOWN)) console.log(`    ${who}`);
      if (each.who.length > SHOWN) console.log(`    and ${each.who.length - SHOWN} more such people`);
      const more = each.paths.length > SHOWN ? ` and ${each.paths.length - SHOWN} more` : '';
      console.log(`    ${each.methods.join(',')} ${each.paths.slice(0, SHOWN).join(' ')}${more}`);
    }
    if (found.length > MOST_PRINTED)
      console.log(`  and ${found.length - MOST_PRINTED} more such changes; --json has all of them`);
  }
  if (before.digest === after.digest) console.log('The two say the same.');
  else if (changes.length === 0)
    console.log('\nNobody gains or loses access, as far as samples of every rule show.');
}
