import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { CertificateExpiry } from '../contracts/certificates.ts';
import { ChartgateError } from '../contracts/errors.ts';
import { CounterMemory } from './event-totals.ts';
import { type BuildInfo, exposition } from './exposition.ts';

export interface Readiness {
  readonly ready: boolean;
  /** Why not: short texts for the operator. They are shown as they are. */
  readonly reasons: readonly string[];
}

export interface OperationsOptions {
  readonly host: string;
  /** 0 takes any free port. */
  readonly port: number;
  /**
   * The snapshots of all workers (`WorkerTelemetry.snapshot`): an array of promises, one each, so that
   * a slow worker is left out alone; or one promise of all.
   */
  readonly collect: () => Promise<readonly unknown[]> | readonly Promise<unknown>[];
  readonly ready: () => Readiness;
  readonly buildInfo: () => BuildInfo;
  /** When certificates expire. */
  readonly certificates?: () => readonly CertificateExpiry[];
  /** Milliseconds that workers have to answer. Default 1000. */
  readonly collectTimeoutMs?: number;
}

export interface OperationsServer {
  readonly port: number;
  close(): Promise<void>;
}

interface Answer {
  readonly status: number;
  readonly type: string;
  readonly body: string;
}

const PLAIN = 'text/plain; charset=utf-8';
const JSON_TYPE = 'application/json; charset=utf-8';
const NOT_FOUND: Answer = { status: 404, type: PLAIN, body: 'not found\n' };
const NOT_ALLOWED: Answer = { status: 405, type: PLAIN, body: 'method not allowed\n' };
const FAILED: Answer = { status: 500, type: PLAIN, body: 'internal error\n' };
const ALIVE: Answer = { status: 200, type: PLAIN, body: 'alive\n' };
const READY: Answer = { status: 200, type: PLAIN, body: 'ready\n' };
const NOT_READY: Answer = { status: 503, type: PLAIN, body: 'not ready\n' };

/**
 * The listener for operations: `/metrics` (Prometheus text, all workers added up), `/ready` (200 or 503
 * with the reasons as JSON), `/live`. Plain HTTP, meant for loopback. Answers hold nothing of a request.
 * @throws ChartgateError configuration-invalid when the address cannot be listened on
 */
export async function createOperationsServer(options: OperationsOptions): Promise<OperationsServer> {
  const memory = new CounterMemory();
  const metrics = shared(() => renderMetrics(options, memory));
  const routes: Readonly<Record<string, () => Answer | Promise<Answer>>> = {
    '/metrics': metrics,
    '/ready': () => readiness(options),
    '/live': () => ALIVE,
  };
  return serve(options, 'operations', (request) => answer(request, routes));
}

/**
 * The listener for health checks of balancers on other machines: 200 or 503 on every path, and not a word of why. Plain
 * HTTP.
 * @throws ChartgateError configuration-invalid when the address cannot be listened on
 */
export async function createReadinessServer(
  { host, port }: { readonly host: string; readonly port: number },
  ready: () => Readiness,
): Promise<OperationsServer> {
  return serve(
    { host, port },
    'readiness',
    (request) => {
      if (request.method !== 'GET' && request.method !== 'HEAD' && request.method !== 'OPTIONS')
        return NOT_ALLOWED;
      return isReady(ready) ? READY : NOT_READY;
    },
    // Others may reach it. Whoever fills it up has the gateway taken out, so that nobody keeps a place for long.
    { most: 1024, headersMs: 2000, keptMs: 1 },
  );
}

function isReady(ready: () => Readiness): boolean {
  try {
    return ready().ready === true;
  } catch {
    return false;
  }
}

async function serve(
  place: Pick<OperationsOptions, 'host' | 'port'>,
  name: string,
  answerTo: (request: IncomingMessage) => Answer | Promise<Answer>,
  bounds = { most: 64, headersMs: 5000, keptMs: 30_000 },
): Promise<OperationsServer> {
  const { most, headersMs, keptMs } = bounds;
  const server = createServer(
    // Nothing here has a body or long headers; a slow client must not hold a connection.
    {
      maxHeaderSize: 8192,
      headersTimeout: headersMs,
      requestTimeout: headersMs,
      keepAliveTimeout: keptMs,
      connectionsCheckingInterval: 1000,
    },
    (request, response) => {
      request.resume();
      Promise.try(answerTo, request).then(
        (found) => send(request, response, found),
        () => send(request, response, FAILED),
      );
    },
  );
  server.maxConnections = most;
  server.on('clientError', (_error, socket) => socket.destroy());
  await listen(server, place, name);
  return {
    port: (server.address() as AddressInfo).port,
    async close() {
      await new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      });
    },
  };
}

