import type { Exchange } from '../pipeline/exchange.ts';
import type { Answer } from './answer.ts';

/**
 * Conditions of GET and HEAD (RFC 9110 §13) on routes that hide records are not for the back end: one that looks at
 * them before it looks whether the caller may have the record answers 304 for what is there, and 404 for what is not.
 */
const CONDITIONS = Object.freeze({
  'if-none-match': undefined,
  'if-modified-since': undefined,
});

/** From now on the gateway judges what the request makes its answer depend on. */
export function takeConditions(x: Exchange): void {
  const { method, headers } = x.facts;
  if (method !== 'GET' && method !== 'HEAD') return;
  if (!headers.has('if-none-match') && !headers.has('if-modified-since')) return;
  x.conditional = true;
  x.outgoing = { ...x.outgoing, headers: { ...x.outgoing.headers, ...CONDITIONS } };
}

/** Fields of a 200 that its 304 has too (RFC 9110 §15.4.5); what describes the content is left out. */
const OF_THE_CONTENT: ReadonlySet<string> = new Set([
  'content-type',
  'content-length',
  'content-encoding',
  'content-language',
  'content-range',
  'content-disposition',
  'accept-ranges',
]);

/** The answer as it is, or the 304 in its place where the client has it already. */
export function conditioned(x: Exchange, answer: Answer): Answer {
  if (!x.conditional || answer.status !== 200 || !isUnchanged(x, answer.headers)) return answer;
  const headers: string[] = [];
  for (let at = 0; at + 1 < answer.headers.length; at += 2) {
    const name = answer.headers[at] as string;
    if (!OF_THE_CONTENT.has(name)) headers.push(name, answer.headers[at + 1] as string);
  }
  x.backend?.discard();
  return { ...answer, status: 304, headers, body: undefined };
}

/** RFC 9110 §13.2.2, steps 3 and 4. */
function isUnchanged(x: Exchange, list: readonly string[]): boolean {
  const { headers } = x.facts;
  const tags = headers.get('if-none-match');
  if (tags !== undefined) {
    const tag = fieldOf(list, 'etag');
    if (tags.trim() === '*') return true;
    return tag !== undefined && tagsOf(tags).includes(opaque(tag));
  }
  const since = Date.parse(headers.get('if-modified-since') ?? '');
  const modified = Date.parse(fieldOf(list, 'last-modified') ?? '');
  return modified <= since;
}

function fieldOf(list: readonly string[], name: string): string | undefined {
  for (let at = 0; at + 1 < list.length; at += 2) if (list[at] === name) return list[at + 1];
  return undefined;
}

/** RFC 9110 §8.8.3.2: for If-None-Match a weak tag is as good as a strong one. */
function opaque(tag: string): string {
  return tag.trim().replace(/^W\//, '');
}

const TAG = /(?:W\/)?("[\x21\x23-\x7e\x80-\xff]*")/g;

function tagsOf(text: string): readonly string[] {
  return Array.from(text.matchAll(TAG), ([, tag = '']) => tag);
}
