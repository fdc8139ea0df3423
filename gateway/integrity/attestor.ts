import { randomBytes } from 'node:crypto';
import { channel } from 'node:diagnostics_channel';
import type { AttestVerdict } from '../../contracts/attestation.ts';
import type { Clock } from '../../contracts/clock.ts';
import { type AlarmEvent, type AttestationEvent, CHANNELS } from '../../contracts/events.ts';
import type { DatabaseId } from '../../contracts/identifiers.ts';
import type { Verdict } from '../../contracts/integrity.ts';
import type { Secret } from '../../contracts/settings.ts';
import { Link } from './link.ts';

export interface AttestorOptions {
  readonly database: DatabaseId;
  readonly socket: string;
  readonly secret: Secret;
  readonly timeoutMs: number;
  readonly clock: Clock;
}

/** Frames without an answer at most. The next group leaves when one of them returns. */
const OUTSTANDING = 2;
/**
 * A frame costs the processors of the gateway and of the checker as much as a request does. So after one that this many
 * shared, the next leaves so many milliseconds later; whoever comes alone never waits.
 */
const GATHER_FROM = 8;
const GATHER_MS = 5;
/** So many are enough: nobody waits for more. */
const GATHER_ENOUGH = 48;
/** A turn of the event loop shorter than this had nothing else to do: then nobody is waited for. */
const IDLE_TURN_MS = 0.05;
const FIRST_PAUSE_MS = 10;
const LONGEST_PAUSE_MS = 250;
/** Asked this often when nobody else asks, so that readiness and metrics tell the present. */
const IDLE_MS = 1_000;

const attestations = channel(CHANNELS.attestation);
const alarms = channel(CHANNELS.alarm);

/** Requests that share one frame, and so one probe. */
class Group {
  readonly verdict: Promise<Verdict>;
  readonly settle: (verdict: Verdict) => void;
  /** Monotonic milliseconds at which the frame left; infinite before. */
  sentAt = Number.POSITIVE_INFINITY;
  /** How many share it. */
  size = 0;
  id = 0;
  nonce = '';
  timer: NodeJS.Timeout | undefined;

  constructor() {
    const { promise, resolve } = Promise.withResolvers<Verdict>();
    this.verdict = promise;
    this.settle = resolve;
  }
}

/**
 * The verdicts of one database, over a connection of its own: a slow database makes its own requests
 * wait and its own connection fail, and nobody else's.
 */
export class Attestor {
  readonly #options: AttestorOptions;
  #link: Link | undefined;
  #ready = false;
  #pause = FIRST_PAUSE_MS;
  #again: NodeJS.Timeout | undefined;
  #closed = false;
  #next: Group | undefined;
  readonly #outstanding: Group[] = [];
  /** Set while the next group waits for more to share it. */
  #gathering: NodeJS.Timeout | undefined;
  /** When the turn of the event loop that is under way began; undefined while nobody looks. */
  #turnAt: number | undefined;
  /** Monotonic milliseconds at which the last frame left, and how many shared it. */
  #sentAt = Number.NEGATIVE_INFINITY;
  #sentSize = 0;
  #lastId = 0;
  #idle: NodeJS.Timeout;
  /** The newest verdict; of two, the one whose probe began later. */
  #last: Verdict;

