import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { extname } from 'node:path';
import { capture, type Exchange, type RouteEntry, send } from './exchange.ts';

const FOLDER = new URL('../static/', import.meta.url);
const TYPES: Readonly<Record<string, string>> = {
  '.css': 'text/css',
  '.js': 'text/javascript',
  '.svg': 'image/svg+xml',
};

interface Asset {
  readonly type: string;
  readonly bytes: Buffer;
  readonly etag: string;
  readonly modified: string;
}

const ASSETS: ReadonlyMap<string, Asset> = new Map(
  readdirSync(FOLDER).map((name) => {
    const file = new URL(name, FOLDER);
    const bytes = readFileSync(file);
    const asset: Asset = {
      type: TYPES[extname(name)] ?? 'application/octet-stream',
      bytes,
      etag: `"${createHash('md5').update(bytes).digest('hex').slice(0, 16)}"`,
      modified: statSync(file).mtime.toUTCString(),
    };
    return [name, asset];
  }),
);

function asset(exchange: Exchange): void {
  const found = ASSETS.get(capture(exchange, 0));
  if (found === undefined) {
    send(exchange, 404, 'text/plain', 'No such file\n');
    return;
  }
  const { request, response } = exchange;
  response.setHeader('ETag', found.etag);
  response.setHeader('Last-Modified', found.modified);
  response.setHeader('Cache-Control', 'public, max-age=3600');
  if (request.headers['if-none-match'] === found.etag) {
    response.statusCode = 304;
    response.end();
    return;
  }
  send(exchange, 200, found.type, found.bytes);
}

export const STATIC_ROUTES: readonly RouteEntry[] = [['GET', /^\/static\/([^/]+)$/, asset]];
