import type { RowDataPacket } from 'mysql2/promise';
import { readActivityLog } from '../../activity-log/index.ts';
import type { ActivityEntry } from '../../contracts/activity.ts';
import type { Stack, StackTenant } from '../../examples/demo/stack.ts';

/** What the activity log says of one request. */
export interface Account {
  readonly intents: Extract<ActivityEntry, { kind: 'intent' }>[];
  readonly outcomes: Extract<ActivityEntry, { kind: 'outcome' }>[];
  readonly interrupted: Extract<ActivityEntry, { kind: 'interrupted' }>[];
  readonly unverified: Extract<ActivityEntry, { kind: 'unverified-write' }>[];
}

export interface Ledger {
  readonly requests: ReadonlyMap<string, Account>;
  readonly processes: readonly (Extract<ActivityEntry, { kind: 'process' }> & { readonly chain: string })[];
}

/** Every chain of the activity log, by request. */
export async function readLedger(directory: string): Promise<Ledger> {
  const requests = new Map<string, Account>();
  const processes: Ledger['processes'][number][] = [];
  for await (const record of readActivityLog(directory)) {
    const entry = record.entry as unknown as ActivityEntry | { readonly kind: 'chain' };
    if (entry.kind === 'chain') continue;
    if (entry.kind === 'process') {
      processes.push({ ...entry, chain: record.chain });
      continue;
    }
    let account = requests.get(entry.request);
    if (account === undefined) {
      account = { intents: [], outcomes: [], interrupted: [], unverified: [] };
      requests.set(entry.request, account);
    }
    switch (entry.kind) {
      case 'intent':
        account.intents.push(entry);
        break;
      case 'outcome':
        account.outcomes.push(entry);
        break;
      case 'interrupted':
        account.interrupted.push(entry);
        break;
      case 'unverified-write':
        account.unverified.push(entry);
    }
  }
  return { requests, processes };
}

export interface SeenByEmr {
  readonly number: number;
  readonly method: string;
  readonly url: string;
  readonly requestId: string;
}

/**
 * Every request that an EMR received while this looked, from its own status page, which keeps only the
 * last two hundred: looked at often enough to have them all, which `missed` confirms.
 */
export class EmrWatch {
  readonly seen: SeenByEmr[] = [];
  /** Requests that left the status page unseen. */
  missed = 0;
  readonly #origin: string;
  readonly #timer: NodeJS.Timeout;
  #last: number;
  #looking: Promise<void> | undefined;

  private constructor(origin: string, last: number) {
    this.#origin = origin;
    this.#last = last;
    this.#timer = setInterval(() => void this.look(), 150);
  }

  /** @param from the number of the last request before; by default what it has received by now */
  static async start(origin: string, from?: number): Promise<EmrWatch> {
    return new EmrWatch(origin, from ?? (await status(origin)).total);
  }

  /** How many it has received by now. */
  get total(): number {
    return this.#last;
  }

  look(): Promise<void> {
    this.#looking ??= this.#take().finally(() => {
      this.#looking = undefined;
    });
    return this.#looking;
  }

  /** Stops, after a last look. */
  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await this.#looking;
    await this.look();
  }

  async #take(): Promise<void> {
    const page = await status(this.#origin).catch(() => undefined);
    for (const each of page?.requests ?? []) {
      if (each.number <= this.#last) continue;
      this.missed += each.number - this.#last - 1;
      this.#last = each.number;
      this.seen.push({
        number: each.number,
        method: each.method,
        url: each.url,
        requestId: each.headers['x-request-id'] ?? '',
      });
    }
  }
}

interface StatusPage {
  readonly total: number;
  readonly requests: readonly {
    readonly number: number;
    readonly method: string;
    readonly url: string;
    readonly headers: Readonly<Record<string, string>>;
  }[];
}

async function status(origin: string): Promise<StatusPage> {
  const page = await fetch(`${origin}/server-status`, { signal: AbortSignal.timeout(3000) });
  return (await page.json()) as StatusPage;
}

/** Ids of the observations that a tenant's database holds, and of those whose making has its audit row. */
export async function observations(
  stack: Stack,
  tenant: StackTenant,
): Promise<{ rows: ReadonlySet<string>; audited: ReadonlySet<string> }> {
  const connection = await stack.mariadb.connect();
  try {
    const [rows] = await connection.query<RowDataPacket[]>('SELECT id FROM ??.observations', [tenant.schema]);
    const [audited] = await connection.query<RowDataPacket[]>(
      "SELECT JSON_VALUE(new_values, '$.id') id FROM ??.audit_row WHERE emr_table = 'observations' AND operation = 'insert'",
      [tenant.auditSchema],
    );
    return {
      rows: new Set(rows.map((row) => String(row.id))),
      audited: new Set(audited.map((row) => String(row.id))),
    };
  } finally {
    await connection.end();
  }
}
