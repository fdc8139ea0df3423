import { STATUS_CODES } from 'node:http';
import type { Incident } from '../../gateway/incidents/record.ts';
import { codingOf, unpacked } from '../../gateway/recognise/coding.ts';

/** One incident for people. What the EMR wrote cannot steer the terminal. */
export async function printed(incident: Incident): Promise<string> {
  const { backend, body } = incident;
  const headers: string[] = [];
  for (let at = 0; at + 1 < backend.headers.length; at += 2)
    headers.push(`  ${harmless(backend.headers[at] ?? '')}: ${harmless(backend.headers[at + 1] ?? '')}`);
  const text = await textOf(incident);
  return [
    `request  ${incident.request}  ${moment(incident.time)}`,
    `tenant   ${incident.tenant}, route ${incident.route}, ${incident.method} ${harmless(incident.path)}`,
    `client   ${incident.status} ${STATUS_CODES[incident.status] ?? ''} (${incident.reason})`,
    `EMR      ${backend.status} ${STATUS_CODES[backend.status] ?? ''}`,
    ...headers,
    `body     ${body.length} bytes${backend.cut ? ', and there were more' : ''}`,
    '',
    ...(text === undefined ? ['(no text; --json prints it in base64)'] : [harmless(text, true)]),
  ].join('\n');
}

export function moment(time: number): string {
  return `${new Date(time).toISOString().slice(0, 19).replace('T', ' ')} UTC`;
}

async function textOf({ backend, body }: Incident): Promise<string | undefined> {
  const at = backend.headers.findIndex((name, index) => index % 2 === 0 && name === 'content-encoding');
  const coding = at < 0 ? undefined : codingOf(backend.headers[at + 1]);
  const plain = coding === undefined ? body : coding === 'unknown' ? undefined : await unpacked(body, coding);
  if (plain === undefined || plain.includes(0)) return undefined;
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(plain);
  } catch {
    return plain.toString('latin1');
  }
}

/** Control and direction characters as `\u….`: a terminal may obey them. */
function harmless(text: string, lines = false): string {
  return text.replace(
    /[^\x20-\x7e\u00a0-\u200a\u2010-\u2027\u202f-\u205f\u2070-\ud7ff\ue000-\uf8ff\uf900-\ufdff]/g,
    (character) =>
      lines && (character === '\n' || character === '\t')
        ? character
        : `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
