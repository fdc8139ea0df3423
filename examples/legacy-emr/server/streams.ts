import { type Exchange, parameter, type RouteEntry, send } from './exchange.ts';
import { sendPage } from './html.ts';

const TICK_MS = 200;
const SLOWEST_MS = 30_000;

/** A report that takes `?ms=` milliseconds, 30 s at most. */
async function slow(exchange: Exchange): Promise<void> {
  const asked = Number.parseInt(parameter(exchange, 'ms') ?? '1000', 10) || 0;
  const ms = Math.min(Math.max(asked, 0), SLOWEST_MS);
  const done = Promise.withResolvers<void>();
  const timer = setTimeout(done.resolve, ms);
  exchange.response.once('close', () => {
    clearTimeout(timer);
    done.resolve();
  });
  await done.promise;
  if (exchange.response.destroyed) return;
  sendPage(exchange, { title: 'Report', body: `<p>The report took ${ms} ms.</p>` });
}

/** Server-sent events: the waiting room, every 200 ms. */
function events(exchange: Exchange): void {
  const { request, response } = exchange;
  response.writeHead(200, { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-cache' });
  if (request.method === 'HEAD') {
    response.end();
    return;
  }
  let tick = 0;
  const send = (): void => {
    tick += 1;
    response.write(`id: ${tick}\nevent: tick\ndata: ${JSON.stringify({ tick, waiting: tick % 7 })}\n\n`);
  };
  send();
  const timer = setInterval(send, TICK_MS);
  response.once('close', () => clearInterval(timer));
}

/** What the system received lately: the kind of page that old servers leave open. Not counted itself. */
function status(exchange: Exchange): void {
  const { product, clinic, recorder } = exchange.emr;
  const { startedAt, total, requests } = recorder;
  const body = JSON.stringify({ product, clinic, startedAt, total, requests }, undefined, 1);
  send(exchange, 200, 'application/json', body);
}

/** The path of the status page. */
export const STATUS_PATH = '/server-status';

export const STREAM_ROUTES: readonly RouteEntry[] = [
  ['GET', /^\/slow$/, slow],
  ['GET', /^\/events$/, events],
  ['GET', /^\/server-status$/, status],
  ['GET', /^\/healthz$/, (exchange) => send(exchange, 200, 'text/plain', 'ok\n')],
];
