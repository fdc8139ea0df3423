import type { JudgedAnswer } from '../../contracts/policy.ts';
import { URL_HEADERS } from '../answer/rewrite.ts';
import { clientUrl } from '../answer/untell.ts';
import { type ReadJson, readJson } from '../content/json.ts';
import { isUtf8, kindOf } from '../content/read.ts';
import type { BackendAnswer } from '../transport/backend-answer.ts';
import type { Exchange } from './exchange.ts';

export interface WholeAnswer {
  readonly answer: JudgedAnswer;
  /** Where each value stood; undefined without a body. */
  readonly source: ReadJson | undefined;
}

/**
 * A back end's answer, which has come whole, as judges see it; in a word what stands against it. Undefined: it broke
 * off, which says nothing about what it is.
 */
export async function wholeAnswer(
  x: Exchange,
  backend: BackendAnswer,
): Promise<WholeAnswer | string | undefined> {
  await backend.settled(x.route.backendTimeoutMs);
  if (backend.failed) return undefined;
  const whole = backend.whole;
  if (whole === undefined) return 'answer-size';
  const body = whole.length === 1 ? (whole[0] as Buffer) : Buffer.concat(whole);
  const headers = singleHeaders(x, backend);
  if (typeof headers === 'string') return headers;
  // Nothing conditional and no range was asked for.
  if (backend.status === 206 || backend.status === 304) return 'answer-status';
  const coding = headers['content-encoding'];
  if (coding !== undefined && coding.toLowerCase() !== 'identity') return 'answer-coding';
  const about = { status: backend.status, headers, origin: backend.origin, told: toldIn(x) };
  if (body.length === 0) return { answer: { ...about, content: undefined }, source: undefined };
  const type = headers['content-type'] ?? '';
  const mediaType = (type.split(';', 1)[0] ?? '').trim().toLowerCase();
  if (kindOf(mediaType) !== 'json' || !isUtf8(type)) return 'answer-type';
  const { jsonDepth } = x.runtime.contentLimits;
  const source = readJson(body, { depth: jsonDepth, values: body.length, strict: false, spans: true });
  return source.ok ? { answer: { ...about, content: source.value }, source } : source.rule;
}

function toldIn(x: Exchange): JudgedAnswer['told'] {
  const { tellBackend } = x.tenant.settings;
  if (tellBackend === undefined) return undefined;
  return { prefix: tellBackend.pathPrefix ?? '', parameter: tellBackend.query?.name };
}

/** Those of one value, with URLs as the client gets them. */
function singleHeaders(x: Exchange, backend: BackendAnswer): JudgedAnswer['headers'] | string {
  const single: Record<string, string | undefined> = Object.create(null);
  for (const name in backend.headers) {
    const value = backend.headers[name];
    if (typeof value === 'string')
      single[name] = URL_HEADERS.has(name)
        ? clientUrl(value, backend.origin, x.facts.authority, x.tenant.settings.tellBackend)
        : value;
    else if (URL_HEADERS.has(name) || name.startsWith('content-')) return 'answer-headers';
  }
  return single;
}
