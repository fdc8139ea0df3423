import { CONDITION_KEYS, type ConditionDocument, DAYS, type HoursDocument } from '../contracts/conditions.ts';
import { nearest } from './suggest.ts';
import type { View } from './view.ts';

/** Deeper ones are refused by the compiler of policies; here it only bounds the work. */
const DEEPEST = 32;
const SHOWN = CONDITION_KEYS.join(', ');

/**
 * Reads a condition, which may lie in others: a form that the JSON Schema of policy files leaves open. What is at
 * fault reads as something that holds nowhere, and counts for nothing since the file is refused.
 */
export function conditionOf(view: View, depth = 0): ConditionDocument {
  const nothing: ConditionDocument = { any: [] };
  if (depth > DEEPEST) {
    view.fault('lies too deep');
    return nothing;
  }
  const { entries } = view;
  const [first] = entries;
  if (first === undefined) {
    view.fault(`must be a mapping with one of the keys ${SHOWN}`);
    return nothing;
  }
  for (const [key, value] of entries) {
    if (CONDITION_KEYS.some((known) => known === key)) continue;
    const guess = nearest(key, CONDITION_KEYS);
    const hint = guess === undefined ? '.' : `; did you mean "${guess}"?`;
    value.fault(`is not a known key${hint} Allowed here: ${SHOWN}`, true);
    return nothing;
  }
  if (entries.length > 1) {
    entries[1]?.[1].fault(`stands beside "${first[0]}"; put both into a list under "all" or "any"`, true);
    return nothing;
  }
  const [key, value] = first;
  switch (key as (typeof CONDITION_KEYS)[number]) {
    case 'all':
      return { all: partsOf(value, depth) };
    case 'any':
      return { any: partsOf(value, depth) };
    case 'not':
      return { not: conditionOf(value, depth + 1) };
    case 'hours':
      return { hours: hoursOf(value) };
    case 'factorMaxAge':
      return { factorMaxAgeSeconds: secondsOf(value) };
    case 'headers':
      return { headers: headersOf(value) };
    case 'senderConstrained':
      return { senderConstrained: wordOf(value, ['any', 'dpop', 'certificate'] as const) };
    case 'clientCertificate':
      return { clientCertificate: wordOf(value, ['required'] as const) };
    case 'roles':
      return { roles: textsOf(value) };
    case 'scopes':
      return { scopes: textsOf(value) };
    case 'clients':
      return { clients: textsOf(value) };
    case 'home':
      return { home: textsOf(value) };
    case 'addresses':
      return { addresses: textsOf(value) };
    case 'credentials':
      // The compiler of policies says which there are.
      return {
        credentials: textsOf(value) as Extract<ConditionDocument, { credentials: unknown }>['credentials'],
      };
  }
}

function partsOf(view: View, depth: number): readonly ConditionDocument[] {
  if (view.items.length === 0) view.fault('must be a list of conditions, at least one');
  return view.items.map((item) => conditionOf(item, depth + 1));
}

/** A list of texts, or one text alone. */
function textsOf(view: View): readonly string[] {
  if (view.text !== undefined && view.text !== '') return [view.text];
  const { items } = view;
  if (items.length === 0) view.fault('must be a list of texts, at least one');
  for (const item of items) {
    if (item.text === undefined || item.text === '')
      item.fault('must be a text that is not empty (put numbers in quotes)');
  }
  return view.texts;
}

function wordOf<T extends string>(view: View, words: readonly [T, ...T[]]): T {
  const found = words.find((word) => word === view.text);
  if (found === undefined) view.fault(`must be ${words.length > 1 ? 'one of ' : ''}${words.join(', ')}`);
  return found ?? words[0];
}

function secondsOf(view: View): number {
  const { milliseconds } = view;
  if (
    milliseconds === undefined ||
    milliseconds % 1000 !== 0 ||
    milliseconds < 1000 ||
    milliseconds > 86_400_000
  )
    view.fault('must be a duration from 1s to 24h in whole seconds, such as 10m');
  return (milliseconds ?? 0) / 1000;
}

const HOURS_KEYS = ['zone', 'days', 'from', 'to', 'except'] as const;

function hoursOf(view: View): HoursDocument {
  for (const [key, value] of view.entries) {
    if (HOURS_KEYS.some((known) => known === key)) continue;
    value.fault(`is not a known key. Allowed here: ${HOURS_KEYS.join(', ')}`, true);
  }
  const zone = view.at('zone');
  if (zone.text === undefined) view.fault('needs "zone", the IANA name of a time zone such as Europe/Berlin');
  const text = (key: 'from' | 'to') => {
    const place = view.at(key);
    if (place.exists && place.text === undefined) place.fault('must be a time in quotes, such as "08:00"');
    return place.text === undefined ? {} : { [key]: place.text };
  };
  const days = view.at('days');
  const except = view.at('except');
  return {
    zone: zone.text ?? '',
    ...(days.exists
      ? { days: textsOf(days).map((day) => DAYS.find((known) => known === day) ?? (day as never)) }
      : {}),
    ...text('from'),
    ...text('to'),
    ...(except.exists ? { except: textsOf(except) } : {}),
  };
}

/** Without a prototype: a header may be called `constructor`. */
function headersOf(view: View): Readonly<Record<string, readonly string[]>> {
  const headers: Record<string, readonly string[]> = Object.create(null);
  if (view.entries.length === 0) view.fault('must be a mapping of headers to lists of their values');
  for (const [name, values] of view.entries) headers[name] = textsOf(values);
  return headers;
}
