import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ISSUER_KEY_HEADER, issuerKey, type Revocation } from '../../../contracts/issuer-link.ts';

export const ISSUER = 'https://id.clinic.localhost';
export const LINK_SECRET = 'a secret of sixteen bytes or more';

/** The issuer's end of the socket, as contracts/issuer-link.ts has it, with a feed that a test holds in its hand. */
export interface SocketIssuer {
  readonly socket: string;
  keys: readonly Record<string, unknown>[];
  introspection: (token: string) => unknown;
  introspected: number;
  /** Requests without the key, which a real one would not answer. */
  unknown: number;
  /** What a new connection is told first. */
  live: Revocation[];
  /** Whether a new connection is told that it knows everything. */
  complete: boolean;
  tell(revocation: Revocation): void;
  raw(text: string): void;
  /** Ends the feeds, and takes new ones no more until `resume`. */
  cut(): void;
  resume(): void;
  stop(): Promise<void>;
}

export async function startSocketIssuer(): Promise<SocketIssuer> {
  const folder = mkdtempSync(join(tmpdir(), 'chartgate-feed-'));
  const socket = join(folder, 'issuer.sock');
  const feeds = new Set<ServerResponse>();
  let refusing = false;
  let next = 1;
  const frame = (revocation: Revocation) =>
    `id: ${next++}\nevent: revocation\ndata: ${JSON.stringify(revocation)}\n\n`;

  const issuer: SocketIssuer = {
    socket,
    keys: [],
    introspection: () => ({ active: true }),
    introspected: 0,
    unknown: 0,
    live: [],
    complete: true,
    tell: (revocation) => {
      issuer.live.push(revocation);
      for (const feed of feeds) feed.write(frame(revocation));
    },
    raw: (text) => {
      for (const feed of feeds) feed.write(text);
    },
    cut: () => {
      refusing = true;
      for (const feed of feeds) feed.destroy();
      feeds.clear();
    },
    resume: () => {
      refusing = false;
    },
    stop: async () => {
      clearInterval(beat);
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      rmSync(folder, { recursive: true, force: true });
    },
  };
  const beat = setInterval(() => issuer.raw(':\n'), 500);

  const server: Server = createServer((request, response) => void answer(request, response));
  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (request.headers[ISSUER_KEY_HEADER] !== issuerKey(Buffer.from(LINK_SECRET))) {
      issuer.unknown += 1;
      response.writeHead(404).end();
      return;
    }
    const json = (body: unknown) => {
      response.writeHead(200, { 'content-type': 'application/json' });
      response.end(JSON.stringify(body));
    };
    switch (request.url) {
      case '/.well-known/openid-configuration':
        json({ issuer: ISSUER, jwks_uri: `${ISSUER}/jwks`, introspection_endpoint: `${ISSUER}/introspect` });
        return;
      case '/jwks':
        json({ keys: issuer.keys });
        return;
      case '/introspect': {
        issuer.introspected += 1;
        let form = '';
        for await (const chunk of request) form += String(chunk);
        json(issuer.introspection(new URLSearchParams(form).get('token') ?? ''));
        return;
      }
      case '/internal/revocations':
        if (refusing) {
          response.writeHead(503).end();
          return;
        }
        response.writeHead(200, { 'content-type': 'text/event-stream' });
        for (const revocation of issuer.live) response.write(frame(revocation));
        if (issuer.complete) response.write('event: current\ndata: {}\n\n');
        else response.flushHeaders();
        feeds.add(response);
        response.once('close', () => feeds.delete(response));
        return;
      default:
        response.writeHead(404).end();
    }
  }
  server.listen(socket);
  await once(server, 'listening');
  return issuer;
}
