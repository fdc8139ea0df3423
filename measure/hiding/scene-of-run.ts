import type { MeasureOptions } from '../report.ts';
import type { Site } from './observer/messages.ts';
import { type Observer, startObserver } from './observer/spawn.ts';
import { type Cell, cells } from './requests.ts';
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
  cells(methods?: readonly string[]): Cell[];
  stop(): Promise<void>;
}

/** Milliseconds: longer than this back end takes for anything, the slow cases and a busy machine included. */
const DEADLINE_MS = 40;

export async function openRun({ short, progress }: MeasureOptions): Promise<Run> {
  const scene = await openScene({ deadlineMs: DEADLINE_MS, progress });
  const [observer, loader] = [startObserver(), startObserver()];
  return {
    scene,
    site: await scene.site(),
    observer,
    loader,
    short,
    progress,
    cells: (methods) => cells(scene.known.north, scene.known.south, methods),
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
