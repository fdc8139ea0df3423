import { existsSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type Browser, chromium } from 'playwright-core';
import {
  createSite,
  type Page as RenderedPage,
  type Site,
  type SiteSettings,
} from '../../../../console/index.ts';

/** Where Debian's packages put it. */
const CHROMIUM = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];

/** The real browser. Root may not use its sandbox, and tests in containers run as root. */
export function openBrowser(): Promise<Browser> {
  const executablePath = CHROMIUM.find((path) => existsSync(path));
  if (executablePath === undefined) {
    throw new Error(
      'Chromium is missing. Install it with: sudo apt-get install -y --no-install-recommends chromium',
    );
  }
  return chromium.launch({
    executablePath,
    args: process.getuid?.() === 0 ? ['--no-sandbox'] : [],
  });
}

export interface PageServer {
  /** `http://localhost:PORT`: a secure context, so that passkeys work. */
  readonly origin: string;
  readonly site: Site;
  /** Requests other than for pages and assets, such as a form's, in order. */
  readonly posts: {
    readonly path: string;
    readonly headers: IncomingMessage['headers'];
    readonly body: string;
  }[];
  /** Paths that were asked for and not there. */
  readonly missing: string[];
  close(): Promise<void>;
}

/** Serves pages as a gateway would: the headers that the pages come with, and the assets. */
export async function servePages(
  settings: SiteSettings,
  pages: Readonly<Record<string, (site: Site) => RenderedPage>>,
): Promise<PageServer> {
  const posts: PageServer['posts'] = [];
  const missing: string[] = [];
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const path = new URL(request.url ?? '/', 'http://localhost').pathname;
    const asset = site.asset(path);
    const page = pages[path.slice(1)];
    if (request.method === 'POST') {
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(chunk as Buffer);
      posts.push({
        path: request.url ?? '',
        headers: request.headers,
        body: Buffer.concat(chunks).toString(),
      });
      response.writeHead(200, { 'content-type': 'text/plain' }).end('taken');
    } else if (asset !== undefined) response.writeHead(200, asset.headers).end(asset.body);
    else if (page !== undefined) {
      const made = page(site);
      response.writeHead(200, made.headers).end(made.html);
    } else {
      missing.push(path);
      response.writeHead(404).end();
    }
  };
  const server = createServer((request, response) => void answer(request, response));
  await new Promise<void>((resolve) => server.listen(0, 'localhost', resolve));
  const origin = `http://localhost:${(server.address() as AddressInfo).port}`;
  const site = createSite({ ...settings, origins: [origin] });
  return {
    origin,
    site,
    posts,
    missing,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
