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
const TIDY_MS = 60_000;

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
    const bytes = sizeOf(incident);
    if (this.#waitingBytes + bytes > MOST_WAITING) {
      this.#lost += 1;
      return;
    }
    this.#waiting.push(incident);
    this.#waitingBytes += bytes;
  }

  /** Resolves once everything that was taken by now is written, or given up. */
  async flush(): Promise<void> {
    // Whoever waited beside this one may have begun the next.
    while (this.#writing !== undefined) await this.#writing;
    if (this.#waiting.length === 0 && this.#lost === 0 && !this.#untidy) return;
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
    const takenBytes = this.#waitingBytes;
    let lost = this.#lost;
    this.#lost = 0;
    try {
      let sealed: Buffer[] = [];
      let bytes = 0;
      for (const [index, incident] of taken.entries()) {
        sealed.push(this.#sealer.seal(incident));
        bytes += sizeOf(incident);
        if (bytes < AT_ONCE && index < taken.length - 1) continue;
        await this.#append(Buffer.concat(sealed));
        sealed = [];
        bytes = 0;
        await turn();
      }
    } catch (error) {
      lost += taken.length;
      const code = (error as NodeJS.ErrnoException).code ?? 'unknown';
      await this.#file?.handle.close().catch(() => undefined);
      this.#file = undefined;
      log('error', 'incidents-not-kept', { cause: code });
    }
    this.#waitingBytes -= takenBytes;
    if (lost > 0) log('warning', 'incidents-lost', { count: lost });
    // Also when the disk is full: it is what makes room.
    await this.#tidy().catch(() => log('warning', 'incidents-not-tidied', {}));
  }

  /** Old ones are removed, whether or not anything new is kept. */
  get #untidy(): boolean {
    return this.#clock.monotonic() - this.#prunedAt >= TIDY_MS;
  }

  async #append(bytes: Buffer): Promise<void> {
    const now = this.#clock.wall();
    await this.#endOld(now);
    const file = this.#file ?? (await this.#begin(now));
    this.#file = file;
    await file.handle.appendFile(bytes);
    file.bytes += bytes.length;
  }

  async #endOld(now: number): Promise<void> {
    const file = this.#file;
    if (file === undefined || (file.bytes <= FILE_BYTES && now - file.begunAt <= FILE_MS)) return;
    this.#file = undefined;
    await file.handle.close();
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
    if (!this.#untidy) return;
    this.#prunedAt = this.#clock.monotonic();
    const now = this.#clock.wall();
    await this.#endOld(now);
    const { directory, keepMs, maxBytes } = this.#settings;
    await prune(directory, { keepMs, maxBytes, now, but: this.#file?.path });
  }
}

/** Bytes that it takes in memory, about. */
function sizeOf({ body, path, backend }: Incident): number {
  let characters = path.length;
  for (const text of backend.headers) characters += text.length;
  return body.length + characters + 512;
}
