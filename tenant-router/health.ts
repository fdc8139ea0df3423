import type { Dispatcher, Pool } from 'undici';
import type { HealthCheckSettings } from '../contracts/balancing.ts';
import type { Clock } from '../contracts/clock.ts';
import type { PooledBackend } from './backend.ts';
import type { PooledTenant } from './tenant.ts';
import { createPool, type PoolSettings } from './transport.ts';

/** Milliseconds between looks at what is due. */
const TICK_MS = 50;
/** Bytes of an answer that are read and thrown away to keep the connection. */
const MOST_BYTES = 64 * 1024;

/**
 * Asks back ends how they are, each over a connection of its own: one whose connections are all in use is busy, not
 * unhealthy. One timer for all tenants that want it; nothing runs where none does.
 */
export class HealthChecks {
  readonly #pools: PoolSettings;
  readonly #clock: Clock;
  readonly #checks = new Map<PooledBackend, Check>();
  #timer: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(pools: PoolSettings, clock: Clock) {
    this.#pools = pools;
    this.#clock = clock;
  }

  /** Checks the back ends of these tenants from now on, and no others. */
  watch(tenants: readonly PooledTenant[]): void {
    if (this.#closed) return;
    const wanted = new Set<PooledBackend>();
    for (const { settings, balancing, backends } of tenants) {
      const { healthCheck } = balancing;
      if (healthCheck === undefined) continue;
      for (const backend of backends) {
        wanted.add(backend);
        const host = settings.hosts[0] ?? '';
        const check = this.#checks.get(backend);
        if (check?.settings === healthCheck && check.host === host) continue;
        check?.end();
        this.#checks.set(backend, new Check(backend, healthCheck, host, this.#pools, this.#clock));
      }
    }
    for (const [backend, check] of this.#checks) {
      if (wanted.has(backend)) continue;
      check.end();
      // Nobody asks it any more, and nobody could find it well again.
      backend.healthy = true;
      this.#checks.delete(backend);
    }
    if (this.#checks.size > 0) this.#timer ??= this.#start();
    else this.#stop();
  }

  close(): void {
    this.#closed = true;
    this.#stop();
    for (const check of this.#checks.values()) check.end();
    this.#checks.clear();
  }

  #start(): NodeJS.Timeout {
    const timer = setInterval(() => {
      const now = this.#clock.monotonic();
      for (const check of this.#checks.values()) check.tick(now);
    }, TICK_MS);
    timer.unref();
    return timer;
  }

  #stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }
}

/** The checks of one back end, one at a time. */
class Check {
  readonly settings: HealthCheckSettings;
  readonly host: string;
  readonly #backend: PooledBackend;
  readonly #pools: PoolSettings;
  #pool: Pool | undefined;
  #nextAt: number;
  #asked: Asked | undefined;
  #lateAt = 0;
  /** Good ones in a row, or bad ones below zero. */
  #row = 0;

  constructor(
    backend: PooledBackend,
    settings: HealthCheckSettings,
    host: string,
    pools: PoolSettings,
    clock: Clock,
  ) {
    this.#backend = backend;
    this.settings = settings;
    this.host = host;
    this.#pools = pools;
    // Not all at once, though all were configured at once.
    this.#nextAt = clock.monotonic() + Math.random() * settings.intervalMs;
  }

  tick(now: number): void {
    const asked = this.#asked;
    if (asked !== undefined) {
      if (asked.good === undefined && now < this.#lateAt) return;
      this.#asked = undefined;
      asked.giveUp();
      this.#count(asked.good === true);
    }
    if (now < this.#nextAt) return;
    this.#nextAt = now + this.settings.intervalMs;
    this.#lateAt = now + this.settings.timeoutMs;
    this.#asked = this.#ask();
  }

  end(): void {
    this.#asked?.giveUp();
    this.#asked = undefined;
    void this.#pool?.destroy();
    this.#pool = undefined;
  }

  #ask(): Asked {
    const asked = new Asked();
    this.#pool ??= createPool({ ...this.#backend.settings, connections: 1 }, this.#pools);
    this.#pool.dispatch(
      {
        path: this.settings.path,
        method: 'GET',
        headers: { host: this.host, 'user-agent': 'chartgate-health', accept: '*/*' },
        headersTimeout: this.settings.timeoutMs,
        bodyTimeout: this.settings.timeoutMs,
      },
      asked,
    );
    return asked;
  }

  #count(good: boolean): void {
    this.#row = good ? Math.max(0, this.#row) + 1 : Math.min(0, this.#row) - 1;
    if (this.#row >= this.settings.healthyAfter) this.#backend.healthy = true;
    else if (-this.#row >= this.settings.unhealthyAfter) this.#backend.healthy = false;
  }
}

/** One answer, of which the status counts and the rest is thrown away. */
class Asked implements Dispatcher.DispatchHandler {
  /** Undefined until it is known. */
  good: boolean | undefined;
  #controller: Dispatcher.DispatchController | undefined;
  #givenUp = false;
  #status = 0;
  #bytes = 0;

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    if (this.#givenUp) controller.abort(new Error('given up'));
  }

  onResponseStart(_controller: Dispatcher.DispatchController, status: number): void {
    this.#status = status;
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    this.#bytes += chunk.length;
    if (this.#bytes <= MOST_BYTES) return;
    this.good ??= this.#sound;
    controller.abort(new Error('enough'));
  }

  onResponseEnd(): void {
    this.good ??= this.#sound;
  }

  onResponseError(): void {
    this.good ??= false;
  }

  giveUp(): void {
    this.#givenUp = true;
    if (this.good === undefined) this.#controller?.abort(new Error('given up'));
  }

  get #sound(): boolean {
    return this.#status >= 200 && this.#status < 400;
  }
}
