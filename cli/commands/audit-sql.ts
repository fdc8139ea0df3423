import { generateKeyPairSync } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Command } from 'commander';
import { connectServer, readSecretFile } from '../../audit-sql/connect.ts';
import {
  type Account,
  apply,
  auditNames,
  describeServer,
  generate,
  parseAccount,
  readModel,
  readProtectOptions,
  type Script,
  type ScriptName,
  setCheckerPassword,
  takeBaseline,
} from '../../audit-sql/index.ts';
import { ChartgateError } from '../../contracts/errors.ts';

interface ServerOptions {
  readonly host?: string;
  readonly port?: string;
  readonly socket?: string;
  readonly user: string;
  readonly passwordFile?: string;
  readonly ca?: string;
  readonly schema: string;
  readonly auditSchema?: string;
  readonly json?: boolean;
}

interface ScriptOptions extends ServerOptions {
  readonly out?: string;
  readonly apply?: boolean;
  readonly emrUser?: readonly string[];
  readonly checkerUser?: string;
  readonly checkerPasswordFile?: string;
}

const DEFAULT_CHECKER = 'chartgate_checker@localhost';

function collect(value: string, earlier: readonly string[] = []): readonly string[] {
  return [...earlier, value];
}

function withServer(command: Command): Command {
  return command
    .requiredOption('--schema <name>', "the EMR's schema")
    .option('--audit-schema <name>', 'the schema of the audit (default: the EMR schema and _audit)')
    .option(
      '--host <name>',
      'database host (default: 127.0.0.1); beyond loopback TLS is required and verified',
    )
    .option('--port <number>', 'database port (default: 3306)')
    .option('--socket <path>', "the database's Unix socket, instead of host and port")
    .requiredOption('--user <name>', 'SQL user of the administrator')
    .option('--password-file <file>', "file with that user's password, readable for its owner only")
    .option('--ca <file>', "PEM of the authority of the server's certificate")
    .option('--json', 'print the result as JSON');
}

function port(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const number = Number(text);
  if (!/^\d{1,5}$/.test(text) || number < 1 || number > 65_535) {
    throw new ChartgateError('usage', '--port must be a number from 1 to 65535.');
  }
  return number;
}

function readInput(file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (error) {
    throw new ChartgateError('usage', `The file ${file} cannot be read.`, { cause: error });
  }
}

function writeOutput(
  file: string,
  bytes: string | Buffer,
  options: { mode?: number; flag?: string } = {},
): void {
  try {
    writeFileSync(file, bytes, options);
  } catch (error) {
    const exists = (error as { code?: unknown }).code === 'EEXIST';
    throw new ChartgateError(
      'usage',
      exists
        ? `The file ${file} exists already and is not overwritten.`
        : `The file ${file} cannot be written.`,
      { cause: error },
    );
  }
}

async function connect(options: ServerOptions): ReturnType<typeof connectServer> {
  if (options.socket !== undefined && (options.host !== undefined || options.port !== undefined)) {
    throw new ChartgateError('usage', 'Give either --socket or --host and --port.');
  }
  return connectServer({
    host: options.host,
    port: port(options.port),
    socket: options.socket,
    user: options.user,
    password: options.passwordFile === undefined ? undefined : readSecretFile(options.passwordFile),
    authority: options.ca === undefined ? undefined : readInput(options.ca),
  });
}

/** A line that is rewritten on a terminal, and left out elsewhere. */
function progress(script: Script): (state: { done: number; total: number; label: string }) => void {
  if (!process.stderr.isTTY) return () => {};
  return ({ done, total }) => {
    process.stderr.write(`\r${script.name}: ${done}/${total}${done === total ? '\n' : ''}`);
  };
}

function checkScriptOptions(name: ScriptName, options: ScriptOptions): void {
  if (name !== 'protect') return;
  if ((options.emrUser ?? []).length === 0) {
    throw new ChartgateError('usage', "protect needs every SQL account of the EMR: --emr-user 'user@host'.");
  }
  if (options.checkerPasswordFile !== undefined && options.apply !== true) {
    throw new ChartgateError('usage', '--checker-password-file takes effect only with --apply.');
  }
}

