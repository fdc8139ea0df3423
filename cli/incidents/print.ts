import { STATUS_CODES } from 'node:http';
import type { Incident } from '../../gateway/incidents/record.ts';
import { harmless, headersOf, textOf } from '../../gateway/incidents/text.ts';

/** One incident for people. What the EMR wrote cannot steer the terminal. */
export async function printed(incident: Incident): Promise<string> {
  const { backend, body } = incident;
  const text = await textOf(incident);
  return [
    `request  ${incident.request}  ${moment(incident.time)}`,
    `tenant   ${incident.tenant}, route ${incident.route}, ${incident.method} ${harmless(incident.path)}`,
    `client   ${incident.status} ${STATUS_CODES[incident.status] ?? ''} (${incident.reason})`,
    `EMR      ${backend.status} ${STATUS_CODES[backend.status] ?? ''}`,
    ...headersOf(incident).map((line) => `  ${line}`),
    `body     ${body.length} bytes${backend.cut ? ', and there were more' : ''}`,
    '',
    ...(text === undefined ? ['(no text; --json prints it in base64)'] : [harmless(text, true)]),
  ].join('\n');
}

export function moment(time: number): string {
  return `${new Date(time).toISOString().slice(0, 19).replace('T', ' ')} UTC`;
}
