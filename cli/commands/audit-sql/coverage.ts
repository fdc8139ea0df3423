import { isLoopback, readSecretFile } from '../../../audit-sql/connect.ts';
import {
  type BinlogRequest,
  binlogCoverage,
  binlogSource,
  certificate,
  describeServer,
  generateAudit,
  readCoverage,
  readModel,
  withBinaryLog,
} from '../../../audit-sql/index.ts';
import { EXIT } from '../../output.ts';
import type { ServerOptions } from './options.ts';
import { onServer, print, printJson, wholeNumber } from './server.ts';

export interface CoverageOptions extends ServerOptions {
  readonly binlog?: boolean;
  readonly binlogFile?: readonly string[];
  readonly binlogProgram?: string;
  readonly binlogSince?: string;
}

function requestOf(options: CoverageOptions): BinlogRequest {
  const { host, socket, user } = options;
  return {
    program: options.binlogProgram,
    files: options.binlogFile ?? [],
    since: options.binlogSince,
    reach: {
      host,
      port: options.port === undefined ? undefined : wholeNumber('--port', options.port, 1, 65_535),
      socket,
      user,
      password: options.passwordFile === undefined ? undefined : readSecretFile(options.passwordFile),
      authorityFile: options.ca,
      encrypted: socket === undefined && (options.ca !== undefined || !isLoopback(host ?? '127.0.0.1')),
    },
  };
}

/** Prints the certificate; exit code 1 when anything is not covered. */
export async function runCoverage(options: CoverageOptions): Promise<void> {
  const report = await onServer(options, async (connection, names) => {
    const server = await describeServer(connection);
    const model = await readModel(connection, options.schema);
    const { start } = generateAudit(model, { names, server });
    const live = await readCoverage(connection, { names, server, model, start });
    if (options.binlog !== true) return live;
    const { source, auditing } = await binlogSource(connection, {
      names,
      server,
      request: requestOf(options),
    });
    const { engine } = server;
    return withBinaryLog(live, await binlogCoverage(connection, { names, engine, model, source, auditing }));
  });
  if (options.json === true) await printJson(report);
  else await print(certificate(report));
  process.exitCode = report.covered ? EXIT.ok : EXIT.finding;
}