async function runScript(name: ScriptName, options: ScriptOptions): Promise<void> {
  checkScriptOptions(name, options);
  const names = auditNames({ emrSchema: options.schema, auditSchema: options.auditSchema });
  const checker = parseAccount(options.checkerUser ?? DEFAULT_CHECKER);
  // Read before anything is changed: a script applied without its password would be half the work.
  const password =
    options.checkerPasswordFile === undefined ? undefined : readSecretFile(options.checkerPasswordFile);
  const emrAccounts: Account[] = (options.emrUser ?? []).map(parseAccount);
  const connection = await connect(options);
  try {
    const server = await describeServer(connection);
    const model = await readModel(connection, options.schema);
    const protect = await readProtectOptions(connection, { server, names, emrAccounts, checker });
    const script = generate(model, { names, server, protect })[name];
    const file = options.out === undefined ? undefined : join(options.out, `${name}.sql`);
    if (file !== undefined && options.out !== undefined) {
      mkdirSync(options.out, { recursive: true });
      writeOutput(file, script.text);
    }
    if (options.apply === true) {
      await apply(connection, script, progress(script));
      if (password !== undefined) await setCheckerPassword(connection, checker, password);
    }
    report(script, {
      file,
      applied: options.apply === true,
      tables: model.tables.length,
      json: options.json === true,
    });
  } finally {
    await connection.end();
  }
}

function report(
  script: Script,
  result: {
    readonly file: string | undefined;
    readonly applied: boolean;
    readonly tables: number;
    readonly json: boolean;
  },
): void {
  const { file, applied, tables, json } = result;
  const statements = script.statements.length;
  if (json) {
    console.log(JSON.stringify({ script: script.name, file: file ?? null, statements, tables, applied }));
    return;
  }
  if (file === undefined && !applied) {
    process.stdout.write(script.text);
    return;
  }
  if (file !== undefined) console.log(`${file}: ${statements} statements for ${tables} tables.`);
  console.log(
    applied ? `${script.name} applied.` : 'Nothing was executed; review the file, then use --apply.',
  );
}

async function runBaseline(
  options: ServerOptions & { readonly privateKey: string; readonly out: string },
): Promise<void> {
  const names = auditNames({ emrSchema: options.schema, auditSchema: options.auditSchema });
  const key = readSecretFile(options.privateKey);
  const connection = await connect(options);
  try {
    const bytes = await takeBaseline(connection, names, key);
    writeOutput(options.out, bytes);
    console.log(
      options.json === true
        ? JSON.stringify({ file: options.out, bytes: bytes.length })
        : `${options.out}: the signed baseline of ${options.schema}.`,
    );
  } finally {
    await connection.end();
  }
}

function runKeygen(options: {
  readonly privateKey: string;
  readonly publicKey: string;
  readonly json?: boolean;
}): void {
  const pair = generateKeyPairSync('ed25519');
  writeOutput(options.privateKey, pair.privateKey.export({ type: 'pkcs8', format: 'pem' }), {
    mode: 0o600,
    flag: 'wx',
  });
  writeOutput(options.publicKey, pair.publicKey.export({ type: 'spki', format: 'pem' }), {
    mode: 0o644,
    flag: 'wx',
  });
  console.log(
    options.json === true
      ? JSON.stringify({ privateKey: options.privateKey, publicKey: options.publicKey })
      : `${options.privateKey}: keep it away from the gateway and the checker.\n${options.publicKey}: for the checker's configuration.`,
  );
}

const DESCRIPTIONS: Readonly<Record<ScriptName, string>> = {
  start: 'triggers for every table, the append-only audit tables, and the entry that auditing started',
  stop: 'the entry that auditing stopped, then drop the triggers; for migrations',
  guard: 'the procedures through which the checker sees the catalogue, and the locked account that owns them',
  protect: "least privilege for the EMR's accounts, and the checker's account",
};

/** `chartgate audit-sql …` */
export function register(program: Command): void {
  const parent = program
    .command('audit-sql')
    .description('Generate, and with --apply execute, the audit triggers and grants of an EMR schema.');
  for (const name of ['start', 'stop', 'guard', 'protect'] as const) {
    const command = withServer(parent.command(name).description(DESCRIPTIONS[name]))
      .option('--out <directory>', `write ${name}.sql there instead of printing it`)
      .option('--apply', 'execute it; nothing is executed otherwise');
    if (name === 'protect') {
      command
        .option('--emr-user <user@host>', 'an SQL account of the EMR; repeat for each', collect)
        .option('--checker-user <user@host>', "the checker's SQL account", DEFAULT_CHECKER)
        .option('--checker-password-file <file>', "with --apply: set the checker's password and unlock it");
    }
    command.action((options: ScriptOptions) => runScript(name, options));
  }
  withServer(parent.command('baseline').description('sign the present state as the approved one'))
    .requiredOption('--private-key <file>', 'Ed25519 private key, PEM, readable for its owner only')
    .requiredOption('--out <file>', 'the signed baseline')
    .action(runBaseline);
  parent
    .command('keygen')
    .description('make the Ed25519 pair that signs baselines')
    .requiredOption('--private-key <file>', 'where to put the private key (mode 0600); must not exist')
    .requiredOption('--public-key <file>', 'where to put the public key; must not exist')
    .option('--json', 'print the result as JSON')
    .action(runKeygen);
}
