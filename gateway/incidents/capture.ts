import type { Exchange } from '../pipeline/exchange.ts';
import type { BackendAnswer } from '../transport/backend-answer.ts';
import { type Incident, MOST_BODY } from './record.ts';

/** The back end's words of an exchange, from before its answer was given up until it is known what the client got. */
export type Original = Incident['backend'] & { readonly body: Buffer };

/** Characters of all header fields together that are kept. */
const MOST_HEADERS = 16 * 1024;
/** What lets somebody in is nobody's to read, sealed or not. */
const WITHOUT_VALUE: ReadonlySet<string> = new Set([
  'set-cookie',
  'set-cookie2',
  'authorization',
  'www-authenticate',
]);

export function originalOf(backend: BackendAnswer): Original {
  const body = Buffer.alloc(Math.min(MOST_BODY, lengthOf(backend.heldSoFar)));
  let at = 0;
  for (const part of backend.heldSoFar) at += part.copy(body, at);
  return {
    status: backend.status,
    headers: headersOf(backend),
    cut: backend.whole === undefined || lengthOf(backend.heldSoFar) > MOST_BODY,
    body,
  };
}

function lengthOf(parts: readonly Buffer[]): number {
  return parts.reduce((sum, { length }) => sum + length, 0);
}

function headersOf({ headers }: BackendAnswer): readonly string[] {
  const list: string[] = [];
  let length = 0;
  for (const name in headers) {
    const value = headers[name];
    for (const each of Array.isArray(value) ? value : [value ?? '']) {
      const kept = WITHOUT_VALUE.has(name) ? '(left out)' : each;
      length += name.length + kept.length;
      if (length > MOST_HEADERS) return list;
      list.push(name, kept);
    }
  }
  return list;
}

/** Everything that is kept of an exchange whose answer has left. */
export function incidentOf(x: Exchange, { body, ...backend }: Original): Incident {
  return {
    request: x.arrival.id,
    time: x.services.clock.wall(),
    tenant: x.knownTenant?.id ?? '',
    route: x.match?.route.id ?? '',
    method: x.knownFacts?.method ?? '',
    path: x.knownFacts?.path.text ?? '',
    status: x.answer.status,
    reason: x.ending?.reason ?? '',
    backend,
    body,
  };
}
