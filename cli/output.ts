import { writeSync } from 'node:fs';
import { ChartgateError, ConfigurationError } from '../contracts/errors.ts';

/**
 * Exit codes of every command. 0: done. 1: the thing checked is not as it should be. 2: wrong usage.
 * 3: a file that a person wrote is wrong. 4: something needed (a server, a file) was not there. 70: our own fault.
 */
export const EXIT = Object.freeze({
  ok: 0,
  finding: 1,
  usage: 2,
  configuration: 3,
  unavailable: 4,
  internal: 70,
});

/** What a script gets that asked for JSON: one line on standard output, `{"error":{"code","message"}}`. */
export function failJson(error: unknown): void {
  if (!process.argv.includes('--json')) return;
  const known = error instanceof ChartgateError;
  const said = {
    code: known ? error.code : 'internal',
    message: known ? error.message : 'internal error',
    ...(error instanceof ConfigurationError ? { faults: error.faults } : {}),
  };
  try {
    writeSync(1, `${JSON.stringify({ error: said })}\n`);
  } catch {
    // Nobody reads it.
  }
}

/** Prints what went wrong for a person, without a stack trace unless it is our own fault, and ends the process. */
export function fail(error: unknown): never {
  failJson(error);
  if (error instanceof ConfigurationError) {
    console.error(error.message);
    console.error(`${error.faults.length} fault${error.faults.length === 1 ? '' : 's'}.`);
    process.exit(EXIT.configuration);
  }
  if (error instanceof ChartgateError) {
    console.error(`chartgate: ${error.message}`);
    process.exit(exitCode(error));
  }
  console.error('chartgate: internal error; please report it with the lines below.');
  console.error(error instanceof Error ? error.stack : String(error));
  process.exit(EXIT.internal);
}

function exitCode(error: ChartgateError): number {
  switch (error.code) {
    case 'usage':
      return EXIT.usage;
    case 'configuration-invalid':
    case 'policy-invalid':
    case 'secret-exposed':
    case 'baseline-invalid':
      return EXIT.configuration;
    case 'activity-log-broken':
    case 'seal-broken':
    case 'audit-trail-broken':
      return EXIT.finding;
    case 'internal':
      return EXIT.internal;
    default:
      return EXIT.unavailable;
  }
}
