import type { RowDataPacket } from 'mysql2/promise';
import { readActivityLog } from '../../activity-log/index.ts';
import type { Stack, StackTenant } from './stack.ts';

/** What a request left behind: for the tour and the tests, read where an operator or auditor would read it. */

/** Entries of the gateway's activity log about one request, in order. */
export async function activityOf(stack: Stack, request: string): Promise<Record<string, unknown>[]> {
  const found: Record<string, unknown>[] = [];
  for await (const record of readActivityLog(stack.layout.activity, { request })) found.push(record.entry);
  return found;
}

/** The value of one Prometheus sample, summed over the label sets that contain `labels`; 0 when there is none. */
export async function metric(
  stack: Stack,
  name: string,
  labels: Readonly<Record<string, string>> = {},
): Promise<number> {
  const text = await (await fetch(`${stack.operationsUrl}/metrics`)).text();
  let sum = 0;
  for (const line of text.split('\n')) {
    const match = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)$/.exec(line);
    if (match?.[1] !== name) continue;
    if (Object.entries(labels).every(([key, value]) => match[2]?.includes(`${key}="${value}"`)))
      sum += Number(match[3]);
  }
  return sum;
}

/** The newest audit rows of a tenant, newest first, read by the database's administrator. */
export async function auditRows(stack: Stack, tenant: StackTenant, limit: number): Promise<RowDataPacket[]> {
  const connection = await stack.mariadb.connect({ dateStrings: true });
  try {
    const [rows] = await connection.query<RowDataPacket[]>(
      'SELECT * FROM ??.audit_row ORDER BY 1 DESC LIMIT ?',
      [tenant.auditSchema, limit],
    );
    return rows;
  } finally {
    await connection.end();
  }
}

/** How many requests the EMR has seen since it started, by its own count. */
export async function emrCount(tenant: StackTenant): Promise<number> {
  const page = await fetch(`${tenant.emr.origin}/server-status`, { headers: { accept: 'application/json' } });
  return ((await page.json()) as { total: number }).total;
}

/** Takes the gateway's request id out of an answer, so that two answers can be compared byte for byte. */
export function withoutRequestId(reply: {
  rawHeaders: readonly string[];
  text: string;
  status: number;
}): string {
  const id =
    reply.rawHeaders[reply.rawHeaders.findIndex((name) => name.toLowerCase() === 'x-request-id') + 1] ?? '';
  const headers: string[] = [];
  for (let at = 0; at < reply.rawHeaders.length; at += 2) {
    const name = reply.rawHeaders[at] as string;
    // The second in which an answer was written is no secret.
    if (name.toLowerCase() !== 'date') headers.push(`${name}: ${reply.rawHeaders[at + 1]}`);
  }
  return `${reply.status}\n${headers.join('\n')}\n\n${reply.text}`.replaceAll(id, '<request id>');
}
