import { ChartgateError } from '../../contracts/errors.ts';
import type { Candidate, Explanation } from '../../policies/index.ts';
import { explain } from '../../policies/index.ts';
import { EXIT } from '../output.ts';
import { loadPolicy, printTable } from './load.ts';
import { factsOf, parseWho, principalOf, type Who } from './made-up.ts';

export interface ExplainOptions {
  readonly policy: string;
  readonly request: string;
  readonly as?: string;
  readonly scopes?: string;
  readonly patient?: string;
  readonly anonymous?: true;
  readonly upgrade?: true;
  readonly bound?: 'dpop' | 'certificate';
  readonly clientCertificate?: true;
  readonly at?: string;
  readonly from?: string;
  readonly header?: readonly string[];
  readonly json?: true;
}

/** `chartgate policy explain` */
export function runExplain(options: ExplainOptions): void {
  const who = whoOf(options);
  const now = momentOf(options.at);
  const principal = principalOf(who, now);
  const facts = factsOf({
    line: options.request,
    ...(options.from === undefined ? {} : { from: options.from }),
    headers: headersOf(options.header ?? []),
    certificate: options.clientCertificate === true || who.credential === 'certificate',
    upgrade: options.upgrade === true,
  });
  const { policy, parts } = loadPolicy(options.policy);
  const explanation = explain(policy, parts, facts, principal, now);
  const { decision } = explanation;
  if (options.json === true) {
    const { obligations, ...said } =
      'obligations' in decision ? decision : { ...decision, obligations: undefined };
    console.log(
      JSON.stringify(
        {
          route: explanation.route ?? null,
          ...said,
          ...(obligations === undefined ? {} : { obligations: Object.keys(obligations) }),
          candidates: explanation.candidates,
          digest: policy.digest,
        },
        null,
        2,
      ),
    );
  } else {
    print(explanation);
    const route = policy.routes.find(({ id }) => id === explanation.route);
    if (decision.effect === 'permit' && route !== undefined) {
      const { integrity, introspection, hide } = route;
      const age = integrity.mode === 'bounded' ? ` by ${integrity.maxAgeMs} ms` : '';
      console.log(`Then: integrity ${integrity.mode}${age}, introspection ${introspection}, hides ${hide}.`);
    }
  }
  if (decision.effect === 'deny') process.exitCode = EXIT.finding;
}

/** @throws ChartgateError `usage` */
export function momentOf(text: string | undefined): number {
  if (text === undefined) return Math.floor(Date.now() / 1000);
  const time = Date.parse(text);
  if (Number.isNaN(time) || !/(?:Z|[+-]\d\d:\d\d)$/.test(text)) {
    throw new ChartgateError('usage', '--at must be a moment with its zone, such as 2027-01-31T08:30:00Z.');
  }
  return Math.floor(time / 1000);
}

function headersOf(lines: readonly string[]): Readonly<Record<string, string>> {
  return Object.fromEntries(
    lines.map((line) => {
      const [, name, value] = /^([A-Za-z0-9-]+): *(.*)$/.exec(line) ?? [];
      if (name === undefined || value === undefined)
        throw new ChartgateError(
          'usage',
          "--header must be a name, a colon and a value, such as 'accept: text/html'.",
        );
      return [name, value] as const;
    }),
  );
}

function whoOf({ as, anonymous, scopes, patient, bound }: ExplainOptions): Who {
  if (as === undefined && scopes === undefined && anonymous !== true) {
    throw new ChartgateError('usage', "give --as, --scopes (perhaps empty: --scopes '') or --anonymous.");
  }
  const said = parseWho(as ?? '');
  if (anonymous === true || said.anonymous === true) {
    if (
      scopes !== undefined ||
      patient !== undefined ||
      Object.keys(said).some((key) => key !== 'anonymous')
    ) {
      throw new ChartgateError('usage', '--anonymous excludes --scopes and --patient.');
    }
    return { anonymous: true };
  }
  const given = (scopes ?? '').split(' ').filter((scope) => scope !== '');
  return {
    ...said,
    scopes: [...(said.scopes ?? []), ...given],
    ...(patient === undefined ? {} : { patient }),
    ...(bound === undefined ? {} : { bound }),
  };
}

const OUTCOME: Readonly<Record<Candidate['outcome'], string>> = Object.freeze({
  chosen: 'chosen: the most specific',
  'less-specific': 'less specific',
  'other-method': 'for other methods',
  'other-upgrade': 'for upgrades only, or for none',
  spelling: 'does not allow how the path is spelt',
  applies: 'denies: it applies',
  'does-not-apply': 'does not apply',
});

function print({ decision, candidates, scopesOfRoles }: Explanation): void {
  console.log(decision.effect === 'permit' ? 'permitted' : `denied: ${decision.denial}`);
  for (const { code, held, detail } of decision.reasons) {
    console.log(`  ${held ? 'held    ' : 'not held'}  ${code}${detail === undefined ? '' : `  ${detail}`}`);
  }
  if (decision.effect === 'deny' && decision.scopeNeeded !== undefined) {
    console.log(`A token with this would do: ${decision.scopeNeeded}`);
  }
  if (scopesOfRoles.length > 0) console.log(`Scopes by role: ${scopesOfRoles.join(' ')}`);
  if (decision.effect === 'permit' && decision.obligations !== undefined) {
    console.log(`Under obligations: ${Object.keys(decision.obligations).join(', ')}.`);
    const { query } = decision.obligations;
    if (query !== undefined) console.log(`Query that is sent: ${query === '' ? 'none' : query}`);
  }
  if (candidates.length === 0) {
    console.log('No rule has this path.');
    return;
  }
  console.log('Rules with this path:');
  const order = candidates.toSorted(
    (a, b) => Number(b.outcome === 'chosen') - Number(a.outcome === 'chosen'),
  );
  printTable(
    order.map((rule) => [
      rule.effect === 'deny' ? `${rule.id} (deny)` : rule.id,
      rule.methods.join(','),
      rule.path,
      OUTCOME[rule.outcome],
    ]),
    '  ',
  );
  for (const rule of order) {
    if (rule.conditions.length === 0) continue;
    console.log(`Conditions of ${rule.id}:`);
    for (const { depth, text, held } of rule.conditions) {
      console.log(`  ${held ? 'holds   ' : 'does not'}  ${'  '.repeat(depth)}${text}`);
    }
  }
}
