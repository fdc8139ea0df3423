import type { Content } from '../../contracts/content.ts';
import type { RequestFacts } from '../../contracts/facts.ts';
import type { InspectionFinding, Inspector } from '../../contracts/inspection.ts';
import type { Route, RouteMatch } from '../../contracts/policy.ts';
import type { InjectionDemand } from '../../contracts/route-inspection.ts';
import { bodySamples } from './body.ts';
import { headSamples } from './head.ts';
import { HeaderMemory } from './memory.ts';
import { bodyReading, holdsText, queryReading } from './reading.ts';
import type { Sink } from './sample.ts';
import { matches, Screen } from './screen.ts';

const BY_DEFAULT: InjectionDemand = Object.freeze({
  mode: 'block',
  except: Object.freeze([]),
  prose: Object.freeze([]),
});

/**
 * Searches what a policy permitted for injections, by the engine with the rules of `rules/`. A timeout, a cut or any
 * fault of the engine is a finding as well.
 * @throws ChartgateError `internal` when the engine cannot be loaded
 */
export function createInjectionInspector(): Inspector {
  const screen = new Screen();
  const memory = new HeaderMemory();
  const look = (match: RouteMatch, collect: (sink: Sink) => void): InspectionFinding | undefined => {
    const demand = match.route.inspect?.injection ?? BY_DEFAULT;
    const found = screen.first(
      demand.except,
      demand.prose.length === 0 ? collect : (sink) => collect(proseFor(demand.prose, sink)),
    );
    if (found === undefined) return undefined;
    const finding = {
      status: 'bad-request',
      reason: found.rule === undefined ? 'inspection-failed' : 'injection-suspected',
      place: found.place,
      rule: found.rule ?? found.cause,
    } as const;
    // A search that failed found nothing out: there is nothing to report, and nothing to let through.
    return demand.mode === 'report' && found.rule !== undefined ? { ...finding, reportOnly: true } : finding;
  };
  return {
    head: (facts: RequestFacts, match: RouteMatch) => {
      const finding = look(match, (sink) => headSamples(facts, queryReading(match.route), memory, sink));
      const demand = match.route.inspect?.injection ?? BY_DEFAULT;
      if (finding === undefined && demand.except.length === 0 && demand.prose.length === 0)
        memory.learn(facts);
      return finding;
    },
    content: (facts: RequestFacts, match: RouteMatch, content: Content) =>
      look(match, (sink) =>
        bodySamples(content, bodyReading(match.route, content.mediaType), facts.authority, sink),
      ),
    wants: (route: Route, mediaType: string | undefined) => route.maxBodyBytes > 0 && holdsText(mediaType),
    close: () => screen.close(),
  };
}

/** What is prose is read as such; names, files and narratives keep their reading. */
function proseFor(places: readonly string[], sink: Sink): Sink {
  return (place, reading, text) =>
    sink(
      place,
      reading === 'parameter' && places.some((each) => matches(each, place)) ? 'clinical' : reading,
      text,
    );
}
