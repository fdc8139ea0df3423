import { fileURLToPath } from 'node:url';
import { Service } from '../support/service.ts';

export interface LaunchedFhirServer {
  readonly origin: string;
  stop(): Promise<unknown>;
}

/** Starts `main.ts` as a process of its own and waits until it listens. It ends with this process. */
export async function launchFhirServer(options: {
  /** For its messages. */
  readonly name: string;
  readonly logFile: string;
  /** Resources to begin with: one JSON a line. */
  readonly load?: string;
  /** SQLite file; in memory when not given. */
  readonly database?: string;
}): Promise<LaunchedFhirServer> {
  const service = new Service({
    name: options.name,
    command: process.execPath,
    args: [
      fileURLToPath(new URL('./main.ts', import.meta.url)),
      ...(options.load === undefined ? [] : ['--load', options.load]),
      ...(options.database === undefined ? [] : ['--database', options.database]),
    ],
    ready: /^listening on \d+/,
    logFile: options.logFile,
  });
  await service.start();
  const port = /\d+/.exec(service.readyLine)?.[0] ?? '0';
  return { origin: `http://127.0.0.1:${port}`, stop: () => service.stop() };
}
