import { directRows, guardedRows, originOf, readVerifier } from '../../../integrity-checker/seal/index.ts';
import { type OnProgress, sealReportText, verifySeal } from '../../../integrity-checker/seal/verify/index.ts';
import { EXIT } from '../../output.ts';
import type { ServerOptions } from '../audit-sql/options.ts';
import { onServer, print, printJson, readInput } from '../audit-sql/server.ts';

interface VerifyOptions extends ServerOptions {
  readonly sealed: string;
  readonly publicKey: string;
  readonly database: string;
  readonly expect?: readonly string[];
  readonly direct?: true;
}

/** Lines a second for a person who waits; nothing for a script. */
function progress(): OnProgress | undefined {
  if (!process.stderr.isTTY) return undefined;
  let shown = 0;
  return ({ step, done, total }) => {
    const now = performance.now();
    if (now - shown < 100) return;
    shown = now;
    process.stderr.write(`\r\x1b[K${step}: ${done}${total === undefined ? '' : `/${total}`}`);
  };
}

/** Exit code 1 when anything is found. */
export async function runVerify(options: VerifyOptions): Promise<void> {
  const verifier = readVerifier(readInput(options.publicKey).toString('utf8'), originOf(options.database));
  const report = await onServer(options, async (connection, names) => {
    if (options.direct === true) await connection.query('SET NAMES utf8mb4 COLLATE utf8mb4_bin');
    const reader =
      options.direct === true
        ? directRows(connection, names.auditSchema)
        : guardedRows(connection, names.auditSchema);
    return verifySeal({
      path: options.sealed,
      verifier,
      reader,
      expected: options.expect ?? [],
      onProgress: progress(),
    });
  });
  if (process.stderr.isTTY) process.stderr.write('\r\x1b[K');
  if (options.json === true) await printJson(report);
  else await print(sealReportText(report));
  process.exitCode = report.ok ? EXIT.ok : EXIT.finding;
}
