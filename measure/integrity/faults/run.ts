import { setTimeout as sleep } from 'node:timers/promises';
import type { Bench } from '../bench.ts';
import { type Answer, Pace, served, waitFor } from '../client.ts';
import type { Fault, Scene } from './faults.ts';

export interface FaultFound {
  readonly fault: Fault;
  /** Strict requests that were sent while it lasted. */
  readonly asked: number;
  /** Of those, that reached the EMR while it lasted. */
  readonly forwarded: number;
  /** Reads with a verdict of at most 1 s, sent when it had lasted longer, that reached the EMR. */
  readonly staleForwarded: number;
  /** The longest that a strict request sent meanwhile waited for its refusal, ms. */
  readonly denialMs: number;
  /** From the end of the cause until a strict request was served, ms; undefined: not within the bound. */
  readonly recoveryMs: number | undefined;
  readonly failure: string;
}

/** How often each kind of request is sent. */
const PER_SECOND = 50;
const HEALTHY = 5;
const PATIENCE_MS = 15_000;
/** The age up to which a bounded read may use a verdict, and what its way to the gateway may take. */
const BOUNDED_MS = 1_000 + 50;

/** Injects one fault after the other under a steady load, and looks at what reached the EMR. */
export async function injectFaults(
  scene: Scene,
  faults: readonly Fault[],
  progress: (line: string) => void,
): Promise<readonly FaultFound[]> {
  const { bench } = scene;
  const found: FaultFound[] = [];
  bench.recorder.recording = true;
  const load = new Load(bench);
  try {
    for (const [index, fault] of faults.entries()) {
      const result = await inject(scene, load, fault);
      found.push(result);
      if (
        result.forwarded + result.staleForwarded > 0 ||
        result.recoveryMs === undefined ||
        result.failure !== ''
      ) {
        progress(`${fault.name}: ${JSON.stringify({ ...result, fault: undefined })}`);
      }
      if (result.recoveryMs === undefined) {
        const verdict = await bench.strict();
        progress(`no service after "${fault.name}": ${verdict.state} ${verdict.findings.join(' ')}`);
        break;
      }
      if ((index + 1) % 50 === 0) progress(`${index + 1} faults`);
      load.forget();
    }
    return found;
  } finally {
    await load.stop();
    bench.recorder.recording = false;
  }
}

async function inject(scene: Scene, load: Load, fault: Fault): Promise<FaultFound> {
  const { recorder } = scene.bench;
  if ((await load.healthy(performance.now(), PATIENCE_MS)) === undefined) {
    return { ...NOTHING_FOUND, fault, failure: 'no service before it' };
  }
  let failure = '';
  let began = Number.POSITIVE_INFINITY;
  let ending = Number.POSITIVE_INFINITY;
  try {
    await fault.begin(scene);
    began = performance.now();
    await sleep(fault.lastsMs);
    ending = performance.now();
    await fault.end(scene);
  } catch (error) {
    failure = error instanceof Error ? error.message : String(error);
  }
  const ended = performance.now();
  const recovered = await load.healthy(ended, PATIENCE_MS);
  // Everything that was asked meanwhile has its answer by now, or soon.
  await load.settled(ending);
  const meanwhile = load.answers.filter(({ startedAt }) => startedAt > began && startedAt < ending);
  const reached = (answer: Answer): boolean => {
    const at = recorder.seen.get(answer.path);
    return at !== undefined && at < ending;
  };
  const strict = meanwhile.filter(({ path }) => !path.startsWith('/bounded/'));
  const judged = fault.meanwhile === 'refused';
  return {
    fault,
    asked: strict.length,
    forwarded: judged ? strict.filter(reached).length : 0,
    staleForwarded: judged
      ? meanwhile.filter(
          (answer) => !strict.includes(answer) && answer.startedAt > began + BOUNDED_MS && reached(answer),
        ).length
      : 0,
    denialMs: Math.max(
      0,
      ...strict.filter((answer) => !served(answer)).map((answer) => answer.endedAt - answer.startedAt),
    ),
    recoveryMs: recovered,
    failure,
  };
}

const NOTHING_FOUND = {
  asked: 0,
  forwarded: 0,
  staleForwarded: 0,
  denialMs: 0,
  recoveryMs: undefined,
} as const;

/** Never given twice: what reached the EMR is told by it, whichever load sent it. */
let lastId = 0;

/** Strict reads, writes and bounded reads at a steady rate, each with a path of its own. */
class Load {
  answers: Answer[] = [];
  readonly #waiting = new Map<string, number>();
  readonly #pace: Pace;
  readonly #bench: Bench;

  constructor(bench: Bench) {
    this.#bench = bench;
    this.#pace = new Pace(PER_SECOND, () => {
      for (const kind of ['strict', 'write', 'bounded'] as const) {
        lastId += 1;
        const id = String(lastId);
        this.#waiting.set(id, performance.now());
        void bench.ask(kind, id).then((answer) => {
          this.answers.push(answer);
          this.#waiting.delete(id);
        });
      }
    });
  }

  /** Until strict requests sent after `since` are served in a row. @returns ms from `since` to the first of them */
  async healthy(since: number, boundMs: number): Promise<number | undefined> {
    let first: number | undefined;
    const within = await waitFor(() => {
      const strict = this.answers
        .filter((answer) => answer.startedAt >= since && !answer.path.startsWith('/bounded/'))
        .toSorted((a, b) => a.endedAt - b.endedAt);
      const last = strict.slice(-HEALTHY);
      if (last.length < HEALTHY || !last.every(served)) return false;
      first = strict.slice(strict.findLastIndex((answer) => !served(answer)) + 1)[0]?.endedAt;
      return true;
    }, boundMs);
    return within === undefined || first === undefined ? undefined : first - since;
  }

  /** Until what was sent before `instant` is answered. */
  async settled(instant: number): Promise<void> {
    await waitFor(() => [...this.#waiting.values()].every((sentAt) => sentAt >= instant), PATIENCE_MS);
  }

  forget(): void {
    this.answers = [];
    this.#bench.recorder.seen.clear();
  }

  async stop(): Promise<void> {
    await this.#pace.stop();
    await waitFor(() => this.#waiting.size === 0, PATIENCE_MS);
  }
}
