import { type Profiler, Session } from 'node:inspector';

/** The project's own code, whose blocks count; libraries and the engine's own have so many that nothing would be new. */
const OURS = /\/(?:contracts|gateway|identity|inspection|integrity-checker|policies)\/[^?]*\.ts$/;

/**
 * Which blocks of the project's code have run since the start, as V8 counts them (precise coverage, per block). A look
 * costs milliseconds, so that it is taken of many inputs together.
 */
export class Coverage {
  readonly #session = new Session();
  readonly #known = new Set<string>();

  constructor() {
    this.#session.connect();
    this.#session.post('Profiler.enable');
    this.#session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: true });
  }

  /** Blocks that ran for the first time since the last look. Each is told once. */
  fresh(): number {
    let found = 0;
    for (const block of this.#ran()) {
      if (this.#known.has(block)) continue;
      this.#known.add(block);
      found += 1;
    }
    return found;
  }

  /** Blocks that have run at some time. */
  get blocks(): number {
    return this.#known.size;
  }

  /**
   * Those of the inputs that reach something which is not in `known`, and which none before them reached. They are run
   * again, in halves of halves, since a look at each would take a hundred times as long as running it.
   * @param most of them; the others are found when they are met again
   */
  attributed(
    inputs: readonly Buffer[],
    known: ReadonlySet<string>,
    run: (input: Buffer) => void,
    most = 4,
  ): readonly Buffer[] {
    const seen = new Set(known);
    const found: Buffer[] = [];
    const look = (some: readonly Buffer[]): void => {
      if (found.length >= most) return;
      this.#ran();
      for (const input of some) run(input);
      const fresh = this.#ran().filter((block) => !seen.has(block));
      if (fresh.length === 0) return;
      if (some.length === 1) {
        for (const block of fresh) seen.add(block);
        found.push(...some);
        return;
      }
      const middle = some.length >> 1;
      look(some.slice(0, middle));
      look(some.slice(middle));
    };
    look(inputs);
    return found;
  }

  /** What is known now. */
  known(): ReadonlySet<string> {
    return new Set(this.#known);
  }

  close(): void {
    this.#session.post('Profiler.stopPreciseCoverage');
    this.#session.disconnect();
  }

  /** Blocks that ran since the last call; the session of one's own thread answers before `post` returns. */
  #ran(): string[] {
    let result: readonly Profiler.ScriptCoverage[] = [];
    this.#session.post('Profiler.takePreciseCoverage', (_error, found) => {
      result = found?.result ?? [];
    });
    const ran: string[] = [];
    for (const { url, functions } of result) {
      if (!OURS.test(url)) continue;
      for (const { ranges } of functions)
        for (const { startOffset, endOffset, count } of ranges)
          if (count > 0) ran.push(`${url}:${startOffset}-${endOffset}`);
    }
    return ran;
  }
}
