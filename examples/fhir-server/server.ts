import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { answer, type FhirReply, type FhirRequest } from './interactions.ts';
import { outcome, Refusal } from './resource.ts';
import type { Store } from './store.ts';

const LARGEST = 16 * 1024 * 1024;
const BASE = '/fhir';

/** FHIR R4 over HTTP below `/fhir`. It asks nobody who they are. */
export function createFhirServer(store: Store): Server {
  return createServer((request, response) => {
    void reply(store, request).then(
      (answered) => send(request, response, answered),
      (error: unknown) =>
        send(request, response, {
          status: error instanceof Refusal ? error.status : 500,
          body: outcome(error instanceof Error ? error.message : 'it failed'),
        }),
    );
  });
}

async function reply(store: Store, request: IncomingMessage): Promise<FhirReply> {
  const url = new URL(request.url ?? '/', 'http://localhost');
  const path = url.pathname;
  if (path !== BASE && !path.startsWith(`${BASE}/`)) throw new Refusal(404, 'there is nothing here');
  const body = await bodyOf(request);
  const scheme = request.headers['x-forwarded-proto'] === 'https' ? 'https' : 'http';
  const asked: FhirRequest = {
    method: request.method === 'HEAD' ? 'GET' : (request.method ?? 'GET'),
    segments: path
      .slice(BASE.length)
      .split('/')
      .filter((segment) => segment !== '')
      .map(decodeURIComponent),
    query: url.searchParams,
    headers: Object.fromEntries(
      Object.entries(request.headers).map(([name, value]) => [
        name,
        Array.isArray(value) ? value.join(', ') : value,
      ]),
    ),
    body,
    base: `${scheme}://${request.headers.host ?? 'localhost'}${BASE}`,
  };
  const answered = answer(store, asked);
  const etag = answered.headers?.etag;
  if (etag !== undefined && asked.method === 'GET' && request.headers['if-none-match'] === etag)
    return { status: 304, headers: { etag } };
  return answered;
}

async function bodyOf(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of request) {
    length += (chunk as Buffer).length;
    if (length > LARGEST) throw new Refusal(413, 'that is too much');
    chunks.push(chunk as Buffer);
  }
  if (length === 0) return undefined;
  const text = Buffer.concat(chunks).toString('utf8');
  const type = request.headers['content-type'] ?? '';
  if (type.startsWith('application/x-www-form-urlencoded')) return new URLSearchParams(text);
  try {
    return JSON.parse(text);
  } catch {
    throw new Refusal(400, 'the body is no JSON');
  }
}

function send(
  request: IncomingMessage,
  response: ServerResponse,
  { status, body, headers }: FhirReply,
): void {
  const text = body === undefined ? undefined : Buffer.from(JSON.stringify(body));
  response.writeHead(status, {
    server: 'trusting-fhir/1',
    ...headers,
    ...(text === undefined
      ? {}
      : { 'content-type': 'application/fhir+json; charset=utf-8', 'content-length': text.length }),
  });
  response.end(request.method === 'HEAD' ? undefined : text);
}
