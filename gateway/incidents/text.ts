import { codingOf, unpacked } from '../recognise/coding.ts';
import type { Incident } from './record.ts';

/** Bytes of a body that are shown: of 64 KiB a packed one may hold a thousand times as much. */
const MOST_SHOWN = 1024 * 1024;

/** The body as text, without its coding; undefined where it is none. */
export async function textOf({ backend, body }: Incident): Promise<string | undefined> {
  const at = backend.headers.findIndex((name, index) => index % 2 === 0 && name === 'content-encoding');
  const coding = at < 0 ? undefined : codingOf(backend.headers[at + 1]);
  const plain =
    coding === undefined ? body : coding === 'unknown' ? undefined : await unpacked(body, coding, MOST_SHOWN);
  if (plain === undefined || plain.includes(0)) return undefined;
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(plain);
  } catch {
    return plain.toString('latin1');
  }
}

/** Header fields, one a line. */
export function headersOf({ backend }: Incident): string[] {
  const lines: string[] = [];
  for (let at = 0; at + 1 < backend.headers.length; at += 2)
    lines.push(`${harmless(backend.headers[at] ?? '')}: ${harmless(backend.headers[at + 1] ?? '')}`);
  return lines;
}

/** Control and direction characters as `\u….`: a terminal, or a reader's eye, may obey them. */
export function harmless(text: string, lines = false): string {
  return text.replace(
    /[^\x20-\x7e\u00a0-\u200a\u2010-\u2027\u202f-\u205f\u2070-\ud7ff\ue000-\uf8ff\uf900-\ufdff]/g,
    (character) =>
      lines && (character === '\n' || character === '\t')
        ? character
        : `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