  constructor(options: AttestorOptions) {
    this.#options = options;
    this.#last = unverified('checker-starting', options.clock.monotonic());
    this.#connect();
    this.#idle = setInterval(() => {
      if (options.clock.monotonic() - this.#last.notBefore >= IDLE_MS / 2) this.refresh();
    }, IDLE_MS);
    this.#idle.unref();
  }

  get last(): Verdict {
    return this.#last;
  }

  /** A verdict whose probe begins after `since` (monotonic milliseconds). */
  after(since: number): Verdict | Promise<Verdict> {
    if (this.#last.notBefore > since) return this.#last;
    // Between two attempts to connect there is nothing to wait for.
    if (this.#link === undefined) return this.#last;
    for (const group of this.#outstanding) if (group.sentAt > since) return group.verdict;
    const group = this.#group();
    group.size += 1;
    if (group.size === GATHER_ENOUGH && this.#gathering !== undefined) this.#flush();
    return group.verdict;
  }

  /** Asks, without anybody waiting, unless a question is already under way. */
  refresh(): void {
    if (this.#ready && this.#outstanding.length === 0 && this.#next === undefined) this.#group();
  }

  close(): void {
    this.#closed = true;
    clearInterval(this.#idle);
    clearTimeout(this.#again);
    clearTimeout(this.#gathering);
    this.#gathering = undefined;
    this.#link?.close();
  }

  /** The group whose frame has not left yet. */
  #group(): Group {
    if (this.#next !== undefined) return this.#next;
    const group = new Group();
    this.#next = group;
    // Nobody waits longer than this, whatever the connection is doing.
    group.timer = setTimeout(() => this.#expired(group), this.#options.timeoutMs);
    if (this.#ready && this.#outstanding.length < OUTSTANDING && !this.#gather())
      queueMicrotask(() => this.#flush());
    return group;
  }

  /** Whether the next group goes when it is its turn, and not at once. */
  #gather(): boolean {
    if (this.#gathering !== undefined) return true;
    if (this.#sentSize < GATHER_FROM) return false;
    const wait = Math.min(GATHER_MS, this.#sentAt + GATHER_MS - this.#options.clock.monotonic());
    if (wait <= 0) return false;
    this.#gathering = setTimeout(() => this.#flush(), wait);
    if (this.#turnAt === undefined) {
      // This turn is not looked at from its beginning.
      this.#turnAt = Number.NEGATIVE_INFINITY;
      setImmediate(this.#turn);
    }
    return true;
  }

  /** While more are waited for: once the loop has nothing else to do, waiting wins nothing. */
  readonly #turn = (): void => {
    const now = performance.now();
    const idle = now - (this.#turnAt ?? now) < IDLE_TURN_MS;
    this.#turnAt = undefined;
    if (this.#gathering === undefined) return;
    if (idle) {
      this.#flush();
      return;
    }
    this.#turnAt = now;
    setImmediate(this.#turn);
  };

  #flush(): void {
    clearTimeout(this.#gathering);
    this.#gathering = undefined;
    const group = this.#next;
    const link = this.#link;
    if (group === undefined || link === undefined || !this.#ready) return;
    if (this.#outstanding.length >= OUTSTANDING) return;
    this.#next = undefined;
    this.#lastId = this.#lastId === 0x7fff_ffff ? 1 : this.#lastId + 1;
    group.id = this.#lastId;
    group.nonce = randomBytes(16).toString('base64url');
    group.sentAt = this.#options.clock.monotonic();
    this.#sentAt = group.sentAt;
    this.#sentSize = group.size;
    this.#outstanding.push(group);
    link.request(group.id, this.#options.database, group.nonce);
  }

  #expired(group: Group): void {
    // Settled first, so that those who wait learn why.
    this.#settle(group, unverified('checker-timeout', this.#options.clock.monotonic()));
    if (this.#next === group) this.#next = undefined;
    const index = this.#outstanding.indexOf(group);
    if (index >= 0) this.#outstanding.splice(index, 1);
    // A connection that is still being made has its own limit.
    if (this.#ready) this.#link?.close();
  }

  #connect(): void {
    if (this.#closed) return;
    const { socket, secret, timeoutMs } = this.#options;
    const link: Link = new Link({
      socket,
      secret,
      timeoutMs,
      ready: () => {
        this.#ready = true;
        this.#pause = FIRST_PAUSE_MS;
        this.#group();
        this.#flush();
      },
      verdict: (verdict) => this.#received(link, verdict),
      closed: (hostile) => this.#lost(hostile),
    });
    this.#link = link;
  }

  #received(link: Link, answer: AttestVerdict): void {
    const index = this.#outstanding.findIndex((group) => group.id === answer.id);
    const group = this.#outstanding[index];
    // An answer nobody asked for: an old one, another tenant's, or one given twice.
    if (group === undefined || answer.nonce !== group.nonce || answer.database !== this.#options.database) {
      link.close(true);
      return;
    }
    this.#outstanding.splice(index, 1);
    this.#settle(
      group,
      Object.freeze({
        state: answer.state,
        epoch: answer.epoch,
        findings: answer.findings,
        notBefore: group.sentAt,
      }),
    );
    if (this.#next !== undefined && (this.#next.size >= GATHER_ENOUGH || !this.#gather())) this.#flush();
  }

  #settle(group: Group, verdict: Verdict): void {
    clearTimeout(group.timer);
    if (verdict.notBefore >= this.#last.notBefore) this.#last = verdict;
    group.settle(verdict);
    const waited = this.#options.clock.monotonic() - group.sentAt;
    // A group that never left waited for the whole limit.
    this.#publish(verdict, Number.isFinite(waited) ? waited : this.#options.timeoutMs);
  }

  #publish(verdict: Verdict, waitedMs: number): void {
    if (!attestations.hasSubscribers) return;
    const { state, findings } = verdict;
    const event: AttestationEvent = {
      database: this.#options.database,
      state,
      seconds: waitedMs / 1_000,
      findings,
    };
    attestations.publish(event);
  }

  #lost(hostile: boolean): void {
    const wasReady = this.#ready;
    this.#ready = false;
    this.#link = undefined;
    const code = hostile ? 'checker-protocol' : wasReady ? 'checker-disconnected' : 'checker-unavailable';
    const verdict = unverified(code, this.#options.clock.monotonic());
    this.#last = verdict;
    const groups = this.#outstanding.splice(0);
    if (this.#next !== undefined) groups.push(this.#next);
    this.#next = undefined;
    for (const group of groups) this.#settle(group, verdict);
    // A checker that was never there must show in the metrics although nobody has asked yet.
    if (groups.length === 0) this.#publish(verdict, 0);
    if (hostile && alarms.hasSubscribers) {
      const event: AlarmEvent = { alarm: 'checker-protocol', tenant: '' };
      alarms.publish(event);
    }
    if (this.#closed) return;
    this.#again = setTimeout(() => this.#connect(), this.#pause);
    this.#pause = Math.min(LONGEST_PAUSE_MS, this.#pause * 2);
  }
}

function unverified(code: string, notBefore: number): Verdict {
  return Object.freeze({ state: 'unverified', epoch: '', findings: Object.freeze([code]), notBefore });
}
