import { startEmr } from './server/application.ts';
import { readSettings } from './server/settings.ts';

/**
 * Paperleaf, the legacy EMR of the demo, as a process of its own. Insecure on purpose: see README.md.
 * Prints `listening on PORT` when it is ready; SIGTERM or SIGINT ends it.
 */
try {
  const emr = await startEmr(readSettings(process.env));
  const stop = (): void => {
    emr.stop().then(
      () => process.exit(0),
      () => process.exit(1),
    );
  };
  process.once('SIGTERM', stop);
  process.once('SIGINT', stop);
  process.stdout.write(`listening on ${emr.port}\n`);
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
