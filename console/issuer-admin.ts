import type { IncomingMessage } from 'node:http';
import type { Accounts } from '../identity/accounts/index.ts';
import type { AdminHandler, IssuerLog } from '../identity/issuer/index.ts';
import { Admin, LARGEST_BODY } from './admin/index.ts';

/** The administration of accounts, mounted in the embedded issuer below `/admin/`. */
export function issuerAdmin(accounts: Accounts, issuer: string, log: IssuerLog): AdminHandler {
  const admin = new Admin({ accounts, issuer, failed: (requestId, what) => log(what, { requestId }) });
  return async (request, response, { url, requestId, caller }) => {
    const body = await bodyOf(request);
    if (body === undefined) {
      response.writeHead(413, { connection: 'close', 'content-length': '0' }).end();
      return;
    }
    const answer = await admin.answer({
      method: request.method ?? 'GET',
      path: url.pathname,
      query: url.searchParams,
      headers: Object.fromEntries(
        Object.entries(request.headers).map(([name, value]) => [
          name,
          Array.isArray(value) ? value.join(', ') : value,
        ]),
      ),
      body,
      caller:
        caller === undefined
          ? undefined
          : {
              account: caller.subject,
              scopes: new Set(caller.scopes),
              audience: caller.audience,
              acr: caller.acr,
            },
      requestId,
    });
    response.writeHead(answer.status, {
      'cache-control': 'no-store',
      ...answer.headers,
      'content-length': String(Buffer.byteLength(answer.body)),
    });
    response.end(answer.body);
  };
}

/** Undefined for one that is too large. */
async function bodyOf(request: IncomingMessage): Promise<Buffer | undefined> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > LARGEST_BODY) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
