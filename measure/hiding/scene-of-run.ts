import type { MeasureOptions } from '../report.ts';
import type { Site } from './observer/messages.ts';
import { type Observer, startObserver } from './observer/spawn.ts';
import { CASES, type Cell, cells, ODD_CASES } from './requests.ts';
import { openScene, type Scene } from './scene.ts';

/** What every part of the measurement works with. */
export interface Run {
  readonly scene: Scene;
  readonly site: Site;
  /** Who looks, and who makes the background load: processes of their own. */
  readonly observer: Observer;
  readonly loader: Observer;
  readonly short: boolean;
  readonly progress: (line: string) => void;
  cells(methods?: readonly string[], odd?: boolean): Cell[];
  /** Milliseconds within which an answer has kept its deadline. */
  readonly keptMs: number;
  /** As many clients side by side as the machine bears without answers that miss their deadline. */
  streams(): Promise<Streams>;
  stop(): Promise<void>;
}

export interface Streams {
  readonly h1: number;
  readonly h2: number;
}

/** Milliseconds: longer than this back end takes for anything, the slow cases and many clients included. */
const DEADLINE_MS = 100;
const SHORT_DEADLINE_MS = 50;
/** Later than this after the deadline, an answer has missed it. */
const GRACE_MS = 12;
/** Share of the answers that may. */
const MAY_MISS = 0.002;
/** Twice as many of HTTP/1.1 as of HTTP/2. */
const FEWEST: Streams = { h1: 20, h2: 10 };

export async function openRun({ short, progress }: MeasureOptions): Promise<Run> {
  const deadlineMs = short ? SHORT_DEADLINE_MS : DEADLINE_MS;
  const scene = await openScene({ deadlineMs, progress });
  const [observer, loader] = [startObserver(), startObserver()];
  const site = await scene.site();
  let streams: Promise<Streams> | undefined;
  return {
    scene,
    site,
    observer,
    loader,
    short,
    progress,
    keptMs: deadlineMs + GRACE_MS,
    cells: (methods, odd = false) =>
      cells(scene.known.north, scene.known.south, methods, odd ? [...CASES, ...ODD_CASES] : CASES),
    streams: () => {
      streams ??= short
        ? Promise.resolve(FEWEST)
        : mostStreams(observer, site, cells(scene.known.north, scene.known.south, ['GET']), progress);
      return streams;
    },
    async stop() {
      await Promise.all([observer.stop(), loader.stop()]);
      await scene.stop();
    },
  };
}

/** A record of the asker's own, by one route or another. */
export function own(run: Run, base: 'fhir' | 'plain' | 'open'): Cell {
  return {
    method: base,
    case: 'absent',
    verb: 'GET',
    headers: {},
    variants: run.scene.known.north.observations.own.map((id) => ({
      path: `/${base}/Observation/${id}`,
      body: undefined,
    })),
  };
}

/** More and more until answers are late. */
async function mostStreams(
  observer: Observer,
  site: Site,
  asked: readonly Cell[],
  progress: (line: string) => void,
): Promise<Streams> {
  let most = FEWEST;
  for (let times = 2; times <= 6; times += 1) {
    const streams = { h1: FEWEST.h1 * times, h2: FEWEST.h2 * times };
    const found = await observer.ask<'timing'>({
      kind: 'timing',
      site,
      cells: asked,
      streams,
      samples: 100_000,
      seconds: 4,
    });
    // Not the first ones: handshakes, and code that runs for the first time.
    const all = found.times.flatMap((each) => [...each.slice(Math.ceil(each.length / 2))]);
    const late = all.filter((took) => took > DEADLINE_MS + GRACE_MS).length;
    progress(
      `${streams.h1} + ${streams.h2} clients side by side: ${((100 * late) / all.length).toFixed(2)} % late`,
    );
    if (late > MAY_MISS * all.length) break;
    most = streams;
  }
  return most;
}
