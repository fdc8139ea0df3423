import type { IncomingMessage, ServerResponse } from 'node:http';
import { Agent } from 'node:http';
import { createProxyServer } from 'http-proxy';
import { listen, serverSettings } from './listen.ts';

/** `http-proxy` as its own documentation shows it, with kept-alive connections to the back end. */
const settings = serverSettings();
const proxy = createProxyServer({
  target: `http://${settings.backEnd.host}:${settings.backEnd.port}`,
  agent: new Agent({ keepAlive: true, maxSockets: 64 }),
});

proxy.on('error', (_error, _request, response) => {
  if ('writeHead' in response) response.writeHead(502);
  response.end();
});

listen(settings, (request, response) => {
  proxy.web(request as IncomingMessage, response as ServerResponse);
});
