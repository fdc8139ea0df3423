import { randomInt } from 'node:crypto';
import type { Cell } from '../requests.ts';
import type { Client, Request } from './answer.ts';
import { Http1Client } from './http1.ts';
import { Http2Client } from './http2.ts';
import type { Site } from './messages.ts';

/** In an order that nobody can foresee (Fisher and Yates). */
export function shuffled(count: number): number[] {
  const order = Array.from({ length: count }, (_, i) => i);
  for (let i = count - 1; i > 0; i -= 1) {
    const j = randomInt(i + 1);
    [order[i], order[j]] = [order[j] as number, order[i] as number];
  }
  return order;
}

/** A request of a cell, for any of its records. */
export function requestOf(cell: Cell, more: Readonly<Record<string, string>> = {}): Request {
  const variant = cell.variants[randomInt(cell.variants.length)];
  if (variant === undefined) throw new Error('a cell without variants');
  return { verb: cell.verb, path: variant.path, headers: { ...cell.headers, ...more }, body: variant.body };
}

export type Protocol = 'h1' | 'h2';

export function protocolsOf(streams: { readonly h1: number; readonly h2: number }): Protocol[] {
  return [
    ...Array.from({ length: streams.h1 }, () => 'h1' as const),
    ...Array.from({ length: streams.h2 }, () => 'h2' as const),
  ];
}

export function open(
  site: Site,
  protocol: Protocol,
  tapped = false,
): Promise<Client & { readonly tap: import('./tap.ts').Tap | undefined }> {
  return protocol === 'h1' ? Http1Client.open(site, tapped) : Http2Client.open(site, tapped);
}
