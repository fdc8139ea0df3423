import { basename } from 'node:path';
import { type Command, Option } from 'commander';
import { loadPolicyDocument, type PolicyRules } from '../../config/index.ts';
import { ChartgateError } from '../../contracts/errors.ts';
import { METHODS, type RequestFacts } from '../../contracts/facts.ts';
import type { Decision, PolicySet, Route } from '../../contracts/policy.ts';
import type { Principal } from '../../contracts/principal.ts';
import type { PolicyDocument, RouteDocument } from '../../contracts/settings.ts';
import { canonicalPath } from '../../gateway/canonical/path.ts';
import { canonicalQuery } from '../../gateway/canonical/query.ts';
import { compilePolicy } from '../../policies/index.ts';
import { EXIT } from '../output.ts';

/** Stands in for `hiding.deadline` of the gateway, whose settings these commands do not read. */
const ANY_DEADLINE = { hideDeadlineMs: 1_000 };

interface ExplainOptions {
  readonly policy: string;
  readonly request: string;
  readonly scopes?: string;
  readonly patient?: string;
  readonly anonymous?: true;
  readonly upgrade?: true;
  readonly bound?: 'dpop' | 'certificate';
  readonly clientCertificate?: true;
  readonly json?: true;
}

/** `chartgate policy routes FILE` and `chartgate policy explain`. */
export function register(program: Command): void {
  const policy = program
    .command('policy')
    .description('Look at a policy: what it demands, and why it decides as it does.');
  policy
    .command('routes')
    .description('Print every route of a policy and what it needs.')
    .argument('<file>', 'a policy file')
    .option('--json', 'print the routes as JSON')
    .action((file: string, options: { readonly json?: true }) => printRoutes(file, options.json === true));
  policy
    .command('explain')
    .description('Decide a made-up request and print the reasons.')
    .requiredOption('--policy <file>', 'a policy file')
    .requiredOption('--request <line>', "method and path, such as 'GET /fhir/Patient/1'")
    .option('--scopes <scopes>', 'scopes of the token, separated by spaces')
    .option('--patient <id>', "the token's patient (SMART launch context)")
    .option('--anonymous', 'without a token')
    .addOption(
      new Option('--bound <how>', 'the token is bound to its sender').choices(['dpop', 'certificate']),
    )
    .option('--client-certificate', 'the connection has a client certificate that the tenant accepts')
    .option('--upgrade', 'the request asks for a WebSocket')
    .option('--json', 'print the decision as JSON')
    .addHelpText(
      'after',
      `
Exit codes: ${EXIT.ok} permitted, ${EXIT.finding} denied, ${EXIT.usage} wrong usage, ${EXIT.configuration} the policy has faults.`,
    )
    .action(explain);
}

const policyRules: PolicyRules = (document) => {
  const compiled = compilePolicy('policy', document, ANY_DEADLINE);
  return compiled.ok ? [] : compiled.faults;
};

/** @throws ConfigurationError with every fault of the file */
function load(file: string): { readonly document: PolicyDocument; readonly policy: PolicySet } {
  const document = loadPolicyDocument(file, { policyRules });
  const compiled = compilePolicy(basename(file).replace(/\.ya?ml$/, ''), document, ANY_DEADLINE);
  if (!compiled.ok) throw new ChartgateError('internal', 'the policy compiled only once');
  return { document, policy: compiled.policy };
}

function printRoutes(file: string, json: boolean): void {
  const { document, policy } = load(file);
  // The compiled routes keep the order of the document.
  const rows = document.routes.flatMap((written, index) => {
    const route = policy.routes[index];
    return route === undefined ? [] : [describe(written, route)];
  });
  if (json) {
    console.log(JSON.stringify({ digest: policy.digest, routes: rows }, null, 2));
    return;
  }
  const table = rows.map((row) => [
    row.id,
    row.methods.join(','),
    row.path,
    row.needs.join(' ') || 'nothing (anonymous)',
    row.integrity.mode === 'bounded' ? `${row.integrity.maxAgeMs} ms` : row.integrity.mode,
    row.hide,
    [
      ...(row.introspection === 'always' ? ['introspected'] : []),
      ...(row.senderConstrained === 'none' ? [] : [`bound (${row.senderConstrained})`]),
      ...(row.clientCertificate === 'none' ? [] : ['client certificate']),
      ...(row.upgrade === undefined ? [] : [row.upgrade]),
      ...(row.limit === undefined ? [] : [`${row.limit.requests} per ${row.limit.windowSeconds} s`]),
      ...(row.maxBodyBytes === 0 ? [] : [`body ${row.maxBodyBytes} B`]),
    ].join(', '),
  ]);
  printTable([['ROUTE', 'METHODS', 'PATH', 'NEEDS', 'INTEGRITY', 'HIDES', 'ALSO'], ...table]);
  console.log(`\n${rows.length} routes; whatever matches none of them is denied. Digest ${policy.digest}.`);
}

/** What a route needs, for a person or a script. Sets become lists. */
function describe(written: RouteDocument, route: Route) {
  const implied = written.methods.includes('GET') && route.upgrade === undefined ? ['HEAD'] : [];
  return {
    ...route,
    methods: [...new Set([...written.methods, ...implied])],
    path: shownPath(written),
    needs: needs(written, route),
    // Null where the gateway's setting decides.
    hideDeadlineMs: written.hideDeadlineMs ?? null,
    mediaTypes: [...route.mediaTypes],
  };
}

