import { faultsOf, loadPolicyCases } from '../../config/index.ts';
import { ChartgateError, ConfigurationError, type PointedFault } from '../../contracts/errors.ts';
import type { Decision, PolicySet } from '../../contracts/policy.ts';
import type { PolicyCase, PolicyCasesDocument } from '../../contracts/policy-cases.ts';
import { EXIT } from '../output.ts';
import { loadPolicy } from './load.ts';
import { factsOf, parseWho, principalOf } from './made-up.ts';

/** What came of a case. */
export interface CaseResult {
  readonly name: string;
  readonly expected: string;
  readonly got: string;
  readonly route: string | undefined;
  readonly decision: Decision;
  /** What was not as expected; empty when the case passed. */
  readonly wrong: readonly string[];
}

/**
 * Decides every case of a table.
 * @throws ConfigurationError when a case asks for somebody or something that cannot be
 */
export function decideCases(document: PolicyCasesDocument, policy: PolicySet): readonly CaseResult[] {
  const now = Math.floor(Date.now() / 1000);
  const faults: PointedFault[] = [];
  const results = document.cases.flatMap((one, i) => {
    try {
      return [decideCase(one, policy, one.at === undefined ? now : Math.floor(Date.parse(one.at) / 1000))];
    } catch (error) {
      if (!(error instanceof ChartgateError)) throw error;
      const key = error.message.startsWith('--as') ? 'as' : 'request';
      faults.push({ pointer: `/cases/${i}/${key}`, message: error.message.replace(/^--\w+:? /, '') });
      return [];
    }
  });
  if (faults.length > 0) throw new ConfigurationError(faultsOf(document, faults));
  return results;
}

function decideCase(one: PolicyCase, policy: PolicySet, now: number): CaseResult {
  const who = parseWho(one.as);
  const facts = factsOf({
    line: one.request,
    ...(one.from === undefined ? {} : { from: one.from }),
    ...(one.headers === undefined ? {} : { headers: one.headers }),
    certificate: one.certificate === true || who.credential === 'certificate',
    upgrade: one.upgrade === true,
  });
  const match = policy.match(facts);
  const decision = policy.decide(facts, match, principalOf(who, now), now);
  const got = decision.effect === 'permit' ? 'permit' : decision.denial;
  const route = match?.route.id;
  const missing = (one.reasons ?? []).filter(
    (code) => !decision.reasons.some((reason) => reason.code === code),
  );
  return {
    name: one.name,
    expected: one.expect,
    got,
    route,
    decision,
    wrong: [
      ...(got === one.expect ? [] : [`expected ${one.expect}, got ${got}`]),
      ...(one.route === undefined || one.route === route
        ? []
        : [`expected the route ${one.route}, got ${route ?? 'none'}`]),
      ...missing.map((code) => `expected the reason ${code}`),
    ],
  };
}

/** `chartgate policy test FILE` */
export function runCases(file: string, options: { readonly policy?: string; readonly json?: true }): void {
  const document = loadPolicyCases(file);
  const { policy } = loadPolicy(options.policy ?? document.policy);
  const results = decideCases(document, policy);
  const failed = results.filter(({ wrong }) => wrong.length > 0);
  if (options.json === true) {
    console.log(
      JSON.stringify(
        {
          digest: policy.digest,
          cases: results.length,
          failed: failed.length,
          results: results.map(({ decision, route, ...rest }) => ({
            ...rest,
            route: route ?? null,
            reasons: decision.reasons,
          })),
        },
        null,
        2,
      ),
    );
  } else {
    for (const { name, wrong, decision } of failed) {
      console.log(`FAILED  ${name}: ${wrong.join('; ')}`);
      for (const { code, held, detail } of decision.reasons)
        console.log(
          `          ${held ? 'held    ' : 'not held'}  ${code}${detail === undefined ? '' : `  ${detail}`}`,
        );
    }
    console.log(
      `${results.length - failed.length} of ${results.length} cases as expected. Digest ${policy.digest}.`,
    );
  }
  if (failed.length > 0) process.exitCode = EXIT.finding;
}
