import { atLeast, atMost, type Part, part, table } from '../integrity/parts.ts';
import type { BytesResult } from './observer/messages.ts';
import type { Cell } from './requests.ts';
import type { Run } from './scene-of-run.ts';

const ACCEPTS = [
  '',
  '*/*',
  'application/fhir+json',
  'application/json',
  'application/fhir+xml',
  'application/xml',
  'text/html,application/xhtml+xml;q=0.9',
  'text/plain',
  'image/png',
];
const ENCODINGS = ['', 'gzip, br', 'identity;q=0'];
/** Combinations of method, case, media type, coding and protocol. */
const ENOUGH = 400;

export interface BytesFinding {
  readonly combinations: number;
  /** Of one method, media type, coding and protocol: more than one answer. */
  readonly differing: readonly string[];
}

/** Which combinations of method, media type, coding and protocol had more than one answer. */
export function differing(cells: readonly Cell[], { combinations }: BytesResult): BytesFinding {
  const found: string[] = [];
  let count = 0;
  for (const { method, accept, encoding, protocol, answers } of combinations) {
    count += answers.length;
    const kinds = new Map<string, string[]>();
    for (const { cell, text } of answers) {
      const cases = kinds.get(text) ?? [];
      kinds.set(text, cases);
      cases.push(cells[cell]?.case ?? '');
    }
    if (kinds.size < 2) continue;
    const groups = [...kinds].map(([text, cases]) => `{${text.slice(0, 3)}: ${cases.join(', ')}}`);
    found.push(`${protocol} ${method} Accept "${accept}" Accept-Encoding "${encoding}": ${groups.join(' ')}`);
  }
  return { combinations: count, differing: found };
}

/** Whether answers of different cases differ in a byte besides the request id. */
export async function runBytes(run: Run): Promise<Part> {
  run.progress('bytes of every combination');
  const cells = run.cells(undefined, true);
  const found = differing(
    cells,
    await run.observer.ask<'bytes'>({
      kind: 'bytes',
      site: run.site,
      cells,
      accepts: run.short ? ACCEPTS.slice(0, 6) : ACCEPTS,
      encodings: run.short ? ENCODINGS.slice(0, 1) : ENCODINGS,
    }),
  );
  return part({
    tables: [
      table(
        'Bytes of refused answers, request ids taken out',
        ['', 'count'],
        [
          ['combinations of method, case, media type, coding and protocol', String(found.combinations)],
          ['with more than one answer', String(found.differing.length)],
        ],
      ),
    ],
    floors: [
      atLeast('bytes: combinations', found.combinations, ENOUGH),
      atMost('bytes: combinations that differ by case', found.differing.length),
    ],
    notes: found.differing.slice(0, 20).map((line) => `differs: ${line}`),
    figures: { bytes: { combinations: found.combinations, differing: found.differing } },
  });
}
