import { join } from 'node:path';
import { freePort } from '../../../examples/support/ports.ts';
import { launch } from '../../processes.ts';
import type { ServerSettings } from '../servers/listen.ts';
import type { RunningSubject, Subject, SubjectContext } from '../subject.ts';

function nodeSubject(
  name: string,
  title: string,
  version: () => string,
  options: { readonly http2: boolean },
): Subject {
  return {
    name,
    title,
    compiled: true,
    start: async (context) => startServer(name, version(), options.http2, context),
  };
}

async function startServer(
  name: string,
  version: string,
  http2: boolean,
  context: SubjectContext,
): Promise<RunningSubject> {
  const settings: ServerSettings = {
    certificate: context.certificateFile,
    key: context.keyFile,
    http1Port: await freePort(),
    http2Port: await freePort(),
    backEnd: context.backEnd,
    bodyFile: context.backEnd.bodyFile,
  };
  const running = await launch({
    name,
    command: process.execPath,
    args: [join(import.meta.dirname, '..', 'servers', `${name}.ts`), JSON.stringify(settings)],
    core: context.core,
    log: join(context.directory, 'server.log'),
    port: settings.http1Port,
  });
  return {
    version,
    http1: `localhost:${settings.http1Port}`,
    http2: http2 ? `localhost:${settings.http2Port}` : undefined,
    authority: context.authority,
    token: async () => undefined,
    pids: () => [running.pid],
    verify: async () => [],
    stop: running.stop,
  };
}

const node = (): string => `Node ${process.versions.node}`;

export const answering: Subject = nodeSubject('answering', 'Node answering by itself', node, { http2: true });

export const undici: Subject = nodeSubject('undici', 'bare undici pass-through', node, { http2: true });

/** Its HTTP/2 side goes through `fetch`, which is another program altogether; only HTTP/1.1 is compared. */
export const httpProxy: Subject = nodeSubject('http-proxy', 'bare http-proxy', node, { http2: false });
