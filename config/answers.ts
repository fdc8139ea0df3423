import type { AnswerPatternDocument, AnswerRulesDocument } from '../contracts/answer-rules.ts';
import type { View } from './view.ts';

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/** The meaning of answers as written, sizes in bytes. */
export function answersOf(view: View): AnswerRulesDocument {
  const document: Mutable<AnswerRulesDocument> = {};
  if (view.at('hidden').exists) document.hidden = view.at('hidden').items.map(patternOf);
  if (view.at('failed').exists) document.failed = view.at('failed').items.map(patternOf);
  if (view.at('except').exists) document.except = view.at('except').texts;
  const maxBytes = view.at('maxBytes').bytes;
  if (maxBytes !== undefined) document.maxBytes = maxBytes;
  return document;
}

function patternOf(view: View): AnswerPatternDocument {
  const pattern: Mutable<AnswerPatternDocument> = {};
  if (view.at('status').exists)
    pattern.status = view.at('status').items.flatMap((item) => item.integer ?? []);
  for (const key of ['bodyContains', 'bodyMatches', 'location'] as const) {
    const { text } = view.at(key);
    if (text !== undefined) pattern[key] = text;
  }
  return pattern;
}
