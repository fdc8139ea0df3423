import type { RequestFacts } from '../../contracts/facts.ts';
import { isTypedHeader, isUserAgent, withoutOwnOrigin } from './headers.ts';
import type { HeaderMemory } from './memory.ts';
import type { Reading } from './rule.ts';
import { type Sink, tellable } from './sample.ts';

/** Names that parameters of well-behaved pages have; in any other each character is judged. */
const SAFE_SEGMENT = /^[A-Za-z0-9_~-]{0,128}$/;

/** Every text of path, query, headers and cookies. @param values how values of the query are read */
export function headSamples(facts: RequestFacts, values: Reading, memory: HeaderMemory, sink: Sink): void {
  pathSamples(facts, sink);
  parameterSamples('query', facts.parameters, values, facts.authority, sink);
  for (const [name, value] of facts.headers) {
    // Verified before, and not forwarded.
    if (name === 'authorization' || memory.knows(name, value)) continue;
    if (name === 'cookie') cookieSamples(value, sink);
    else headerSamples(name, value, facts.authority, sink);
  }
  for (const [name, value] of facts.dropped ?? []) {
    sink(`header:${tellable(name)}`, 'plain', name);
    headerSamples(name.replace(/[^a-z0-9]/g, '-'), value, facts.authority, sink);
  }
}

function pathSamples(facts: RequestFacts, sink: Sink): void {
  const { segments } = facts.path;
  let odd = false;
  for (let at = 0; at < segments.length; at += 1) {
    const segment = segments[at] as string;
    if (SAFE_SEGMENT.test(segment)) continue;
    odd = true;
    sink(`path:${at}`, 'plain', segment);
  }
  // Whole, where a single segment tells nothing: folders of tools, files that lie about.
  if (odd) sink('path:0', 'path', `/${segments.join('/')}`);
}

/** Names, values, and what a back end may make of a repeated name: its values put together. */
export function parameterSamples(
  where: 'query' | 'form',
  parameters: ReadonlyMap<string, readonly string[]>,
  reading: Reading,
  authority: string,
  sink: Sink,
): void {
  for (const [name, values] of parameters) {
    const place = `${where}:${tellable(name)}`;
    sink(place, 'plain', name);
    for (const value of values) sink(place, reading, withoutOwnOrigin(value, authority));
    if (values.length > 1) {
      sink(place, reading, values.join(','));
      sink(place, reading, values.join(' '));
      sink(place, reading, values.join(''));
    }
    // `a=b` in one piece: what a page may evaluate, or a name and value that only together mean something.
    if (/[^A-Za-z0-9_.-]/.test(name) && values.some((value) => value !== '')) {
      for (const value of values) sink(place, 'plain', `${name}=${value}`);
    }
  }
}

function cookieSamples(value: string, sink: Sink): void {
  for (const pair of value.split(';')) {
    const equals = pair.indexOf('=');
    const name = (equals < 0 ? pair : pair.slice(0, equals)).trim();
    if (name === '' && equals < 0) continue;
    const place = `cookie:${tellable(name)}`;
    sink(place, 'plain', name);
    const content = equals < 0 ? '' : pair.slice(equals + 1).trim();
    sink(place, 'plain', content.replace(/^"(.*)"$/, '$1'));
  }
  // A separator inside what an application takes for one value.
  if (/[<>'"`(){}]/.test(value)) sink('cookie:_', 'plain', value);
}

function headerSamples(name: string, value: string, authority: string, sink: Sink): void {
  if (isTypedHeader(name, value)) return;
  const place = `header:${tellable(name)}`;
  if (name === 'user-agent' && isUserAgent(value)) {
    sink(place, 'clinical', value);
    return;
  }
  if (name === 'referer' || name === 'origin') {
    refererSamples(place, withoutOwnOrigin(value, authority), sink);
    return;
  }
  if (/file-?name$/.test(name)) sink(place, 'file', value);
  sink(place, 'plain', value);
}

/** An address: its query's values are what a page may print, so each is judged by itself too. */
function refererSamples(place: string, value: string, sink: Sink): void {
  if (/^https?:\/\/[A-Za-z0-9.:-]{1,255}(?:\/[A-Za-z0-9/_~.-]*)?$/.test(value) && !value.includes('..'))
    return;
  sink(place, 'plain', value.replace(/^https?:\/\/[A-Za-z0-9.-]{1,255}(?::\d{1,5})?(?=[/?]|$)/, ''));
  const mark = value.indexOf('?');
  if (mark < 0) return;
  for (const part of value.slice(mark + 1).split('&'))
    sink(place, 'plain', part.slice(part.indexOf('=') + 1));
}
