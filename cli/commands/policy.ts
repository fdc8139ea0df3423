import { type Command, Option } from 'commander';
import { EXIT } from '../output.ts';
import { type DiffOptions, runDiff } from '../policy/diff.ts';
import { type ExplainOptions, runExplain } from '../policy/explain.ts';
import type { LengthsOptions } from '../policy/lengths.ts';
import { printPacks, printRoutes } from '../policy/routes.ts';
import { runSign, runVerify, type SignOptions } from '../policy/sign.ts';
import { runCases } from '../policy/test.ts';
import { withServer } from './audit-sql/options.ts';

interface Json {
  readonly json?: true;
}

/** `chartgate policy routes|packs|explain|test|diff|sign|verify` */
export function register(program: Command): void {
  const policy = program
    .command('policy')
    .description('Look at a policy: what it demands, and why it decides as it does.');
  policy
    .command('routes')
    .description('Print every route of a policy and what it needs.')
    .argument('<file>', 'a policy file')
    .option('--json', 'print the routes as JSON')
    .action((file: string, options: Json) => printRoutes(file, options.json === true));
  policy
    .command('packs')
    .description('Print the packs that a policy can extend.')
    .option('--json', 'print them as JSON')
    .action((options: Json) => printPacks(options.json === true));
  registerExplain(policy);
  policy
    .command('test')
    .description('Decide every case of a table, and compare with what it expects.')
    .argument('<file>', 'a YAML file with "policy" and "cases" (docs/policies.md)')
    .option('--policy <file>', 'this policy instead of the one that the file names')
    .option('--json', 'print the results as JSON')
    .addHelpText(
      'after',
      `
Exit codes: ${EXIT.ok} every case as expected, ${EXIT.finding} some not, ${EXIT.usage} wrong usage, ${EXIT.configuration} a file has faults.`,
    )
    .action((file: string, options: Json & { readonly policy?: string }) => runCases(file, options));
  policy
    .command('diff')
    .description('Say who gains and who loses what, if one policy takes the place of another.')
    .argument('<old>', 'the policy file in force')
    .argument('<new>', 'the one that is to take its place')
    .option('--json', 'print the differences as JSON')
    .addHelpText(
      'after',
      `
Exit codes: ${EXIT.ok} no difference, ${EXIT.finding} differences, ${EXIT.usage} wrong usage, ${EXIT.configuration} a policy has faults.`,
    )
    .action((before: string, after: string, options: DiffOptions) => runDiff(before, after, options));
  registerSigning(policy);
  registerLengths(policy);
}

function registerExplain(policy: Command): void {
  const collect = (value: string, former: readonly string[] = []): readonly string[] => [...former, value];
  policy
    .command('explain')
    .description('Decide a made-up request, and print the way to the decision.')
    .requiredOption('--policy <file>', 'a policy file')
    .requiredOption('--request <line>', "method and path, such as 'GET /fhir/Patient/1'")
    .option('--as <words>', "who asks, such as 'role:nurse scope:user/Patient.rs patient:7'; see below")
    .option('--scopes <scopes>', 'scopes of the token, separated by spaces')
    .option('--patient <id>', "the token's patient (SMART launch context)")
    .option('--anonymous', 'without a token')
    .addOption(
      new Option('--bound <how>', 'the token is bound to its sender').choices(['dpop', 'certificate']),
    )
    .option('--client-certificate', 'the connection has a client certificate that the tenant accepts')
    .option('--upgrade', 'the request asks for a WebSocket')
    .option('--at <moment>', 'when, such as 2027-01-31T08:30:00Z; now unless given')
    .option('--from <address>', "the client's address", '192.0.2.1')
    .option('--header <line>', "a request header, such as 'x-app: portal'; may be repeated", collect)
    .option('--json', 'print the decision as JSON')
    .addHelpText(
      'after',
      `
Words of --as: token (unless given), session, client-secret, certificate or anonymous; role:NAME, scope:SCOPE,
patient:ID, client:ID, home:TENANT, bound:dpop, bound:certificate, audience:NAME (a further one of the tenant's),
factor:SECONDS (since the second factor).

Exit codes: ${EXIT.ok} permitted, ${EXIT.finding} denied, ${EXIT.usage} wrong usage, ${EXIT.configuration} the policy has faults.`,
    )
    .action((options: ExplainOptions) => runExplain(options));
}

function registerLengths(policy: Command): void {
  const command = policy
    .command('lengths')
    .description(
      "Print how many characters the columns of an EMR's schema hold, for inspect.payload.lengths.",
    )
    .option('--tables <names>', 'only these tables, separated by commas')
    .option('--out <file>', 'write there instead');
  withServer(command).action(async (options: LengthsOptions) =>
    (await import('../policy/lengths.ts')).runLengths(options),
  );
}

function registerSigning(policy: Command): void {
  policy
    .command('sign')
    .description("Sign the policies of a gateway's settings, as one of the administrators who must.")
    .argument('<file>', 'gateway.yaml')
    .requiredOption('--private-key <file>', "PEM file with the administrator's Ed25519 key, mode 600")
    .requiredOption('--out <file>', 'the file of signatures; one that signs the same policies gets one more')
    .option('--json', 'print what was signed as JSON')
    .action((file: string, options: SignOptions) => runSign(file, options));
  policy
    .command('verify')
    .description("Check the signatures of a gateway's policies against the keys of its settings.")
    .argument('<file>', 'gateway.yaml')
    .option('--json', 'print the result as JSON')
    .addHelpText(
      'after',
      `
Exit codes: ${EXIT.ok} signed as the settings demand, ${EXIT.finding} not, ${EXIT.usage} wrong usage, ${EXIT.configuration} the settings have faults.`,
    )
    .action((file: string, options: Json) => runVerify(file, options));
}