async function answer(
  request: IncomingMessage,
  routes: Readonly<Record<string, () => Answer | Promise<Answer>>>,
): Promise<Answer> {
  const path = request.url?.split('?', 1)[0] ?? '';
  const route = Object.hasOwn(routes, path) ? routes[path] : undefined;
  if (route === undefined || !sameMachine(request)) return NOT_FOUND;
  if (request.method !== 'GET' && request.method !== 'HEAD') return NOT_ALLOWED;
  return await route();
}

/**
 * On loopback the name in `Host` must be loopback too. Otherwise a web page that an administrator
 * looks at on this machine could read the metrics by pointing its own name at 127.0.0.1 (DNS rebinding).
 */
function sameMachine(request: IncomingMessage): boolean {
  const local = request.socket.localAddress ?? '';
  if (!/^(::ffff:)?127\.|^::1$/.test(local)) return true;
  return /^(localhost|127\.\d{1,3}\.\d{1,3}\.\d{1,3}|\[::1\])(:\d{1,5})?$/i.test(request.headers.host ?? '');
}

function send(request: IncomingMessage, response: ServerResponse, { status, type, body }: Answer): void {
  const bytes = Buffer.from(body);
  response.writeHead(status, {
    'content-type': type,
    'content-length': bytes.length,
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
    ...(status === 405 ? { allow: 'GET, HEAD' } : {}),
  });
  response.end(request.method === 'HEAD' ? undefined : bytes);
}

function readiness(options: OperationsOptions): Answer {
  let state: Readiness;
  try {
    state = options.ready();
  } catch {
    state = { ready: false, reasons: ['internal'] };
  }
  const ready = state.ready === true;
  const body = `${JSON.stringify({ ready, reasons: state.reasons })}\n`;
  return { status: ready ? 200 : 503, type: JSON_TYPE, body };
}

async function renderMetrics(options: OperationsOptions, memory: CounterMemory): Promise<Answer> {
  const { answers, silent } = await gather(options.collect, options.collectTimeoutMs ?? 1000);
  const own = {
    build: options.buildInfo(),
    certificates: options.certificates?.() ?? [],
    silent,
  };
  const { contentType, text } = await exposition(answers, own, memory);
  return { status: 200, type: contentType, body: text };
}

/** Whatever came in time. A promise of all that is late or fails counts as one silent worker. */
async function gather(
  collect: OperationsOptions['collect'],
  timeoutMs: number,
): Promise<{ readonly answers: readonly unknown[]; readonly silent: number }> {
  const late = Symbol('late');
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<typeof late>((resolve) => {
    timer = setTimeout(resolve, timeoutMs, late);
  });
  const inTime = (promise: Promise<unknown>): Promise<unknown> =>
    Promise.race([promise, timeout]).catch(() => late);
  try {
    const source = collect();
    if (source instanceof Promise) {
      const all = await inTime(source);
      return Array.isArray(all) ? { answers: all, silent: 0 } : { answers: [], silent: 1 };
    }
    const each = await Promise.all(source.map(inTime));
    const answers = each.filter((one) => one !== late);
    return { answers, silent: each.length - answers.length };
  } catch {
    return { answers: [], silent: 1 };
  } finally {
    clearTimeout(timer);
  }
}

/** Several scrapers at once share one collection. */
function shared(make: () => Promise<Answer>): () => Promise<Answer> {
  let current: Promise<Answer> | undefined;
  return () => {
    current ??= make().finally(() => {
      current = undefined;
    });
    return current;
  };
}

async function listen(
  server: Server,
  { host, port }: Pick<OperationsOptions, 'host' | 'port'>,
  name: string,
): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', (cause: NodeJS.ErrnoException) => {
      const message = `The ${name} listener cannot listen on ${host}, port ${port} (${cause.code ?? 'unknown'}).`;
      reject(new ChartgateError('configuration-invalid', message, { cause }));
    });
    server.listen({ host, port, exclusive: true }, resolve);
  });
}
