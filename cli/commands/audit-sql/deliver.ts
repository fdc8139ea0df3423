import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import {
  type ApplyOptions,
  type ApplyReport,
  type AuditNames,
  apply,
  type PreflightFinding,
  preflight,
  type Script,
  type ServerDescription,
} from '../../../audit-sql/index.ts';
import { ChartgateError } from '../../../contracts/errors.ts';
import type { ServerOptions } from './options.ts';
import { type Connection, connect, print, printJson, wholeNumber, writeOutput } from './server.ts';

/** Options of every command that makes a script. */
export interface DeliverOptions extends ServerOptions {
  readonly out?: string;
  readonly apply?: boolean;
  readonly lockTimeout?: string;
  readonly acceptCascadesAboveInnodb?: boolean;
}

/** Faults in the options that must be said before anything is read or done. */
export function checkDelivery(options: DeliverOptions): void {
  if (options.lockTimeout !== undefined) wholeNumber('--lock-timeout', options.lockTimeout, 1, 86_400);
}

/** A line that is rewritten on a terminal, and left out elsewhere. */
function progress(script: Script): (state: { done: number; total: number; label: string }) => void {
  if (!process.stderr.isTTY) return () => {};
  return ({ done, total, label }) => {
    const line = `${script.name}: ${done}/${total} ${label}`.slice(0, (process.stderr.columns ?? 80) - 1);
    process.stderr.write(`\r\x1b[K${done === total ? `${script.name}: ${done}/${total}\n` : line}`);
  };
}

function writeScript(script: Script, folder: string): string {
  try {
    mkdirSync(folder, { recursive: true });
  } catch (error) {
    throw new ChartgateError('usage', `The folder ${folder} cannot be made.`, { cause: error });
  }
  const file = join(folder, `${script.name}.sql`);
  writeOutput(file, script.text);
  return file;
}

/**
 * Looks at the server before anything is changed; warnings go to standard error.
 * @throws ChartgateError `privilege-missing` with everything that stands in the way
 */
async function lookBefore(
  connection: Connection,
  server: ServerDescription,
  names: AuditNames,
  script: Script,
  acceptCascadesAboveInnodb: boolean,
): Promise<void> {
  const findings = await preflight(connection, { server, names, script, acceptCascadesAboveInnodb });
  const sentence = ({ sentence: what, remedy }: PreflightFinding): string =>
    remedy === '' ? what : `${what} ${remedy}`;
  for (const finding of findings.filter(({ severity }) => severity === 'warn')) {
    console.error(`warning: ${sentence(finding)}`);
  }
  const stops = findings.filter(({ severity }) => severity === 'stop');
  if (stops.length === 0) return;
  throw new ChartgateError(
    'privilege-missing',
    `The script "${script.name}" was not begun:\n${stops.map((finding) => `- ${sentence(finding)}`).join('\n')}`,
  );
}

export interface Delivered {
  readonly file: string | undefined;
  readonly applied: ApplyReport | undefined;
}

/** Writes the script with --out, and executes it with --apply. */
export async function deliver(
  connection: Connection,
  script: Script,
  options: DeliverOptions,
  about: {
    readonly names: AuditNames;
    readonly server: ServerDescription;
    readonly wanted?: ApplyOptions['wanted'];
  },
): Promise<Delivered> {
  const file = options.out === undefined ? undefined : writeScript(script, options.out);
  if (options.apply !== true) return { file, applied: undefined };
  const accepted = options.acceptCascadesAboveInnodb === true;
  await lookBefore(connection, about.server, about.names, script, accepted);
  const applied = await apply(connection, script, {
    names: about.names,
    onProgress: progress(script),
    reconnect: () => connect(options),
    ...(about.wanted === undefined ? {} : { wanted: about.wanted }),
    ...(options.lockTimeout === undefined ? {} : { lockTimeoutSeconds: Number(options.lockTimeout) }),
  });
  return { file, applied };
}

/** Says what was done; the script itself when it was neither written nor executed. */
export async function report(
  script: Script,
  delivered: Delivered,
  about: {
    readonly tables: number;
    readonly json: boolean;
    readonly more?: Readonly<Record<string, unknown>>;
  },
): Promise<void> {
  const { file, applied } = delivered;
  const statements = script.statements.length;
  if (about.json) {
    await printJson({
      script: script.name,
      file: file ?? null,
      statements,
      tables: about.tables,
      applied: applied !== undefined,
      skipped: applied?.skipped ?? 0,
      ...about.more,
    });
    return;
  }
  if (file === undefined && applied === undefined) {
    await print(script.text);
    return;
  }
  if (file !== undefined) await print(`${file}: ${statements} statements for ${about.tables} tables.\n`);
  if (applied === undefined) {
    await print('Nothing was executed; review the file, then use --apply.\n');
    return;
  }
  const skipped =
    applied.skipped === 0 ? '' : ` ${applied.skipped} of ${statements} statements were not needed.`;
  await print(`${script.name} applied.${skipped}\n`);
}
