import {
  describeServer,
  generateAudit,
  readModel,
  type VerifyOptions,
  verify,
  verifyJson,
  verifyText,
} from '../../../audit-sql/index.ts';
import { EXIT } from '../../output.ts';
import type { ServerOptions } from './options.ts';
import { onServer, print, printJson } from './server.ts';

export interface VerifyCommandOptions extends ServerOptions {
  /** `true` without a table: all of them. */
  readonly content?: true | readonly string[];
  readonly keys?: boolean;
}

function progress(): VerifyOptions['onProgress'] {
  if (!process.stderr.isTTY) return undefined;
  return ({ step, done, total }) => {
    process.stderr.write(`\r\x1b[K${step}: ${done}${total === undefined ? '' : `/${total}`}`);
  };
}

/** Checks definitions, trail and, with --content, the rows themselves; exit code 1 when anything is found. */
export async function runVerify(options: VerifyCommandOptions): Promise<void> {
  const report = await onServer(options, async (connection, names) => {
    const server = await describeServer(connection);
    const model = await readModel(connection, options.schema);
    const { start } = generateAudit(model, { names, server });
    return verify(connection, {
      names,
      server,
      model,
      start,
      content: options.content,
      onProgress: progress(),
    });
  });
  if (process.stderr.isTTY) process.stderr.write('\r\x1b[K');
  const keys = options.keys === true;
  if (options.json === true) await printJson(verifyJson(report, keys));
  else await print(verifyText(report, keys));
  process.exitCode = report.ok ? EXIT.ok : EXIT.finding;
}
