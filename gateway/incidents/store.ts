import { constants, mkdirSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { join } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import type { Clock } from '../../contracts/clock.ts';
import type { RequestId } from '../../contracts/identifiers.ts';
import type { IncidentSettings } from '../../contracts/settings.ts';
import { log } from '../process/log.ts';
import { keptIncidents, newFileName, prune } from './folder.ts';
import { type Incident, IncidentSealer } from './record.ts';

/** Milliseconds between two writings: what is kept of an answer is never worked on near that answer. */
const EVERY_MS = 1000;
/** Bytes that may wait; what comes when the disk cannot follow is not kept, and counted. */
const MOST_WAITING = 16 * 1024 * 1024;
/** Bytes that are sealed before other work has its turn. */
const AT_ONCE = 256 * 1024;
/** Bytes and milliseconds after which the next file is begun, so that old ones can be removed. */
const FILE_BYTES = 8 * 1024 * 1024;
const FILE_MS = 60 * 60 * 1000;

interface OpenFile {
  readonly handle: FileHandle;
  readonly path: string;
  readonly begunAt: number;
  bytes: number;
}

/**
 * What the EMR said where the client did not get it, sealed in files and kept for a while. Best effort by design: a
 * disk that is full costs incidents, never answers; the activity log is what nothing is served without.
 */
export class Incidents {
  readonly #settings: IncidentSettings;
  readonly #sealer: IncidentSealer;
  readonly #clock: Clock;
  readonly #timer: NodeJS.Timeout;
  #waiting: Incident[] = [];
  #waitingBytes = 0;
  #lost = 0;
  #writing: Promise<void> | undefined;
  #file: OpenFile | undefined;
  #prunedAt = Number.NEGATIVE_INFINITY;

  constructor(settings: IncidentSettings, clock: Clock) {
    this.#settings = settings;
    this.#sealer = new IncidentSealer(settings.keys);
    this.#clock = clock;
    this.#timer = setInterval(() => void this.flush(), EVERY_MS);
    this.#timer.unref();
  }

  /** Takes it; it is written within a second or so. */
  keep(incident: Incident): void {
    if (this.#waitingBytes + incident.body.length > MOST_WAITING) {
      this.#lost += 1;
      return;
    }
    this.#waiting.push(incident);
    this.#waitingBytes += incident.body.length + 1024;
  }

  /** Resolves once everything that was taken by now is written, or given up. */
  async flush(): Promise<void> {
    await this.#writing;
    if (this.#waiting.length === 0 && this.#lost === 0) return;
    this.#writing = this.#write().finally(() => {
      this.#writing = undefined;
    });
    await this.#writing;
  }

  /** What is kept under this number. @throws ChartgateError `state-unavailable`, `state-invalid` */
  async find(request: RequestId): Promise<Incident | undefined> {
    await this.flush();
    const { directory, keepMs } = this.#settings;
    for await (const sealed of keptIncidents(directory, { keepMs, now: this.#clock.wall() }))
      if (sealed.request === request) return this.#sealer.open(sealed);
    return undefined;
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.flush();
    await this.#file?.handle.close().catch(() => undefined);
    this.#file = undefined;
  }

  async #write(): Promise<void> {
    const taken = this.#waiting.splice(0);
    this.#waitingBytes = 0;
    let lost = this.#lost;
    this.#lost = 0;
    try {
      let sealed: Buffer[] = [];
      let bytes = 0;
      for (const [index, incident] of taken.entries()) {
        sealed.push(this.#sealer.seal(incident));
        bytes += incident.body.length + 1024;
        if (bytes < AT_ONCE && index < taken.length - 1) continue;
        await this.#append(Buffer.concat(sealed));
        sealed = [];
        bytes = 0;
        await turn();
      }
      await this.#tidy();
    } catch (error) {
      lost += taken.length;
      const code = (error as NodeJS.ErrnoException).code ?? 'unknown';
      await this.#file?.handle.close().catch(() => undefined);
      this.#file = undefined;
      log('error', 'incidents-not-kept', { cause: code });
    }
    if (lost > 0) log('warning', 'incidents-lost', { count: lost });
  }

  async #append(bytes: Buffer): Promise<void> {
    const now = this.#clock.wall();
    const former = this.#file;
    if (former !== undefined && (former.bytes > FILE_BYTES || now - former.begunAt > FILE_MS)) {
      this.#file = undefined;
      await former.handle.close();
    }
    const file = this.#file ?? (await this.#begin(now));
    this.#file = file;
    await file.handle.appendFile(bytes);
    file.bytes += bytes.length;
  }

  async #begin(now: number): Promise<OpenFile> {
    const { directory } = this.#settings;
    const path = join(directory, newFileName(now));
    const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_APPEND;
    const make = () => open(path, flags, 0o600);
    const handle = await make().catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOENT') throw error;
      mkdirSync(directory, { recursive: true, mode: 0o700 });
      return make();
    });
    return { handle, path, begunAt: now, bytes: 0 };
  }

  /** Once a minute at most. */
  async #tidy(): Promise<void> {
    const monotonic = this.#clock.monotonic();
    if (monotonic - this.#prunedAt < 60_000) return;
    this.#prunedAt = monotonic;
    const { directory, keepMs, maxBytes } = this.#settings;
    await prune(directory, { keepMs, maxBytes, now: this.#clock.wall(), but: this.#file?.path });
  }
}
