import { createServer, type IncomingMessage, type ServerResponse, STATUS_CODES } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { openDatabase } from './database.ts';
import { DOCUMENT_ROUTES } from './documents.ts';
import { type Emr, type Exchange, type RouteEntry, send } from './exchange.ts';
import { sendFailure } from './failure.ts';
import { Feed } from './feed.ts';
import { FHIR_ROUTES } from './fhir/interface.ts';
import { LOGIN_ROUTES } from './login.ts';
import { PAGE_ROUTES } from './pages.ts';
import { Recorder } from './recorder.ts';
import type { EmrSettings } from './settings.ts';
import { STATIC_ROUTES } from './static.ts';
import { STATUS_PATH, STREAM_ROUTES } from './streams.ts';

const LISTEN = '127.0.0.1';
const ROUTES: readonly RouteEntry[] = [
  ...FHIR_ROUTES,
  ...LOGIN_ROUTES,
  ...PAGE_ROUTES,
  ...DOCUMENT_ROUTES,
  ...STREAM_ROUTES,
  ...STATIC_ROUTES,
];

export interface RunningEmr {
  readonly port: number;
  /** Ends every connection and the pool. */
  stop(): Promise<void>;
}

function split(url: string): { path: string; query: URLSearchParams } {
  const at = url.indexOf('?');
  const path = at < 0 ? url : url.slice(0, at);
  return { path: decodeURIComponent(path), query: new URLSearchParams(at < 0 ? '' : url.slice(at + 1)) };
}

/** Old servers tell what they are, with versions. */
function boast(emr: Emr, response: ServerResponse): void {
  response.setHeader('Server', `${emr.product} (Unix) mysql2`);
  response.setHeader('X-Powered-By', `${emr.product} on ${emr.database.version}`);
}

async function answer(emr: Emr, request: IncomingMessage, response: ServerResponse): Promise<void> {
  boast(emr, response);
  const base = { emr, request, response, captures: [] };
  let parts: ReturnType<typeof split>;
  try {
    parts = split(request.url ?? '/');
  } catch (error) {
    sendFailure({ ...base, path: '', query: new URLSearchParams() }, error);
    return;
  }
  const exchange: Exchange = { ...base, ...parts };
  const method = request.method === 'HEAD' ? 'GET' : request.method;
  const allowed = new Set<string>();
  try {
    for (const [routeMethod, pattern, handler] of ROUTES) {
      const found = pattern.exec(parts.path);
      if (found === null) continue;
      allowed.add(routeMethod);
      if (routeMethod !== method) continue;
      await handler({ ...exchange, captures: found.slice(1) });
      return;
    }
    if (allowed.size === 0) send(exchange, 404, 'text/plain', `${parts.path} was not found on this server\n`);
    else {
      response.setHeader('Allow', [...allowed].join(', '));
      send(exchange, 405, 'text/plain', `${request.method} is not allowed\n`);
    }
  } catch (error) {
    sendFailure(exchange, error);
  }
}

function refuseUpgrade(emr: Emr, socket: Duplex): void {
  socket.end(
    `HTTP/1.1 404 ${STATUS_CODES[404]}\r\nServer: ${emr.product}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`,
  );
}

/** Starts the system on the loopback interface. @throws when the database or the port is not to be had */
export async function startEmr(settings: EmrSettings): Promise<RunningEmr> {
  const database = await openDatabase(settings.database);
  const server = createServer({ keepAliveTimeout: 15_000 });
  const { promise: listening, resolve, reject } = Promise.withResolvers<void>();
  server.once('error', reject);
  server.listen(settings.port, LISTEN, resolve);
  try {
    await listening;
  } catch (error) {
    await database.close();
    throw error;
  }
  const { port } = server.address() as AddressInfo;
  const origin = settings.publicUrl ?? `http://${LISTEN}:${port}`;
  const recorder = new Recorder();
  const { hostname } = new URL(origin);
  const emr: Emr = {
    clinic: settings.clinic,
    origin,
    hostname,
    product: 'Paperleaf/3.2.1',
    database,
    recorder,
  };
  const feed = new Feed(emr);

  server.on('request', (request: IncomingMessage, response: ServerResponse) => {
    if (request.url?.split('?')[0] !== STATUS_PATH) {
      const seen = recorder.note(request, 'request');
      response.once('close', () => {
        seen.status = response.headersSent ? response.statusCode : 0;
      });
    }
    void answer(emr, request, response);
  });
  server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    const seen = recorder.note(request, 'upgrade');
    socket.on('error', () => socket.destroy());
    const wanted = request.url?.split('?')[0] === '/feed';
    seen.status = wanted ? 101 : 404;
    if (wanted) feed.upgrade(request, socket, head);
    else refuseUpgrade(emr, socket);
  });

  return {
    port,
    stop: async () => {
      feed.close();
      const closed = new Promise<void>((done) => server.close(() => done()));
      server.closeAllConnections();
      await closed;
      await database.close();
    },
  };
}
