import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** One request of the corpus, as its own regression test sends it. */
export interface AttackCase {
  readonly class: string;
  /** Paranoia level at which the Core Rule Set refuses it. */
  readonly level: 1 | 2;
  readonly rule: number;
  readonly case: number;
  readonly method: string;
  readonly uri: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | null;
}

/** Another file of the same form, such as cases that nobody who wrote a rule has seen. */
const FILE =
  process.env.CHARTGATE_ATTACKS ?? join(import.meta.dirname, '../../../../shared/data/attacks/cases.ndjson');

export function attackCases(): readonly AttackCase[] {
  return readFileSync(FILE, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as AttackCase);
}

/** Three tenths of the cases, told by a hash and reported apart: whoever writes rules should leave them unread. */
export function isHeldOut({ rule, case: number }: AttackCase): boolean {
  const digest = createHash('sha256').update(`${rule}/${number}`).digest();
  return (digest[0] ?? 0) % 10 < 3;
}

/** The request as it goes over the wire. Whatever stands in it is sent as it is. */
export function wireOf(attack: AttackCase, authority: string): Buffer {
  const lines = [`${attack.method} ${attack.uri} HTTP/1.1`, `Host: ${authority}`];
  const given = new Set(Object.keys(attack.headers).map((name) => name.toLowerCase()));
  for (const [name, value] of Object.entries(attack.headers)) {
    if (!['host', 'content-length', 'connection', 'transfer-encoding'].includes(name.toLowerCase()))
      lines.push(`${name}: ${value}`);
  }
  const body = attack.body === null ? undefined : Buffer.from(attack.body);
  if (body !== undefined) {
    if (!given.has('content-type')) lines.push('Content-Type: application/x-www-form-urlencoded');
    lines.push(`Content-Length: ${body.length}`);
  }
  lines.push('Connection: close', '', '');
  const head = Buffer.from(lines.join('\r\n'), 'utf8');
  return body === undefined ? head : Buffer.concat([head, body]);
}
