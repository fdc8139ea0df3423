import { Pool } from 'undici';
import type { Attempt } from './requests.ts';

/** What was received that should not have been. */
export interface Leak {
  readonly kind: string;
  readonly method: string;
  readonly path: string;
  readonly bytes: number;
}

export interface CrawlTally {
  requests: number;
  /** By kind of attempt: how many, and how many were answered with a 2xx. */
  readonly kinds: Map<string, { requests: number; answered: number }>;
  readonly statuses: Map<number, number>;
  readonly leaks: Leak[];
  leakedBytes: number;
  /** `Type/id` of resources of the token's own patient that were received. */
  readonly own: Set<string>;
  failures: number;
}

export function tally(): CrawlTally {
  return {
    requests: 0,
    kinds: new Map(),
    statuses: new Map(),
    leaks: [],
    leakedBytes: 0,
    own: new Set(),
    failures: 0,
  };
}

export interface CrawlSite {
  readonly host: string;
  readonly port: number;
  readonly authority: string;
  readonly base: string;
}

export interface CrawlOptions {
  readonly site: CrawlSite;
  readonly token: string;
  /** Texts of which nothing may be received. */
  readonly forbidden: readonly string[];
  /** A text of the token's own patient. */
  readonly own: string;
  readonly concurrency: number;
  /** Requests besides the planned ones that may be spent on links found in answers. */
  readonly follow: number;
}

/** Makes every planned request, and then follows what the answers named, until nothing is new or `follow` is spent. */
export async function crawl(
  planned: Iterable<Attempt>,
  options: CrawlOptions,
  into: CrawlTally,
): Promise<void> {
  const { site } = options;
  const pools = [false, true].map(
    (allowH2) =>
      new Pool(`https://127.0.0.1:${site.port}`, {
        connections: allowH2 ? 4 : options.concurrency,
        pipelining: allowH2 ? 16 : 1,
        allowH2,
        connect: { ca: site.authority, servername: site.host.split(':', 1)[0] ?? '' },
      }),
  ) as [Pool, Pool];
  const seen = new Set<string>();
  const found: Attempt[] = [];
  const source = planned[Symbol.iterator]();
  let left = options.follow;
  const next = (): Attempt | undefined => {
    const step = source.next();
    if (step.done !== true) return step.value;
    while (left > 0) {
      const link = found.shift();
      if (link === undefined) return undefined;
      left -= 1;
      return link;
    }
    return undefined;
  };
  const worker = async (): Promise<void> => {
    for (let attempt = next(); attempt !== undefined; attempt = next()) {
      const pool = pools[into.requests % 4 === 3 ? 1 : 0] as Pool;
      const text = await send(pool, attempt, options, into);
      for (const path of linksIn(text, site)) {
        if (seen.has(path)) continue;
        seen.add(path);
        found.push({ kind: 'followed', method: 'GET', path });
      }
    }
  };
  await Promise.all(Array.from({ length: options.concurrency }, worker));
  // Some wait for the last answers of others, whose links they could follow.
  for (let attempt = next(); attempt !== undefined; attempt = next()) await worker();
  await Promise.all(pools.map((pool) => pool.destroy()));
}

async function send(pool: Pool, attempt: Attempt, options: CrawlOptions, into: CrawlTally): Promise<string> {
  const { site, token } = options;
  into.requests += 1;
  const kind = into.kinds.get(attempt.kind) ?? { requests: 0, answered: 0 };
  into.kinds.set(attempt.kind, kind);
  kind.requests += 1;
  let status = 0;
  let head = '';
  let body: Buffer;
  try {
    const reply = await pool.request({
      method: attempt.method as 'GET',
      path: `${site.base}${attempt.path}`,
      headers: {
        host: site.host,
        authorization: `Bearer ${token}`,
        accept: 'application/fhir+json',
        ...attempt.headers,
      },
      body: attempt.body ?? null,
      headersTimeout: 20_000,
      bodyTimeout: 20_000,
    });
    status = reply.statusCode;
    head = JSON.stringify(reply.headers);
    body = Buffer.from(await reply.body.arrayBuffer());
  } catch {
    // What is malformed closes its connection, perhaps before its answer is read.
    into.failures += 1;
    into.statuses.set(0, (into.statuses.get(0) ?? 0) + 1);
    return '';
  }
  into.statuses.set(status, (into.statuses.get(status) ?? 0) + 1);
  if (status >= 200 && status < 300) kind.answered += 1;
  const text = body.toString('utf8');
  if (options.forbidden.some((marker) => text.includes(marker) || head.includes(marker))) {
    into.leakedBytes += body.length;
    into.leaks.push({ kind: attempt.kind, method: attempt.method, path: attempt.path, bytes: body.length });
  }
  if (text.includes(options.own)) noteOwn(text, options.own, into.own);
  return status >= 200 && status < 300 ? `${head}${text}` : '';
}

function noteOwn(text: string, marker: string, own: Set<string>): void {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return;
  }
  const look = (item: unknown): void => {
    if (Array.isArray(item)) for (const each of item) look(each);
    else if (typeof item === 'object' && item !== null) {
      const { resourceType, id, entry, resource } = item as Record<string, unknown>;
      if (resourceType === 'Bundle') look(entry);
      else if (resource !== undefined) look(resource);
      else if (
        typeof resourceType === 'string' &&
        typeof id === 'string' &&
        JSON.stringify(item).includes(marker)
      )
        own.add(`${resourceType}/${id}`);
    }
  };
  look(value);
}

/** URLs and references in an answer, as paths below the base. */
function linksIn(text: string, site: CrawlSite): string[] {
  const found: string[] = [];
  for (const [, url = ''] of text.matchAll(/"((?:https?:\/\/[^"\s]+|\/fhir[^"\s]*))"/g)) {
    const at = url.indexOf(`${site.base}/`);
    if (at >= 0 && !/hl7\.org|snomed|loinc|terminology/.test(url))
      found.push(url.slice(at + site.base.length));
  }
  for (const [, reference = ''] of text.matchAll(
    /"reference"\s*:\s*"([A-Z][A-Za-z]+\/[A-Za-z0-9.-]+(?:\/_history\/\d+)?)"/g,
  ))
    found.push(`/${reference}`);
  return found;
}
