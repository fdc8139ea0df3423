import { readFileSync } from 'node:fs';
import type { ServerResponse } from 'node:http';
import { listen, serverSettings } from './listen.ts';

/** Node answering by itself: what no proxy on Node can exceed. */
const settings = serverSettings();
const body = readFileSync(settings.bodyFile);

listen(settings, (_request, response) => {
  (response as ServerResponse).writeHead(200, {
    'content-type': 'application/fhir+json',
    'content-length': body.length,
  });
  response.end(body);
});
