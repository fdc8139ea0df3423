import type { Json } from '../report.ts';
import { ratio } from '../statistics.ts';
import type { LoadResult } from './load.ts';
import type { Plan } from './plan.ts';
import type { SubjectFigures } from './rounds.ts';
import type { Subject } from './subject.ts';

/** Everything that a run found out. */
export interface Findings {
  readonly wanted: readonly Subject[];
  readonly plan: Plan;
  readonly missing: ReadonlyMap<string, string>;
  readonly problems: readonly string[];
  readonly versions: ReadonlyMap<string, string>;
  readonly http1: ReadonlyMap<string, SubjectFigures>;
  readonly http2: ReadonlyMap<string, SubjectFigures>;
  readonly ceilings: { readonly shared: LoadResult; readonly apart: LoadResult | undefined } | undefined;
  /** The back end's program. */
  readonly backEnd: string | undefined;
  readonly separate: boolean;
  readonly h2load: boolean;
  readonly machine: { readonly [name: string]: Json };
}

/** A core busier than this has no time left to speak of: what runs on it is the limit. */
const SATURATED = 0.85;
export const YARDSTICK = 'undici';
export const SHIELD = 'apache-modsecurity';

/**
 * Which side had no time left. `proxy`: the subject's own processes filled their core, so the figure is
 * its own. `both sides`: the load's core was full as well. `load side`: generator and back end alone were.
 * `other work`: a core was full, but not with them. `waiting`: no core was full.
 */
export function limitedBy(
  found: Pick<
    SubjectFigures,
    'proxyShare' | 'proxyCoreShare' | 'loadCoreShare' | 'generatorShare' | 'backEndShare'
  >,
): 'proxy' | 'both sides' | 'load side' | 'other work' | 'waiting' | 'unknown' {
  if (found.proxyCoreShare === undefined || found.loadCoreShare === undefined) return 'unknown';
  const loadFull = found.generatorShare + found.backEndShare >= SATURATED;
  if (found.proxyShare >= SATURATED) return loadFull ? 'both sides' : 'proxy';
  if (loadFull) return 'load side';
  return Math.max(found.proxyCoreShare, found.loadCoreShare) >= SATURATED ? 'other work' : 'waiting';
}

/** How many requests one subject does with the processor time of one request of another's; busy neighbours change it least. */
export function ratioByProcessorTime(
  of: SubjectFigures | undefined,
  to: SubjectFigures | undefined,
): number | undefined {
  return ratio(to?.microsPerRequest, of?.microsPerRequest);
}