/** `/fhir/{resourceType: Patient|Observation}/{id}`. */
function shownPath({ path, where = {} }: RouteDocument): string {
  return path.replace(/\{(\w+)\}/g, (capture, name: string) =>
    Object.hasOwn(where, name) ? `{${name}: ${where[name]?.join('|')}}` : capture,
  );
}

function needs({ scopes = [], smart, patient }: RouteDocument, { credential }: Route): readonly string[] {
  if (credential === 'anonymous') return [];
  if (smart === undefined) return scopes;
  const named = patient?.capture === undefined ? `?${patient?.parameter}` : `{${patient.capture}}`;
  const alternatives = smart.contexts.map((context) => {
    const scope = `${context}/${smart.resource}.${smart.permission}`;
    return context === 'patient' ? `${scope} (${named} is the token's patient)` : scope;
  });
  return [...scopes, alternatives.join(' or ')];
}

function printTable(rows: readonly (readonly string[])[]): void {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  for (const row of rows) {
    console.log(
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    );
  }
}

function explain(options: ExplainOptions): void {
  const principal = principalOf(options);
  const facts = factsOf(options.request, options.upgrade === true, options.clientCertificate === true);
  const { policy } = load(options.policy);
  const match = policy.match(facts);
  const decision = policy.decide(facts, match, principal, Math.floor(Date.now() / 1000));
  if (options.json === true) {
    console.log(
      JSON.stringify({ route: match?.route.id ?? null, ...decision, digest: policy.digest }, null, 2),
    );
  } else printDecision(decision, match?.route);
  if (decision.effect === 'deny') process.exitCode = EXIT.finding;
}

function printDecision(decision: Decision, route: Route | undefined): void {
  console.log(decision.effect === 'permit' ? 'permitted' : `denied: ${decision.denial}`);
  for (const { code, held, detail } of decision.reasons) {
    console.log(`  ${held ? 'held    ' : 'not held'}  ${code}${detail === undefined ? '' : `  ${detail}`}`);
  }
  if (decision.effect === 'deny' && decision.scopeNeeded !== undefined) {
    console.log(`A token with this would do: ${decision.scopeNeeded}`);
  }
  if (decision.effect === 'permit' && route !== undefined) {
    const { integrity, introspection, hide } = route;
    const age = integrity.mode === 'bounded' ? ` by ${integrity.maxAgeMs} ms` : '';
    console.log(`Then: integrity ${integrity.mode}${age}, introspection ${introspection}, hides ${hide}.`);
  }
}

/** A principal that exists only in this command: nobody was authenticated, and nothing is reached with it. */
function principalOf({ anonymous, scopes, patient, bound }: ExplainOptions): Principal {
  if (anonymous === true) {
    if (scopes !== undefined || patient !== undefined) {
      throw new ChartgateError('usage', '--anonymous excludes --scopes and --patient.');
    }
    return Object.freeze({ kind: 'anonymous', scopes: new Set<string>() }) as unknown as Principal;
  }
  if (scopes === undefined) {
    throw new ChartgateError('usage', "give --scopes (perhaps empty: --scopes '') or --anonymous.");
  }
  return Object.freeze({
    kind: 'bearer',
    credential: 'token',
    constraint: bound ?? 'none',
    tenant: 'made-up',
    issuer: 'https://made-up.invalid',
    subject: 'made-up',
    clientId: undefined,
    scopes: new Set(scopes.split(' ').filter((scope) => scope !== '')),
    patient,
    expiresAt: Number.MAX_SAFE_INTEGER,
    limitKey: '',
  }) as unknown as Principal;
}

const MADE_UP_CERTIFICATE = Object.freeze({
  thumbprint: '',
  subject: 'CN=made-up',
  names: [],
  notAfter: Number.MAX_SAFE_INTEGER,
  der: '',
});

/** What the policy sees of a request line, read by the gateway's own canonicaliser. */
function factsOf(line: string, upgrade: boolean, certified: boolean): RequestFacts {
  const [, method, target] = /^(\S+) (\S+)$/.exec(line) ?? [];
  const known = METHODS.find((name) => name === method);
  if (known === undefined || target === undefined) {
    throw new ChartgateError('usage', `--request must be one of ${METHODS.join(', ')}, a space and a path.`);
  }
  const [raw = '', ...rest] = target.split('?');
  const path = canonicalPath(raw);
  const query = canonicalQuery(rest.join('?'));
  if (path === undefined || query === undefined) {
    const code = path === undefined ? 'path-ambiguous' : 'query-ambiguous';
    throw new ChartgateError(
      'usage',
      `The gateway refuses this request before any policy is asked: ${code}.`,
    );
  }
  return Object.freeze({
    id: '0'.repeat(26) as RequestFacts['id'],
    arrivedAt: 0,
    receivedAt: 0,
    protocol: 'HTTP/2',
    method: known,
    authority: 'made-up.invalid',
    host: 'made-up.invalid',
    path,
    query: query.text,
    parameters: query.parameters,
    headers: new Map(),
    upgrade: upgrade ? 'websocket' : undefined,
    body: { kind: 'none' },
    mediaType: undefined,
    peer: '192.0.2.1',
    tls: {
      version: 'TLSv1.3',
      cipher: '',
      serverName: 'made-up.invalid',
      ...(certified ? { certificate: MADE_UP_CERTIFICATE } : {}),
    },
  } satisfies RequestFacts);
}
