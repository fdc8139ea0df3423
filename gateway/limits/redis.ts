import { createHmac } from 'node:crypto';
import { channel } from 'node:diagnostics_channel';
import { RateLimiterRedis } from 'rate-limiter-flexible';
import { ChartgateError } from '../../contracts/errors.ts';
import { type AlarmEvent, CHANNELS } from '../../contracts/events.ts';
import type { RedisSettings } from '../../contracts/limits.ts';
import { type Ask, type Counters, consume, type Grant } from './counters.ts';
import type { Tally, TallyReport } from './desk-messages.ts';
import { answers, type RedisClient, redisClient } from './redis-client.ts';

const alarms = channel(CHANNELS.alarm);

/** Milliseconds between looks at whether a server that did not answer does again. */
const PROBE_MS = 500;
const MOST_PATIENTS = 50_000;

/**
 * Counts shared by several gateways, in Redis or Valkey. Names and keys are keyed hashes there: whoever reads it learns
 * no address and no principal. An answer that does not come in time, or not at all, means that it is away: from then
 * on nobody waits for it, until it has answered a question that nobody waits for.
 */
export class RedisStore implements Counters {
  readonly #client: RedisClient;
  readonly #key: Buffer;
  readonly #limiters = new Map<string, RateLimiterRedis>();
  readonly #probing: NodeJS.Timeout;
  #available = false;
  #wasAvailable = false;
  #probes = false;
  /** It may have forgotten marks since somebody was last told so: it, or a node of it, was connected to anew. */
  #forgetful = true;

  constructor(settings: RedisSettings) {
    this.#key = settings.password?.reveal() ?? Buffer.from('chartgate');
    this.#client = redisClient(settings);
    // Every failure of a command is its caller's; the connection is made anew by itself.
    this.#client.on('error', () => {});
    this.#client.on('ready', () => void this.#probe());
    this.#client.on('close', () => this.#lost());
    for (const event of ['ready', '+node', '-node'])
      this.#client.on(event, () => {
        this.#forgetful = true;
      });
    this.#probing = setInterval(() => {
      if (!this.#available) void this.#probe();
    }, PROBE_MS);
    this.#probing.unref();
  }

  /** It answered when it was last asked. */
  get available(): boolean {
    return this.#available;
  }

  async lease(ask: Ask): Promise<Grant> {
    let limiter = this.#limiters.get(ask.limiter);
    if (limiter === undefined) {
      const { requests, windowSeconds } = ask.demand;
      limiter = new RateLimiterRedis({
        storeClient: this.#client,
        keyPrefix: `chartgate:limit:${this.#hash(ask.limiter)}`,
        points: requests,
        duration: windowSeconds,
        rejectIfRedisNotReady: true,
      });
      this.#limiters.set(ask.limiter, limiter);
    }
    const found = limiter;
    return this.#guarded(() => consume(found, { ...ask, key: this.#hash(ask.key) }));
  }

  /** Adds to what all gateways saw of somebody. Rejects when it is away. */
  async tally(report: TallyReport): Promise<Tally> {
    const name = this.#guardName(report.key);
    return this.#guarded(async () => {
      const work = this.#client
        .multi()
        // Both have the window of whichever came first.
        .set(`${name}:misses`, 0, 'PX', report.windowMs, 'NX')
        .incrby(`${name}:misses`, report.misses);
      const patients = report.patients.slice(0, MOST_PATIENTS);
      if (patients.length > 0) work.sadd(`${name}:patients`, ...patients);
      const results = await work
        .pexpire(`${name}:patients`, report.windowMs, 'NX')
        .scard(`${name}:patients`)
        .pttl(`${name}:misses`)
        .exec();
      const values = (results ?? []).map(([error, value]) => {
        if (error !== null) throw error;
        return Number(value);
      });
      const [resetMs, distinct] = [values.at(-1), values.at(-2)];
      const misses = values[1];
      if (misses === undefined || distinct === undefined || resetMs === undefined)
        throw new ChartgateError('internal', 'Redis left something out');
      return { key: report.key, misses, patients: distinct, resetMs: Math.max(1, resetMs) };
    });
  }

  /** What was counted of somebody counts no more. */
  async forget(key: string): Promise<void> {
    const name = this.#guardName(key);
    await this.#guarded(() => this.#client.del(`${name}:misses`, `${name}:patients`));
  }

  /**
   * Marks somebody for a while, at every gateway: for reads that must follow one's own write. Rejects when it is away.
   * @param forMs milliseconds, from now
   */
  async mark(key: string, forMs: number): Promise<void> {
    const name = this.#markName(key);
    await this.#guarded(() => this.#client.set(name, 1, 'PX', Math.max(1, Math.ceil(forMs))));
  }

  /**
   * Rejects when it is away, and once after it was connected to anew: a server that was started again, or took another's
   * place, may have forgotten who was marked.
   */
  async marked(key: string): Promise<boolean> {
    if (this.#forgetful) {
      this.#forgetful = false;
      throw new ChartgateError('internal', 'Redis may have forgotten who was marked');
    }
    return this.#guarded(async () => (await this.#client.exists(this.#markName(key))) === 1);
  }

  async close(): Promise<void> {
    clearInterval(this.#probing);
    this.#available = false;
    this.#wasAvailable = false;
    this.#client.disconnect();
  }

  async #guarded<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      this.#lost();
      throw error;
    }
  }

  #lost(): void {
    this.#available = false;
    if (!this.#wasAvailable) return;
    this.#wasAvailable = false;
    if (alarms.hasSubscribers) alarms.publish({ alarm: 'limits-unshared', tenant: '' } satisfies AlarmEvent);
  }

  async #probe(): Promise<void> {
    if (this.#probes || this.#client.status !== 'ready') return;
    this.#probes = true;
    try {
      if (!(await answers(this.#client))) return;
      this.#available = true;
      this.#wasAvailable = true;
    } catch {
      // Still away; asked again in a while.
    } finally {
      this.#probes = false;
    }
  }

  #markName(key: string): string {
    return `chartgate:mark:${this.#hash(key)}`;
  }

  /** In braces: what is changed together lies together in a cluster too. */
  #guardName(key: string): string {
    return `chartgate:guard:{${this.#hash(key)}}`;
  }

  #hash(text: string): string {
    return createHmac('sha256', this.#key).update(text).digest('base64url').slice(0, 22);
  }
}
