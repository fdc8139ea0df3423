import { readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createPool } from 'mysql2/promise';
import { answer, type Reply } from './answers.ts';

/**
 * A FHIR facade over the demo EMR's tables, as such systems have them: it shows what it knows by status, text, size
 * and time. A process of its own.
 */
const { BACK_END_DATABASE = '{}' } = process.env;
const { host, port, name, user, passwordFile, listen } = JSON.parse(BACK_END_DATABASE) as Record<
  string,
  string
>;
const pool = createPool({
  host: host ?? '127.0.0.1',
  port: Number(port),
  database: name ?? '',
  user: user ?? '',
  password: readFileSync(passwordFile ?? '', 'utf8').trim(),
  connectionLimit: 24,
  dateStrings: true,
});

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
}

async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
  let reply: Reply;
  try {
    reply = await answer(pool, request, await bodyOf(request));
  } catch (error) {
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
    reply = {
      status: 500,
      body: {
        resourceType: 'OperationOutcome',
        issue: [{ severity: 'fatal', code: 'exception', diagnostics: text }],
      },
    };
  }
  const { body } = reply;
  if (reply.status === 0) {
    request.socket.destroy();
    return;
  }
  const content =
    body === undefined ? undefined : Buffer.isBuffer(body) ? body : Buffer.from(JSON.stringify(body));
  response.writeHead(reply.status, {
    server: 'paperleaf-fhir/0.9',
    ...reply.headers,
    ...(content === undefined
      ? {}
      : {
          'content-type': Buffer.isBuffer(body) ? 'text/plain' : 'application/fhir+json',
          'content-length': content.length,
        }),
  });
  response.end(request.method === 'HEAD' ? undefined : content);
}

const server = createServer((request, response) => void serve(request, response));
server.keepAliveTimeout = 60_000;
server.listen(Number(listen), '127.0.0.1', () => {
  process.stdout.write(`listening on ${(server.address() as AddressInfo).port}\n`);
});
process.once('SIGTERM', () => process.exit(0));
