import { isSqlError } from './database.ts';
import type { Exchange } from './exchange.ts';
import { sendOutcome } from './fhir/outcome.ts';
import { escapeHtml, sendPage } from './html.ts';

/** The SQL that failed, what the server said and the stack: what helps the developer, and anybody else. */
export function describeFailure(error: unknown): string {
  const stack = error instanceof Error ? (error.stack ?? error.message) : String(error);
  if (!isSqlError(error)) return stack;
  return `${error.code} (${error.errno}): ${error.sqlMessage}\nSQL: ${error.sql ?? ''}\n${stack}`;
}

/** 500 in the form of the interface that was asked. */
export function sendFailure(exchange: Exchange, error: unknown): void {
  const { request, response, path } = exchange;
  if (!request.complete) response.setHeader('Connection', 'close');
  if (response.headersSent) {
    response.destroy();
    return;
  }
  for (const name of response.getHeaderNames()) {
    if (name === 'etag' || name === 'content-length' || name === 'cache-control') response.removeHeader(name);
  }
  const text = describeFailure(error);
  if (path.startsWith('/fhir/')) sendOutcome(exchange, 500, 'exception', text);
  else {
    const body = `<p>The system reported:</p>\n<pre>${escapeHtml(text)}</pre>\n<p>Please call the help desk and read this to them.</p>`;
    sendPage(exchange, { title: 'Internal error', body }, 500);
  }
}
