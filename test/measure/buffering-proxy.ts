import { Agent, request } from 'node:http';
import { listen, serverSettings } from '../../measure/hot-path/servers/listen.ts';

/** What a proxy must not be: it takes the whole answer into memory before it passes it on. */
const settings = serverSettings();
const agent = new Agent({ keepAlive: true });

listen(settings, (incoming, outgoing) => {
  const sent = request({ ...settings.backEnd, agent, method: incoming.method, path: incoming.url });
  sent.once('response', (answer) => {
    const chunks: Buffer[] = [];
    answer.on('data', (chunk: Buffer) => chunks.push(chunk));
    answer.once('end', () => {
      outgoing.statusCode = answer.statusCode ?? 502;
      (outgoing as import('node:http').ServerResponse).end(Buffer.concat(chunks));
    });
  });
  incoming.pipe(sent);
});
