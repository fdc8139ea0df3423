import { factsOf, principalOf } from '../../../cli/policy/made-up.ts';
import { ChartgateError } from '../../../contracts/errors.ts';
import type { RequestFacts } from '../../../contracts/facts.ts';
import { compilePolicy } from '../../../policies/index.ts';
import { atLeast, atMost, type Part, part, table } from '../../integrity/parts.ts';
import type { MeasureOptions } from '../../report.ts';
import { allRoutes, readLiterally } from './literal.ts';
import { DEFAULTS, makePolicies, packOf } from './policies.ts';
import { Random } from './random.ts';
import { makeRequest } from './requests.ts';

const SEED = 20_261_122;

/** The same requests to the compiled engine and to a literal reading of the rules. */
export async function runDifferential(options: MeasureOptions): Promise<Part> {
  const wanted = options.short ? 20_000 : 100_000;
  const random = new Random(SEED);
  options.progress('differential: making policies');
  const tenants = makePolicies(random, options.short ? 12 : 40, 24).map((document) => {
    const compiled = compilePolicy('p', document, DEFAULTS);
    if (!compiled.ok) throw new Error('a policy compiled only once');
    return { document, policy: compiled.policy, routes: allRoutes(document, packOf) };
  });
  const counts = { permitted: 0, denied: 0, unknown: 0, refused: 0, differences: 0, implicit: 0 };
  const examples: string[] = [];
  options.progress(`differential: ${wanted} requests`);
  for (let i = 0; i < wanted; i += 1) {
    const tenant = tenants[i % tenants.length];
    if (tenant === undefined) break;
    const { document, policy, routes } = tenant;
    const { request, who, now } = makeRequest(random, routes);
    const facts = canonical(request);
    if (facts === undefined) {
      counts.refused += 1;
      continue;
    }
    const principal = principalOf(who, now);
    const match = policy.match(facts);
    const decision = policy.decide(facts, match, principal, now);
    const literal = readLiterally(document, routes, facts, principal, now);
    const permitted = decision.effect === 'permit';
    if (permitted) counts.permitted += 1;
    else if (match === undefined) counts.unknown += 1;
    else counts.denied += 1;
    if (permitted && !literal.explicit) counts.implicit += 1;
    if (permitted !== literal.permitted || match?.route.id !== literal.route) {
      counts.differences += 1;
      if (examples.length < 5)
        examples.push(
          `${document.file} ${JSON.stringify({ request, who, now })}: engine ${decision.effect} ${match?.route.id}, literal ${literal.permitted} ${literal.route}`,
        );
    }
  }
  const decided = wanted - counts.refused;
  const rules = tenants.reduce((sum, { routes }) => sum + routes.length, 0);
  return part({
    tables: [
      table(
        `The compiled engine and a literal reading of ${rules} rules of ${tenants.length} tenants`,
        ['requests', 'number'],
        [
          ['generated', String(wanted)],
          ['refused before any policy is asked (spelling)', String(counts.refused)],
          ['permitted', String(counts.permitted)],
          ['denied by a rule', String(counts.denied)],
          ['denied since no rule matches', String(counts.unknown)],
          ['decided differently by the two', String(counts.differences)],
          ['permitted without an explicit rule', String(counts.implicit)],
        ],
      ),
    ],
    floors: [
      atMost('differential: decided differently', counts.differences),
      atMost('differential: permits without an explicit rule', counts.implicit),
      // Otherwise the comparison proves little.
      atLeast('differential: permits among the decided', (counts.permitted / decided) * 100, 3, ' %'),
    ],
    notes: [`Seed ${SEED}; routes with "fhir" have proofs of their own (--only crawl, test/policies/fhir).`],
    problems: examples,
    figures: { differential: { generated: wanted, ...counts } },
  });
}

function canonical(request: Parameters<typeof factsOf>[0]): RequestFacts | undefined {
  try {
    return factsOf(request);
  } catch (error) {
    if (error instanceof ChartgateError) return undefined;
    throw error;
  }
}
